import fc from 'fast-check';
import { MAX_LINE, readLines, type InputLine } from './read-lines.js';

async function linesOf(chunks: readonly (Buffer | string)[]): Promise<InputLine[]> {
  const lines: InputLine[] = [];
  for await (const line of readLines(stream(chunks))) lines.push(line);
  return lines;
}

async function* stream(chunks: readonly (Buffer | string)[]) {
  yield* chunks;
}

describe('readLines', () => {
  it('gives the same lines however the input is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n', '\r'), maxLength: 60 }),
        fc.array(fc.nat(200), { maxLength: 8 }),
        async (text, cuts) => {
          const bytes = Buffer.from(text);
          const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
          const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));

          const lines = await linesOf(chunks);

          const expected = text.split('\n');
          if (expected.at(-1) === '') expected.pop();
          expect(lines).toEqual(expected.map((line, index) => ({ kind: 'line', number: index + 1, text: line })));
        },
      ),
    );
  });

  it('drops a line that is too long and goes on with the next', async () => {
    const chunk = 'x'.repeat(MAX_LINE / 2);

    const lines = await linesOf([chunk, chunk, chunk, '\nnext\n']);

    expect(lines).toEqual([
      { kind: 'too-long', number: 1 },
      { kind: 'line', number: 2, text: 'next' },
    ]);
  });
});
