import type { Verdict } from '#libs/model';
import type { Chooser } from '#libs/netstack';
import * as fc from 'fast-check';
import { explore, type Leaf } from './explore.js';
import { combineVerdict } from './verdict.js';

/** A walk as a tree of questions: its leaves are the outcomes. */
type Tree =
  | { readonly leaf: number }
  | { readonly key: string; readonly weights: readonly number[]; readonly next: readonly Tree[] };

/** Keys differ along a path, as the questions of one walk do. */
function tree(depth: number, path = 'q'): fc.Arbitrary<Tree> {
  const leaf = fc.integer({ min: 0, max: 9 }).map((value): Tree => ({ leaf: value }));
  if (depth === 0) return leaf;
  const inner = fc
    .array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 })
    .chain((weights) =>
      fc
        .tuple(...weights.map((_, index) => tree(depth - 1, `${path}.${index}`)))
        .map((next): Tree => ({ key: path, weights, next })),
    );
  return fc.oneof(leaf, inner);
}

function walkTree(node: Tree, chooser: Chooser): number {
  let at = node;
  while (!('leaf' in at)) {
    const next = at.next[chooser.pick(at.key, at.weights)];
    if (next === undefined) throw new Error('an outcome that the tree does not have');
    at = next;
  }
  return at.leaf;
}

/** The same by recursion, without running anything again. */
function leavesOf(node: Tree, probability = 1): { value: number; probability: number }[] {
  if ('leaf' in node) return [{ value: node.leaf, probability }];
  const total = node.weights.reduce((sum, weight) => sum + weight, 0);
  return node.next.flatMap((next, index) => leavesOf(next, (probability * (node.weights[index] ?? 0)) / total));
}

const sum = (leaves: readonly { probability: number }[]): number =>
  leaves.reduce((total, leaf) => total + leaf.probability, 0);

describe('explore', () => {
  it('comes to every outcome once, with its probability', () => {
    fc.assert(
      fc.property(tree(4), (root) => {
        const { leaves, rest } = explore((chooser) => walkTree(root, chooser), 10_000);

        const expected = leavesOf(root);
        expect(leaves.length).toBe(expected.length);
        const count = (list: readonly { value: number }[], value: number): number =>
          list.filter((leaf) => leaf.value === value).length;
        for (const { value } of expected) expect(count(leaves, value)).toBe(count(expected, value));
        expect(sum(leaves)).toBeCloseTo(1, 9);
        expect(rest).toBe(0);
        for (const value of new Set(expected.map((leaf) => leaf.value)))
          expect(sum(leaves.filter((leaf) => leaf.value === value))).toBeCloseTo(
            sum(expected.filter((leaf) => leaf.value === value)),
            9,
          );
      }),
    );
  });

  it('says how much probability it left out at its limit', () => {
    fc.assert(
      fc.property(tree(4), fc.integer({ min: 1, max: 5 }), (root, limit) => {
        const { leaves, rest } = explore((chooser) => walkTree(root, chooser), limit);

        expect(leaves.length).toBeLessThanOrEqual(limit);
        expect(sum(leaves) + rest).toBeCloseTo(1, 9);
      }),
    );
  });

  it('answers the same question within one walk the same way, and asks it once', () => {
    const { leaves } = explore((chooser) => [chooser.pick('a', [1, 1]), chooser.pick('a', [1, 1])].join(''), 100);

    expect(leaves.map(({ value, probability }) => [value, probability])).toEqual([
      ['00', 0.5],
      ['11', 0.5],
    ]);
  });

  it('tells a fact from dice of the same name', () => {
    const { leaves } = explore((chooser) => `${chooser.guess('a')} ${chooser.pick('a', [1, 3])}`, 100);

    expect(leaves.map(({ value, probability }) => `${value}: ${probability}`).toSorted()).toEqual([
      'false 0: 0.125',
      'false 1: 0.375',
      'true 0: 0.125',
      'true 1: 0.375',
    ]);
  });

  it('does not follow outcomes that cannot happen', () => {
    const { leaves } = explore((chooser) => chooser.pick('a', [1, 0, 1]), 100);

    expect(leaves.map(({ value }) => value)).toEqual([0, 2]);
  });

  it('asks only what the branch needs', () => {
    const { leaves } = explore(
      (chooser) => (chooser.guess('a') ? 'yes' : chooser.guess('b') ? 'no yes' : 'no no'),
      100,
    );

    expect(leaves.map(({ value }) => value).toSorted()).toEqual(['no no', 'no yes', 'yes']);
  });
});

const judge = (reached: boolean): Verdict => (reached ? 'reachable' : 'unreachable');

describe('combineVerdict', () => {
  const verdictOf = (walk: (chooser: Chooser) => boolean): string => combineVerdict(explore(walk, 1000).leaves, judge);

  it.each<{ title: string; walk: (chooser: Chooser) => boolean; verdict: string }>([
    { title: 'one way that works', walk: () => true, verdict: 'reachable' },
    { title: 'one way that does not', walk: () => false, verdict: 'unreachable' },
    { title: 'all back ends work', walk: (c) => c.pick('a', [1, 1]) >= 0, verdict: 'reachable' },
    { title: 'one of two back ends works', walk: (c) => c.pick('a', [1, 1]) === 1, verdict: 'partial' },
    { title: 'a fact that does not matter', walk: (c) => c.guess('a') || true, verdict: 'reachable' },
    { title: 'a fact that decides', walk: (c) => c.guess('a'), verdict: 'undetermined' },
    {
      title: 'a fact behind one back end, where the other fails',
      walk: (c) => c.pick('a', [1, 1]) === 1 && c.guess('b'),
      verdict: 'undetermined',
    },
    {
      title: 'a fact that chooses between two partial answers',
      walk: (c) => (c.guess('a') ? c.pick('b', [1, 1]) === 0 : c.pick('c', [1, 1]) === 0),
      verdict: 'partial',
    },
    {
      title: 'dice within dice',
      walk: (c) => c.pick('a', [1, 1]) === 0 || c.pick('b', [1, 1]) === 0,
      verdict: 'partial',
    },
  ])('$title: $verdict', ({ walk, verdict }) => {
    expect(verdictOf(walk)).toBe(verdict);
  });

  it('of nothing is undetermined', () => {
    expect(combineVerdict<boolean>([], judge)).toBe('undetermined');
  });

  it('of dice alone is decided by whether some or all outcomes reach', () => {
    fc.assert(
      fc.property(tree(4), fc.integer({ min: 0, max: 9 }), (root, threshold) => {
        const { leaves } = explore((chooser) => walkTree(root, chooser), 10_000);
        const reaches = (value: number): boolean => value >= threshold;
        const reached = leaves.filter(({ value }) => reaches(value)).length;

        const verdict = combineVerdict(leaves, (value) => judge(reaches(value)));

        expect(verdict).toBe(reached === leaves.length ? 'reachable' : reached === 0 ? 'unreachable' : 'partial');
      }),
    );
  });

  it('does not depend on the order of the leaves', () => {
    const mixed = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(mixed, ([a, b, c, d]) => {
        const walk = (chooser: Chooser): boolean =>
          chooser.guess('fact') ? (chooser.pick('x', [1, 1]) === 0 ? a : b) : chooser.pick('x', [1, 1]) === 0 ? c : d;
        const leaves: Leaf<boolean>[] = explore(walk, 100).leaves;

        expect(combineVerdict(leaves.toReversed(), judge)).toBe(combineVerdict(leaves, judge));
      }),
    );
  });
});
