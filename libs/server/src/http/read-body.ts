import { HopscopeError } from '#libs/model';
import type { Readable } from 'node:stream';

const MAX_LINE_BYTES = 64 * 1024;

/** The whole body. Throws `code` once more than `limitBytes` came; the rest is not read. */
export async function readBody(body: Readable, limitBytes: number, code = 'BODY_TOO_LARGE'): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of limited(body, limitBytes, code)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The lines of a body without their ends, empty ones included so that numbers are right. */
export async function* readLines(body: Readable, limitBytes: number): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of limited(body, limitBytes, 'BODY_TOO_LARGE')) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      yield lineText(rest, chunk.subarray(from, end));
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length > MAX_LINE_BYTES) throw lineTooLarge();
  }
  if (rest.length > 0) yield lineText(rest, Buffer.alloc(0));
}

function lineText(start: Buffer, end: Buffer): string {
  if (start.length + end.length > MAX_LINE_BYTES) throw lineTooLarge();
  return Buffer.concat([start, end]).toString('utf8').replace(/\r$/, '');
}

function lineTooLarge(): HopscopeError {
  return new HopscopeError('BODY_TOO_LARGE', `a line is longer than ${MAX_LINE_BYTES} bytes; write one pair a line`);
}

async function* limited(body: Readable, limitBytes: number, code: string): AsyncGenerator<Buffer> {
  let bytes = 0;
  // The stream stays open when we stop early: an answer still has to go out on its socket.
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    const buffer: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += buffer.length;
    if (bytes > limitBytes) throw new HopscopeError(code, `the body is larger than the limit of ${limitBytes} bytes`);
    yield buffer;
  }
}
