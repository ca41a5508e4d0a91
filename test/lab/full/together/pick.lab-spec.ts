import { CLUSTERS } from '../clusters.js';
import { Target } from '../target.js';
import { OBSTACLES } from './obstacles.js';
import { pickObstacles } from './pick.js';

const targets = CLUSTERS.map((lab) => new Target(lab));
const seeds = Array.from({ length: 50 }, (_, seed) => seed);

describe('pickObstacles', () => {
  it('takes what fits, as many as are asked for, and none twice', () => {
    for (const target of targets)
      for (const seed of seeds) {
        const picked = pickObstacles(target, 3, seed);
        expect(new Set(picked.map(({ name }) => name)).size).toBe(3);
        expect(picked.filter(({ fits }) => !(fits?.(target) ?? true))).toEqual([]);
      }
  });

  it('takes one obstacle of a decision that is made once', () => {
    for (const target of targets)
      for (const seed of seeds) {
        const decisions = pickObstacles(target, 3, seed).flatMap(({ decision }) => decision ?? []);
        expect(new Set(decisions).size).toBe(decisions.length);
      }
  });

  it('is the same for the same seed, and takes every obstacle sometimes', () => {
    const names = (seed: number) => targets.flatMap((target) => pickObstacles(target, 3, seed).map(({ name }) => name));

    expect(names(7)).toEqual(names(7));
    expect(new Set(seeds.flatMap(names)).size).toBe(OBSTACLES.length);
  });
});
