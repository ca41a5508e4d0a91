import { Readable } from 'node:stream';
import { readBody, readLines } from './read-body.js';

async function lines(...chunks: string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const line of readLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), 1_000_000))
    found.push(line);
  return found;
}

describe('readLines', () => {
  it.each([
    { chunks: ['a\nb\n'], expected: ['a', 'b'] },
    { chunks: ['a', 'b\r', '\nc'], expected: ['ab', 'c'] },
    { chunks: ['\n\na'], expected: ['', '', 'a'] },
    { chunks: [], expected: [] },
  ])('cuts $chunks into $expected', async ({ chunks, expected }) => {
    expect(await lines(...chunks)).toEqual(expected);
  });

  it('keeps a character whose bytes come apart', async () => {
    const bytes = Buffer.from('ä\n');
    const found: string[] = [];

    for await (const line of readLines(Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]), 100)) found.push(line);

    expect(found).toEqual(['ä']);
  });

  it('refuses a line without end', async () => {
    await expect(lines('x'.repeat(40_000), 'x'.repeat(40_000))).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
  });
});

describe('readBody', () => {
  it('stops at the limit, with the code asked for', async () => {
    const body = Readable.from([Buffer.alloc(60), Buffer.alloc(60)]);

    await expect(readBody(body, 100, 'SNAPSHOT_TOO_LARGE')).rejects.toMatchObject({ code: 'SNAPSHOT_TOO_LARGE' });
  });
});
