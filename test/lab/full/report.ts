import { describeCause } from './cause.js';
import type { Judgement } from './judge.js';
import { nameOf, type LabCase } from './schedule.js';
import { Target } from './target.js';

/** What became of one case: a run, or the reason why there is none. */
export interface CaseResult {
  readonly labCase: LabCase;
  readonly run?: Judgement & {
    readonly repeated: boolean;
    readonly askedAlone: number;
    readonly seconds: Readonly<Record<string, number>>;
  };
  readonly failure?: string;
}

export function isAgreed({ run }: CaseResult): boolean {
  return run !== undefined && run.disagreements.length + run.falseAlarms.length === 0;
}

// What is named instead of a cause: the most frequent.
const OTHERS = 5;

/** One line for the case and one for each difference, with both sides, then what was named as the cause. */
export function describeResult(result: CaseResult): string {
  const { labCase, run, failure } = result;
  if (run === undefined) return `FAIL ${nameOf(labCase)}: ${failure ?? 'no reason given'}`;
  const { probes, failing, disagreements, exceptions, falseAlarms, repeated, askedAlone } = run;
  const counts = [
    `${probes} probes`,
    `${failing} not let through`,
    `${disagreements.length} disagree`,
    ...(exceptions > 0 ? [`${exceptions} exceptions`] : []),
    ...(falseAlarms.length > 0 ? [`${falseAlarms.length} false alarms`] : []),
    ...(askedAlone > 0 ? [`${askedAlone} asked again alone`] : []),
    ...(repeated ? ['done twice'] : []),
  ];
  const differences = [...disagreements, ...falseAlarms].map(({ probe: { kind, pair }, text }) => {
    const { source, destination, port, protocol } = pair;
    return `  ${kind} ${source} -> ${destination}:${port}/${protocol} ${text}`;
  });
  return [
    `${isAgreed(result) ? 'ok  ' : 'DIFF'} ${nameOf(labCase)}: ${counts.join(', ')}`,
    ...differences,
    ...describeNaming(result).map((line) => `  ${line}`),
  ].join('\n');
}

/** Whether the first of what stops a packet is what was broken. */
function describeNaming({ labCase: { lab, faults }, run }: CaseResult): readonly string[] {
  if (run === undefined || faults.length === 0) return [];
  const { broken, named, instead } = run.naming;
  const causes = faults.flatMap((fault) => fault.causes?.(new Target(lab)) ?? []);
  const harmless = faults.flatMap((fault) => fault.harmless ?? []);
  if (broken === 0) return [`cause: nothing is broken (${harmless.join('; ') || 'not in this cluster'})`];
  const wanted = causes.map(describeCause).join('; ') || `none, it should be harmless: ${harmless.join('; ')}`;
  const others = [...instead].toSorted(([, a], [, b]) => b - a).map(([what, count]) => `${count} x ${what}`);
  if (others.length > OTHERS) others.splice(OTHERS, Infinity, `and ${instead.size - OTHERS} more`);
  if (others.length === 0) return [`cause: named (${broken} probes)`];
  return [
    `cause: NOT NAMED for ${broken - named} of ${broken} probes: ${wanted}; instead:`,
    ...others.map((other) => `  ${other}`),
  ];
}

function isNamed({ run }: CaseResult): boolean {
  return run === undefined || run.naming.named === run.naming.broken;
}

/** Agreement by cluster, by layer and by fault, then how many causes were named. */
export function summarise(results: readonly CaseResult[]): string {
  const total = countOf(results);
  const faults = new Set(results.flatMap(({ labCase }) => labCase.faults.map(({ name }) => name)));
  const breaking = results.filter(
    ({ run, labCase }) => labCase.faults.length > 0 && run !== undefined && run.naming.broken > 0,
  );
  const unnamed = breaking.filter((result) => !isNamed(result));
  return [
    ...table('cluster', results, ({ labCase }) => labCase.lab.name),
    ...table('layer', results, layerOf),
    ...table('fault', results, ({ labCase }) => labCase.faults.map(({ name }) => name).join('+') || 'none'),
    '',
    `causes: ${breaking.length - unnamed.length} of ${breaking.length} cases that break something name what was broken first, in every probe`,
    ...unnamed.map((result) => `  ${nameOf(result.labCase)}: ${describeNaming(result).join(' ')}`),
    '',
    ...exceptionsOf(results),
    ...askedAgain(results),
    `${total.agreed} of ${total.probes} probes agree (${percent(total)}), ${total.exceptions} are exceptions, in ${results.length} cases of ${faults.size} faults; ${total.alarms} false alarms, ${total.broken} cases that could not be run`,
  ].join('\n');
}

function askedAgain(results: readonly CaseResult[]): readonly string[] {
  const alone = results.reduce((total, { run }) => total + (run?.askedAlone ?? 0), 0);
  return alone === 0 ? [] : [`${alone} probes were asked again alone because kernel and program differed first`];
}

/** The probes of which no dump can tell, by fault, with the reason. */
function exceptionsOf(results: readonly CaseResult[]): readonly string[] {
  return results.flatMap(({ labCase, run }) =>
    run === undefined || run.exceptions === 0
      ? []
      : [
          `exception: ${run.exceptions} probes of ${nameOf(labCase)}: ${labCase.faults.flatMap(({ undecidable }) => undecidable ?? []).join('; ')}`,
        ],
  );
}

/** Where the time went, of all lanes together. */
export function describeTime(results: readonly CaseResult[]): string {
  const total = new Map<string, number>();
  for (const [stage, seconds] of results.flatMap(({ run }) => Object.entries(run?.seconds ?? {})))
    total.set(stage, (total.get(stage) ?? 0) + seconds);
  return [...total].map(([stage, seconds]) => `${stage} ${Math.round(seconds)} s`).join(', ');
}

function layerOf({ labCase: { faults } }: CaseResult): string {
  return [...new Set(faults.map(({ layer }) => layer))].join('+') || 'healthy';
}

interface Count {
  readonly cases: number;
  readonly probes: number;
  readonly agreed: number;
  readonly exceptions: number;
  readonly alarms: number;
  readonly broken: number;
}

function countOf(results: readonly CaseResult[]): Count {
  const runs = results.flatMap(({ run }) => run ?? []);
  const sum = (of: (run: Judgement) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    cases: results.length,
    probes: sum(({ probes }) => probes),
    agreed: sum(({ probes, disagreements, exceptions }) => probes - disagreements.length - exceptions),
    exceptions: sum(({ exceptions }) => exceptions),
    alarms: sum(({ falseAlarms }) => falseAlarms.length),
    broken: results.length - runs.length,
  };
}

function percent({ agreed, probes }: Pick<Count, 'agreed' | 'probes'>): string {
  // Rounded down: 100.00 % is said only of all.
  return probes === 0 ? '-' : `${(Math.floor((agreed / probes) * 10_000) / 100).toFixed(2)} %`;
}

function table(title: string, results: readonly CaseResult[], keyOf: (result: CaseResult) => string): string[] {
  const groups = new Map<string, CaseResult[]>();
  for (const result of results) groups.set(keyOf(result), [...(groups.get(keyOf(result)) ?? []), result]);
  if (groups.size === 0) return [];
  const width = Math.max(title.length, ...[...groups.keys()].map((key) => key.length));
  const row = (cells: readonly string[]) =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(width) : cell.padStart(9))).join('');
  return [
    '',
    row([title, 'cases', 'probes', 'agree', '']),
    ...[...groups].map(([key, members]) => {
      const count = countOf(members);
      return row([key, String(count.cases), String(count.probes), String(count.agreed), percent(count)]);
    }),
  ];
}
