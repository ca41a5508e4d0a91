import { StringDecoder } from 'node:string_decoder';

export type InputLine =
  | { readonly kind: 'line'; readonly number: number; readonly text: string }
  | { readonly kind: 'too-long'; readonly number: number };

/** A pair has some hundred characters; whoever sends more in one line sends no pairs. */
export const MAX_LINE = 64 * 1024;

/** Splits a stream into lines, keeping one line in memory at most. A last line without an end is a line, nothing is not. */
export async function* readLines(chunks: AsyncIterable<unknown>): AsyncGenerator<InputLine> {
  const decoder = new StringDecoder('utf8');
  let number = 1;
  let pending = '';
  let tooLong = false;
  const take = (part: string) => {
    tooLong ||= pending.length + part.length > MAX_LINE;
    pending = tooLong ? '' : pending + part;
  };
  const finish = (): InputLine => {
    const line: InputLine = tooLong ? { kind: 'too-long', number } : { kind: 'line', number, text: pending };
    number++;
    pending = '';
    tooLong = false;
    return line;
  };
  for await (const chunk of chunks) {
    const parts = (Buffer.isBuffer(chunk) ? decoder.write(chunk) : String(chunk)).split('\n');
    for (const [index, part] of parts.entries()) {
      if (index > 0) yield finish();
      take(part);
    }
  }
  take(decoder.end());
  if (pending !== '' || tooLong) yield finish();
}
