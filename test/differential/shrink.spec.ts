import { shrinkList } from './shrink.js';

describe('shrinkList', () => {
  it.each([
    { needed: [3], of: 10 },
    { needed: [0, 9], of: 10 },
    { needed: [2, 5, 6], of: 17 },
  ])('keeps only $needed of $of', async ({ needed, of }) => {
    const list = Array.from({ length: of }, (_, index) => index);

    const kept = await shrinkList(list, (some) => Promise.resolve(needed.every((one) => some.includes(one))));

    expect(kept).toEqual(needed);
  });
});
