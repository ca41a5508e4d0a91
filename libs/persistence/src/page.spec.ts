import { cutPage, pageWindow } from './page.js';

const rows = [3, 2, 1].map((n) => ({ at: new Date(n * 1000), key: `row${n}` }));
const cut = (size: number) =>
  cutPage(
    rows,
    size,
    (row) => row,
    ({ key }) => key,
  );

describe('pages', () => {
  it('give a token that leads on where they end, and none at the end', () => {
    const { items, nextPageToken } = cut(2);

    expect(items).toEqual(['row3', 'row2']);
    expect(pageWindow({ pageToken: nextPageToken ?? '' }).after).toEqual({ at: new Date(2000), key: 'row2' });
    expect(cut(3).nextPageToken).toBeNull();
  });

  it.each(['', 'x', 'e30', Buffer.from('["2026-01-01T00:00:00Z"]').toString('base64url')])(
    'refuse the foreign token "%s"',
    (pageToken) => {
      expect(() => pageWindow({ pageToken })).toThrow(
        expect.objectContaining({
          code: 'INVALID_PAGE_TOKEN',
          problems: [expect.objectContaining({ path: '/pageToken' })],
        }),
      );
    },
  );

  it.each([0, 1001, 1.5, Number.NaN])('refuse the size %s', (pageSize) => {
    expect(() => pageWindow({ pageSize })).toThrow(expect.objectContaining({ code: 'INVALID_PAGE_SIZE' }));
  });
});
