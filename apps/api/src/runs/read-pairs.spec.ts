import { HopscopeError } from '#libs/model';
import { Readable } from 'node:stream';
import { readPairs } from './read-pairs.js';

async function read(...lines: string[]) {
  const pairs = [];
  for await (const pair of readPairs(Readable.from([Buffer.from(lines.join('\n'))]), 1_000_000)) pairs.push(pair);
  return pairs;
}

const GOOD = '{"id": 7, "source": "10.0.0.1", "destination": "node/n1", "port": 80, "protocol": "udp"}';

describe('readPairs', () => {
  it('gives a pair per line and skips empty lines', async () => {
    const pairs = await read(GOOD, '', GOOD.replace('7', '8'));

    expect(pairs.map(({ id, protocol }) => [id, protocol])).toEqual([
      [7, 'udp'],
      [8, 'udp'],
    ]);
  });

  it('tells every bad line at once, with its place', async () => {
    const error = await read(GOOD, '{broken', '{"source": "nobody", "destination": "10.0.0.1", "port": 0}').catch(
      (thrown: unknown) => thrown,
    );

    expect(error).toBeInstanceOf(HopscopeError);
    expect(error instanceof HopscopeError && error.problems.map(({ path, code }) => `${path} ${code}`)).toEqual([
      '/pairs/1 INVALID_JSON',
      '/pairs/2/source INVALID_REFERENCE',
      '/pairs/2/port INVALID_PORT',
    ]);
  });

  it('refuses an empty list', async () => {
    await expect(read('')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});
