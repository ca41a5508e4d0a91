import { compare } from '../../../test/policy/compare.js';
import type { Language } from '../../../test/policy/random-world.js';

// The short form of `npm run fuzz:policy`.
describe('PolicyIndex against an evaluator that only follows the documentation', () => {
  it.each<{ languages: readonly Language[] }>([
    { languages: ['kubernetes'] },
    { languages: ['kubernetes', 'admin'] },
    { languages: ['calico'] },
    { languages: ['kubernetes', 'admin', 'calico'] },
  ])('agrees on $languages', ({ languages }) => {
    const { differences, flows, denied } = compare(languages, 20_261_125, 100, 20);

    expect(differences.map(({ seed, ours, theirs }) => `seed ${seed}: ${ours}, expected ${theirs}`)).toEqual([]);
    expect(flows).toBe(2000);
    // A run in which nothing is denied would prove nothing.
    expect(denied).toBeGreaterThan(200);
  });
});
