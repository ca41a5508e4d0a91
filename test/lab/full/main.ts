import { mkdirSync } from 'node:fs';
import { removeLabNamespaces, withLab } from '../netns/lab-namespaces.js';
import { whyNoLab } from '../netns/why-no-lab.js';
import { CLUSTERS } from './clusters.js';
import { FAULTS } from './faults/index.js';
import { describeCombination, runAllTogether, summariseTogether } from './together/run-all.js';
import { replayCases } from './replay.js';
import { describeResult, describeTime, isAgreed, summarise, type CaseResult } from './report.js';
import { runCases } from './run-cases.js';
import { accompaniedCases, faultyCases, healthyCases, nameOf, type LabCase } from './schedule.js';

const USAGE = `npm run lab:full [-- OPTION...]
  builds every kind of cluster, healthy and with each fault, makes real connections, and compares with what hopscope says
  --only PATTERN   only cases whose name (cluster/fault, "none": healthy) matches the regular expression
  --layer LAYERS   only faults of these layers (link,address,route,...)
  --copies N       each fault in N kinds of clusters (1)
  --minutes N      begin no case after N minutes; what was left out is said
  --once           asks nothing a second time: quicker, on a busy machine less sure
  --lanes N        builds N clusters side by side (3)
  --keep FOLDER    keep the snapshots, and what the kernel did beside them
  --replay FOLDER  builds nothing: compares what was kept there with what hopscope says now
  --together SEED  only random pairs and triples of faults on one way (all cases: with seed 1 after the cases)
  --list           only print the names of the cases`;

const EVERYTHING = /./;

interface Options {
  readonly only: RegExp;
  readonly layers?: readonly string[];
  readonly copies: number;
  readonly minutes?: number;
  readonly keepIn?: string;
  readonly replay?: string;
  readonly together?: number;
  readonly list: boolean;
  readonly once: boolean;
  readonly lanes?: number;
}

function parseOptions(argv: readonly string[]): Options {
  let options: Options = { only: EVERYTHING, copies: 1, list: false, once: false };
  const args = [...argv];
  const value = (name: string): string => {
    const next = args.shift();
    if (next === undefined) throw new Error(`lab: ${name} needs a value\n${USAGE}`);
    return next;
  };
  for (let arg = args.shift(); arg !== undefined; arg = args.shift())
    if (arg === '--list') options = { ...options, list: true };
    else if (arg === '--once') options = { ...options, once: true };
    else if (arg === '--lanes') options = { ...options, lanes: positive(arg, value(arg)) };
    else if (arg === '--only') options = { ...options, only: new RegExp(value(arg)) };
    else if (arg === '--layer') options = { ...options, layers: value(arg).split(',') };
    else if (arg === '--copies') options = { ...options, copies: positive(arg, value(arg)) };
    else if (arg === '--minutes') options = { ...options, minutes: positive(arg, value(arg)) };
    else if (arg === '--keep') options = { ...options, keepIn: value(arg) };
    else if (arg === '--together') options = { ...options, together: positive(arg, value(arg)) };
    else if (arg === '--replay') options = { ...options, replay: value(arg) };
    else throw new Error(`lab: ${arg} is not an option\n${USAGE}`);
  return options;
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`lab: ${name} needs a number above 0\n${USAGE}`);
  return number;
}

/** Everything, or what the options select. */
async function main(options: Options): Promise<boolean> {
  const isAll = options.only.source === EVERYTHING.source && options.layers === undefined && !options.list;
  if (options.together !== undefined) return combine(options, options.together);
  const agreed = await runSelected(options);
  return isAll ? (await combine(options, 1)) && agreed : agreed;
}

async function runSelected(options: Options): Promise<boolean> {
  const { only, copies, minutes, keepIn, list, once, lanes } = options;
  const cases = [...healthyCases(), ...accompaniedCases(), ...faultyCases(copies)].filter((labCase) =>
    isWanted(labCase, options),
  );
  if (cases.length === 0) throw new Error(`lab: no case is called ${only.source}\n${USAGE}`);
  if (list) {
    console.log(cases.map(nameOf).join('\n'));
    return true;
  }
  if (keepIn !== undefined) mkdirSync(keepIn, { recursive: true });
  const began = performance.now();
  console.log(`${cases.length} cases; ${FAULTS.length} faults and ${CLUSTERS.length} kinds of clusters are known`);
  const results = await withLab(() =>
    runCases(cases, {
      once,
      ...(lanes === undefined ? {} : { lanes }),
      ...(keepIn === undefined ? {} : { keepIn }),
      ...(minutes === undefined ? {} : { until: began + minutes * 60_000 }),
      onResult: (result) => console.log(describeResult(result)),
    }),
  );
  console.log(summarise(results));
  if (results.length < cases.length) console.log(`out of time: ${cases.length - results.length} cases were not run`);
  console.log(`${((performance.now() - began) / 60_000).toFixed(1)} minutes; in all lanes: ${describeTime(results)}`);
  return results.every(isAgreed);
}

async function combine({ keepIn, lanes }: Options, seed: number): Promise<boolean> {
  if (keepIn !== undefined) mkdirSync(keepIn, { recursive: true });
  const combinations = await withLab(() =>
    runAllTogether({
      seed,
      ...(lanes === undefined ? {} : { lanes }),
      ...(keepIn === undefined ? {} : { keepIn }),
      onResult: (combination) => console.log(describeCombination(combination)),
    }),
  );
  console.log(summariseTogether(combinations));
  return combinations.every(({ problems }) => problems.length === 0);
}

function isWanted(labCase: LabCase, { only, layers }: Pick<Options, 'only' | 'layers'>): boolean {
  const { faults } = labCase;
  return only.test(nameOf(labCase)) && (layers === undefined || faults.some(({ layer }) => layers.includes(layer)));
}

async function replay(folder: string, options: Options): Promise<boolean> {
  const results: CaseResult[] = [];
  for await (const result of replayCases(folder, (labCase) => isWanted(labCase, options))) {
    results.push(result);
    console.log(describeResult(result));
  }
  if (results.length === 0) throw new Error(`lab: ${folder} keeps no case that is called ${options.only.source}`);
  console.log(summarise(results));
  return results.every(isAgreed);
}

try {
  const options = parseOptions(process.argv.slice(2));
  const reason = whyNoLab();
  if (options.replay !== undefined) process.exitCode = (await replay(options.replay, options)) ? 0 : 1;
  else if (reason !== undefined) console.log(`skipped: ${reason}`);
  else {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => void removeLabNamespaces().finally(() => process.exit(130)));
    process.exitCode = (await main(options)) ? 0 : 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
