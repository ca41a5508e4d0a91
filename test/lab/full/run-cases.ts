import { join } from 'node:path';
import { inLane } from '../netns/lab-namespaces.js';
import type { LabCluster } from './clusters.js';
import { runInLab, type LabRun } from './lab-run.js';
import type { Difference } from './judge.js';
import type { CaseResult } from './report.js';
import { isHealthy, nameOf, type LabCase } from './schedule.js';

// While one cluster waits for time-outs, another is built or diagnosed.
const LANES = 3;

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
  const baselines = new Baselines();
  const results: CaseResult[] = [];
  const work = async (): Promise<void> => {
    while (options.until === undefined || performance.now() < options.until) {
      const labCase = queue.shift();
      if (labCase === undefined) return;
      const result = await runCase(labCase, baselines, options);
      results.push(result);
      options.onResult?.(result);
    }
  };
  await inLanes(options.lanes, work);
  return results;
}

export async function inLanes(lanes: number = LANES, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: lanes }, (_, lane) => inLane(`lane${lane + 1}`, work)));
}

async function runCase(
  labCase: LabCase,
  baselines: Baselines,
  { keepIn, once = false }: RunCasesOptions,
): Promise<CaseResult> {
  const { lab, faults } = labCase;
  const keepAs = keepIn === undefined ? {} : { keepAs: join(keepIn, `${nameOf(labCase).replace('/', '.')}.tar.gz`) };
  try {
    if (isHealthy(labCase)) {
      const run = await twiceIfNeeded(once, () =>
        runInLab(lab, faults, { thorough: faults.length === 0, once, ...keepAs }),
      );
      baselines.set(lab, run);
      return { labCase, run };
    }
    const baseline = await baselines.of(lab);
    const options = { thorough: false, once, baseline, ...keepAs };
    return { labCase, run: await twiceIfNeeded(once, () => runInLab(lab, faults, options)) };
  } catch (error) {
    return { labCase, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** What connects in a cluster when it is healthy: measured once for each kind. */
class Baselines {
  private readonly known = new Map<LabCluster, Promise<ReadonlySet<string>>>();

  set(lab: LabCluster, { works }: LabRun): void {
    this.known.set(lab, Promise.resolve(works));
  }

  of(lab: LabCluster): Promise<ReadonlySet<string>> {
    const known = this.known.get(lab) ?? runInLab(lab, [], { thorough: false, once: true }).then(({ works }) => works);
    this.known.set(lab, known);
    return known;
  }
}

/**
 * A machine that is busy with something else makes a probe time out once, and the kernel forgets neighbours that do not answer
 * whenever its table is large, so that the dump lacks them: a difference that is real comes back.
 */
async function twiceIfNeeded(once: boolean, act: () => Promise<LabRun>): Promise<LabRun> {
  const first = await act();
  const differences = [...first.disagreements, ...first.falseAlarms];
  if (differences.length === 0 || once) return first;
  const before = new Set(differences.map(({ probe }) => probe.pair.id));
  const second = await act();
  const both = (list: readonly Difference[]) => list.filter(({ probe }) => before.has(probe.pair.id));
  return {
    ...second,
    disagreements: both(second.disagreements),
    falseAlarms: both(second.falseAlarms),
    repeated: true,
  };
}
