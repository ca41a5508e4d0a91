import type { LabRun } from './lab-run.js';
import { nameOf, type LabCase } from './schedule.js';

/** What became of one case: a run, or the reason why there is none. */
export interface CaseResult {
  readonly labCase: LabCase;
  readonly run?: LabRun;
  readonly failure?: string;
}

export function isAgreed({ run }: CaseResult): boolean {
  return run !== undefined && run.disagreements.length + run.falseAlarms.length === 0;
}

/** One line for the case and one for each difference, with both sides. */
export function describeResult(result: CaseResult): string {
  const { labCase, run, failure } = result;
  if (run === undefined) return `FAIL ${nameOf(labCase)}: ${failure ?? 'no reason given'}`;
  const { probes, failing, disagreements, falseAlarms, repeated } = run;
  const counts = [
    `${probes} probes`,
    `${failing} not let through`,
    `${disagreements.length} disagree`,
    ...(falseAlarms.length > 0 ? [`${falseAlarms.length} false alarms`] : []),
    ...(repeated ? ['done twice'] : []),
  ];
  const differences = [...disagreements, ...falseAlarms].map(({ probe: { kind, pair }, text }) => {
    const { source, destination, port, protocol } = pair;
    return `  ${kind} ${source} -> ${destination}:${port}/${protocol} ${text}`;
  });
  return [`${isAgreed(result) ? 'ok  ' : 'DIFF'} ${nameOf(labCase)}: ${counts.join(', ')}`, ...differences].join('\n');
}

/** Agreement by cluster and by layer, then the faults on which kernel and program differ. */
export function summarise(results: readonly CaseResult[]): string {
  const total = countOf(results);
  return [
    ...table('cluster', results, ({ labCase }) => labCase.lab.name),
    ...table('layer', results, ({ labCase }) => labCase.fault?.layer ?? 'healthy'),
    ...table(
      'fault that disagrees',
      results.filter((result) => !isAgreed(result)),
      ({ labCase }) => labCase.fault?.name ?? 'none',
    ),
    '',
    `${total.agreed} of ${total.probes} probes agree (${percent(total)}) in ${results.length} cases of ${new Set(results.flatMap(({ labCase }) => labCase.fault?.name ?? [])).size} faults; ${total.alarms} false alarms, ${total.broken} cases that could not be run`,
  ].join('\n');
}

interface Count {
  readonly cases: number;
  readonly probes: number;
  readonly agreed: number;
  readonly alarms: number;
  readonly broken: number;
}

function countOf(results: readonly CaseResult[]): Count {
  const runs = results.flatMap(({ run }) => run ?? []);
  const sum = (of: (run: LabRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    cases: results.length,
    probes: sum(({ probes }) => probes),
    agreed: sum(({ probes, disagreements }) => probes - disagreements.length),
    alarms: sum(({ falseAlarms }) => falseAlarms.length),
    broken: results.length - runs.length,
  };
}

function percent({ agreed, probes }: Count): string {
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
