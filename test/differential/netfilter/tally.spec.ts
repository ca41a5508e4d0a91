import { compareTallies, count, portsKey, type Tally } from './tally.js';

describe('compareTallies', () => {
  it('names what was counted differently, on either side', () => {
    const predicted: Tally = new Map([
      ['rule a', 2],
      ['rule b', 1],
    ]);
    const seen: Tally = new Map([['rule a', 2]]);
    count(seen, 'rule c', 3);

    expect(compareTallies(predicted, seen)).toEqual(['rule b: kernel 0, hopscope 1', 'rule c: kernel 3, hopscope 0']);
  });

  it('counts nothing when a counter did not move', () => {
    const tally: Tally = new Map();
    count(tally, 'rule a', 0);

    expect(tally.size).toBe(0);
  });
});

describe('portsKey', () => {
  it.each([
    { sport: 20000, dport: 80, key: '20000 80' },
    { sport: 0x0301, dport: 4711, key: '769 *' },
  ])('$sport $dport', ({ sport, dport, key }) => {
    expect(portsKey(sport, dport)).toBe(key);
  });
});
