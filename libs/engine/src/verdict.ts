import type { Verdict } from '#libs/model';
import type { Leaf } from './explore.js';

/**
 * The verdict of all leaves. Where the kernel rolls dice, outcomes add up (some reach, some do not: partial). Where a fact
 * was guessed, both worlds must agree, else the answer is undetermined.
 */
export function combineVerdict<T>(leaves: readonly Leaf<T>[], judge: (value: T) => Verdict, depth = 0): Verdict {
  const [first] = leaves;
  if (first === undefined) return 'undetermined';
  const decision = first.decisions[depth];
  if (decision === undefined) return judge(first.value);
  const groups = new Map<number, Leaf<T>[]>();
  for (const leaf of leaves) {
    const index = leaf.decisions[depth]?.index ?? 0;
    const group = groups.get(index);
    if (group === undefined) groups.set(index, [leaf]);
    else group.push(leaf);
  }
  const verdicts = new Set([...groups.values()].map((group) => combineVerdict(group, judge, depth + 1)));
  if (verdicts.size === 1) return [...verdicts][0] ?? 'undetermined';
  if (decision.kind === 'guess' || verdicts.has('undetermined')) return 'undetermined';
  return 'partial';
}
