import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Input } from './attempt.js';
import { fuzz } from './fuzz.js';
import { KNOWN } from './known-defects.js';
import { makeAttempt, runAttempt } from './run-attempt.js';
import { shrink } from './shrink.js';
import { allTargets } from './targets.js';

const USAGE = `npm run fuzz [-- --minutes 10] [--seconds N] [--seed N]
  damages real dumps, archives, objects and references, and asks whole diagnoses about them
  --known      asks the inputs that once broke something
  --only I     runs one iteration of the seed again, makes its input smaller and writes it to --out
  --out DIR    where that goes (default: fuzz-findings below the current folder)`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    known: { type: 'boolean', default: false },
    from: { type: 'string', default: '0' },
    out: { type: 'string', default: 'fuzz-findings' },
    help: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const milliseconds = values.seconds === undefined ? Number(values.minutes) * 60_000 : Number(values.seconds) * 1_000;
// dist/test/fuzz/main.js
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
if (values.help || !Number.isInteger(seed) || !(milliseconds > 0)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
if (values.known) process.exitCode = await askKnown();
else process.exitCode = values.only === undefined ? await fuzzAll() : await runAgain(Number(values.only));

async function askKnown(): Promise<number> {
  const plan = { root, seed, milliseconds, from: 0, known: true };
  const { iterations, found } = await fuzz(plan, () => undefined);
  for (const [at, { title }] of KNOWN.entries()) {
    const failure = found.find(({ iteration }) => iteration === at)?.failure;
    const result = at >= iterations ? 'not run' : (failure?.kind ?? 'fine');
    console.log(`${result}: ${title}${failure === undefined ? '' : `: ${failure.message}`}`);
  }
  return found.length === 0 ? 0 : 1;
}

async function fuzzAll(): Promise<number> {
  const plan = { root, seed, milliseconds, from: Number(values.from), known: false };
  const report = await fuzz(plan, ({ iteration, target, failure }) =>
    console.log(`${failure.kind}: ${target}, seed ${seed} iteration ${iteration}: ${failure.message}`),
  );
  for (const [name, times] of [...report.counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(times).padStart(8)} ${name}`);
  for (const { iteration, target, failure, times } of report.found)
    console.log(`${times} × ${failure.kind}: ${target}; --seed ${seed} --only ${iteration}`);
  console.log(`seed ${seed}: ${report.iterations} inputs, ${report.found.length} kinds of failures`);
  return report.found.length === 0 ? 0 : 1;
}

async function runAgain(iteration: number): Promise<number> {
  const attempt = makeAttempt(await allTargets(root), seed, iteration);
  console.log(`${attempt.target.name}: ${Object.keys(attempt.input).join(', ')}`);
  const failure = await runAttempt(attempt);
  if (failure === undefined) {
    console.log('nothing is wrong with it');
    return 0;
  }
  console.log(`${failure.kind}: ${failure.message}`);
  const small = await shrink(attempt.target, attempt.input, failure, 30_000);
  writeInput(join(values.out, `${seed}-${iteration}`), small);
  return 1;
}

function writeInput(folder: string, input: Input): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(input)) {
    writeFileSync(join(folder, name.replaceAll('/', '_')), text);
    console.log(`  ${name}: ${text.length > 400 ? `${text.slice(0, 400)}... (${text.length} characters)` : text}`);
  }
  console.log(`written to ${folder}`);
}
