import { join } from 'node:path';
import { CASES } from './cases/cases.js';
import type { LabCase } from './cases/lab-case.js';
import { checkCase, checkKernel } from './check-case.js';
import { removeLabNamespaces, withLab } from './netns/lab-namespaces.js';
import { whyNoLab } from './netns/why-no-lab.js';
import { runCase, type CaseRun } from './run-case.js';
import { writeSamples } from './samples.js';
import { repositoryRoot } from './traffic/script-path.js';

const USAGE = `npm run lab [-- --write] [-- --case NAME]
  builds each sample cluster, makes real connections, and compares what the kernel did with what hopscope says
  --write      also rewrites samples/ from the fresh dumps
  --case NAME  only this case (${CASES.map(({ name }) => name).join(', ')})`;

interface Options {
  readonly write: boolean;
  readonly cases: readonly LabCase[];
}

function parseOptions(argv: readonly string[]): Options {
  const args = [...argv];
  let write = false;
  let cases = CASES;
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (arg === '--write') write = true;
    else if (arg === '--case') cases = CASES.filter(({ name }) => name === args[0] && args.shift() !== undefined);
    else throw new Error(`lab: ${arg} is not an option\n${USAGE}`);
    if (cases.length === 0) throw new Error(`lab: no such case\n${USAGE}`);
  }
  if (write && cases !== CASES) throw new Error('lab: --write makes all samples; leave --case out');
  return { write, cases };
}

async function main({ write, cases }: Options): Promise<boolean> {
  const made: { labCase: LabCase; run: CaseRun }[] = [];
  for (const labCase of cases) {
    const run = await runCase(labCase);
    const wrongCase = checkKernel(labCase, run);
    if (wrongCase.length > 0) throw new Error(`lab: case ${labCase.name} is wrong:\n${wrongCase.join('\n')}`);
    made.push({ labCase, run });
  }
  if (write) await writeSamples(join(repositoryRoot(), 'samples'), made);
  let agreed = true;
  for (const { labCase, run } of made) {
    const { connections, disagreements, wrongAnswers } = await checkCase(labCase, run);
    const problems = [...disagreements, ...wrongAnswers];
    console.log(`${labCase.name}: ${connections} connections, ${problems.length} disagreements`);
    for (const problem of problems) console.log(`  ${problem}`);
    agreed &&= problems.length === 0;
  }
  return agreed;
}

const reason = whyNoLab();
if (reason === undefined)
  try {
    const options = parseOptions(process.argv.slice(2));
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => void removeLabNamespaces().finally(() => process.exit(130)));
    process.exitCode = (await withLab(() => main(options))) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
else console.log(`skipped: ${reason}`);
