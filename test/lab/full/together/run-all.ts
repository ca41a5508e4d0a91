import type { LabCluster } from '../clusters.js';
import { CLUSTERS } from '../clusters.js';
import { inLanes } from '../run-cases.js';
import { runTogether, type Combination } from './run-together.js';

/** Each CNI plugin once, with another proxy mode each time: the modes are neighbours in the list. */
const ONE_OF_EACH = CLUSTERS.filter((_, at) => at % 3 === Math.floor(at / 3) % 3);
const SIZES = [2, 2, 2, 3, 3, 3];

export interface AllTogetherOptions {
  readonly seed: number;
  readonly lanes?: number;
  readonly keepIn?: string;
  readonly onResult?: (combination: Combination) => void;
}

/** Random pairs and triples of obstacles in a cluster of each CNI plugin. */
export async function runAllTogether(options: AllTogetherOptions): Promise<readonly Combination[]> {
  const queue: [number, LabCluster][] = ONE_OF_EACH.map((lab, at) => [at, lab]);
  const results: Combination[] = [];
  await inLanes(options.lanes, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [at, lab] = next;
      const keep = options.keepIn === undefined ? {} : { keepIn: options.keepIn };
      for (const combination of await runTogether(lab, { sizes: SIZES, seed: options.seed + 100 * at, ...keep })) {
        results.push(combination);
        options.onResult?.(combination);
      }
    }
  });
  return results;
}

export function describeCombination({ name, problems }: Combination): string {
  return [`${problems.length === 0 ? 'ok  ' : 'DIFF'} ${name}`, ...problems.map((problem) => `  ${problem}`)].join(
    '\n',
  );
}

export function summariseTogether(combinations: readonly Combination[]): string {
  const good = combinations.filter(({ problems }) => problems.length === 0).length;
  return `together: ${good} of ${combinations.length} combinations are reported completely and heal exactly when all is removed`;
}
