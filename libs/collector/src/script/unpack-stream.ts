import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { HopscopeError } from '#libs/model';
import { extract } from 'tar-stream';
import { readLines } from './read-lines.js';

const MiB = 1024 * 1024;

export interface StreamLimits {
  readonly bytes: number;
  readonly fileBytes: number;
  readonly files: number;
}

/** A node with 10,000 services and 250 pods is some 100 MiB. */
const DEFAULTS: StreamLimits = { bytes: 512 * MiB, fileBytes: 64 * MiB, files: 20_000 };

export interface Unpacked {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly truncated: boolean;
  readonly bytes: number;
}

/** The whole files of a stream by path. Nothing is written anywhere; the paths are checked where they are used. */
export async function unpackStream(
  stream: AsyncIterable<Uint8Array>,
  limits: Partial<StreamLimits>,
): Promise<Unpacked> {
  const files = new FileCollection({ ...DEFAULTS, ...limits });
  const [first, whole] = await peek(files.count(stream));
  const plain = first[0] === 0x1f && first[1] === 0x8b ? files.count(gunzip(whole)) : whole;
  const [head, bytes] = await peek(plain);
  const truncated =
    head.subarray(0, 14).toString('latin1') === 'hopscope-file '
      ? await readLines(bytes, files)
      : await readTar(bytes, files);
  return { files: files.all, truncated, bytes: files.seen };
}

/** Keeps files within limits. */
class FileCollection {
  readonly all = new Map<string, Buffer>();
  seen = 0;

  constructor(private readonly limits: StreamLimits) {}

  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    let seen = 0;
    for await (const chunk of chunks) {
      seen += chunk.length;
      this.seen = Math.max(this.seen, seen);
      if (seen > this.limits.bytes) throw tooLarge(`more than ${this.limits.bytes} bytes`);
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
  }

  checkSize(path: string, bytes: number): void {
    if (bytes > this.limits.fileBytes)
      throw tooLarge(`${JSON.stringify(path)} with more than ${this.limits.fileBytes} bytes`);
  }

  add(path: string, content: Buffer): void {
    if (this.all.size >= this.limits.files) throw tooLarge(`more than ${this.limits.files} files`);
    this.all.set(path.replace(/^\.\//, ''), content);
  }
}

function tooLarge(what: string): HopscopeError {
  return new HopscopeError(
    'COLLECTOR_OUTPUT_TOO_LARGE',
    `the collector sent ${what}; name fewer pods, or raise the limit`,
  );
}

/** True when the tar was cut off. */
async function readTar(bytes: AsyncIterable<Buffer>, files: FileCollection): Promise<boolean> {
  const unpacked = extract();
  const end = new EndOfTar();
  const feeding = pipeline(Readable.from(end.watch(bytes)), unpacked);
  // Whoever reads the entries hears of the same failure.
  feeding.catch(() => undefined);
  try {
    for await (const entry of unpacked) {
      const { name, size = 0, type } = entry.header;
      files.checkSize(name, size);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
      if (type === 'file') files.add(name, Buffer.concat(chunks));
    }
    await feeding;
  } catch (error) {
    if (end.failure !== undefined) throw end.failure;
    // The stream was over in the middle of a file, or is no tar at all; then there are no files.
    if (!(error instanceof HopscopeError)) return true;
    throw error;
  }
  return !end.isSeen;
}

/** Two blocks of zeros end a tar (POSIX pax, "ustar Interchange Format"). */
class EndOfTar {
  private tail = Buffer.alloc(0);
  /** What broke the stream itself. */
  failure: Error | undefined;

  async *watch(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of bytes) {
        this.tail = Buffer.concat([this.tail, chunk.subarray(-1024)]).subarray(-1024);
        yield chunk;
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw this.failure;
    }
  }

  get isSeen(): boolean {
    return this.tail.length === 1024 && this.tail.every((byte) => byte === 0);
  }
}

async function* gunzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inflated = Readable.from(chunks).pipe(createGunzip());
  try {
    for await (const chunk of inflated) if (Buffer.isBuffer(chunk)) yield chunk;
  } catch (error) {
    // Cut off: what came out so far is good.
    if (!(typeof error === 'object' && error !== null && 'code' in error && error.code === 'Z_BUF_ERROR')) throw error;
  }
}

async function peek(chunks: AsyncIterable<Buffer>): Promise<readonly [Buffer, AsyncGenerator<Buffer>]> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let done = false;
  while (head.length < 14 && !done) {
    const next = await iterator.next();
    if (next.done === true) done = true;
    else head = Buffer.concat([head, next.value]);
  }
  async function* again(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  }
  return [head, again()];
}
