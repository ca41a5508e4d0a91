import { join } from 'node:path';
import { inLane } from '../netns/lab-namespaces.js';
import { runInLab, type LabRun } from './lab-run.js';
import { isAgreed, type CaseResult } from './report.js';
import { nameOf, type LabCase } from './schedule.js';

// While one cluster waits for time-outs, another is built or diagnosed.
const LANES = 2;

export interface RunCasesOptions {
  /** Where snapshots of cases stay, for a closer look. */
  readonly keepIn?: string;
  readonly lanes?: number;
  /** Asks nothing a second time: quicker, and on a busy machine less sure. */
  readonly once?: boolean;
  /** Begins no further case after this time (of `performance.now()`). */
  readonly until?: number;
  readonly onResult?: (result: CaseResult) => void;
}

/** Runs cases side by side. Every pair in a healthy cluster is asked, with a fault those that do not only repeat another way. */
export async function runCases(
  cases: readonly LabCase[],
  options: RunCasesOptions = {},
): Promise<readonly CaseResult[]> {
  const queue = [...cases];
  const results: CaseResult[] = [];
  const work = async (): Promise<void> => {
    while (options.until === undefined || performance.now() < options.until) {
      const labCase = queue.shift();
      if (labCase === undefined) return;
      const result = await runCase(labCase, options);
      results.push(result);
      options.onResult?.(result);
    }
  };
  await Promise.all(Array.from({ length: options.lanes ?? LANES }, (_, lane) => inLane(`lane${lane + 1}`, work)));
  return results;
}

async function runCase(labCase: LabCase, { keepIn, once = false }: RunCasesOptions): Promise<CaseResult> {
  const { lab, fault } = labCase;
  const keepAs = keepIn === undefined ? {} : { keepAs: join(keepIn, `${nameOf(labCase).replace('/', '.')}.tar.gz`) };
  const options = { thorough: fault === undefined, once, ...keepAs };
  try {
    const run = await runInLab(lab, fault, options);
    // Nothing was cleared: all differences are as firm as those that were asked again.
    if (isAgreed({ labCase, run }) || run.cleared === 0 || once) return { labCase, run };
    return { labCase, run: whatRepeats(run, await runInLab(lab, fault, options)) };
  } catch (error) {
    return { labCase, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** A machine that is busy with something else makes a probe time out once; a difference that is real comes back. */
function whatRepeats(first: LabRun, second: LabRun): LabRun {
  const before = new Set([...first.disagreements, ...first.falseAlarms].map(({ probe }) => probe.pair.id));
  const both = second.disagreements.filter(({ probe }) => before.has(probe.pair.id));
  return { ...second, disagreements: both, repeated: true };
}
