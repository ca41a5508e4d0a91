import { writeFileSync } from 'node:fs';
import { inLane, removeLabNamespaces, withLab } from '../netns/lab-namespaces.js';
import { whyNoLab } from '../netns/why-no-lab.js';
import { runInLab, type LabRun } from './lab-run.js';
import { faultyCases, healthyCases, nameOf, type LabCase } from './schedule.js';

const LANES = ['a', 'b'];

function isAgreed({ disagreements, falseAlarms }: LabRun): boolean {
  return disagreements.length + falseAlarms.length === 0;
}

/** A machine that is busy with something else makes a probe time out once; a difference that is real comes back. */
function whatRepeats(first: LabRun, second: LabRun): LabRun {
  const before = new Set(first.disagreements.map(({ probe }) => probe.pair.id));
  return { ...second, disagreements: second.disagreements.filter(({ probe }) => before.has(probe.pair.id)) };
}

async function main(): Promise<boolean> {
  let ok = true;
  const [pattern = '', copies = '2'] = process.argv.slice(2);
  const cases = [...healthyCases(), ...faultyCases(Number(copies))].filter((one) =>
    new RegExp(pattern).test(nameOf(one)),
  );
  console.log(`${cases.length} cases`);
  const queue = [...cases];
  const work = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) await report(one);
  };
  const report = async (one: LabCase): Promise<void> => {
    const name = nameOf(one);
    try {
      const options = {
        thorough: one.fault === undefined,
        keepAs: `/tmp/l4x/${name.replace('/', '.')}.tar.gz`,
      };
      const first = await runInLab(one.lab, one.fault, options);
      const run = isAgreed(first) ? first : whatRepeats(first, await runInLab(one.lab, one.fault, options));
      const problems = [...run.disagreements, ...run.falseAlarms];
      console.log(
        `${problems.length === 0 ? 'ok  ' : 'DIFF'} ${name}: ${run.probes} probes, ${run.failing} failing, ${run.disagreements.length} disagree, ${run.falseAlarms.length} false alarms`,
        JSON.stringify(run.seconds),
      );
      for (const { probe, text } of problems)
        console.log(
          `  ${probe.kind} ${probe.pair.source} -> ${probe.pair.destination}:${probe.pair.port}/${probe.pair.protocol} ${text}`,
        );
      ok &&= problems.length === 0;
    } catch (error) {
      console.log(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)}`);
      ok = false;
    }
  };
  await Promise.all(LANES.map((lane) => inLane(lane, work)));
  writeFileSync('/tmp/l4x/done', '');
  return ok;
}

const reason = whyNoLab();
if (reason === undefined)
  try {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => void removeLabNamespaces().finally(() => process.exit(130)));
    process.exitCode = (await withLab(main)) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
else console.log(`skipped: ${reason}`);
