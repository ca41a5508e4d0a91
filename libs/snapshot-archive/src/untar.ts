import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { HopscopeError } from '#libs/model';
import { extract, type Header } from 'tar-stream';
import { checkEntryPath } from './entry-path.js';
import { errorCode } from './error-code.js';
import type { SnapshotLimits } from './limits.js';
import { printable, type Problems } from './problems.js';

// What a tar needs around its files: a header and padding for each, twice for pax, and zeros at the end.
const OVERHEAD_PER_ENTRY = 4096;
const OVERHEAD_BYTES = 2 * 1024 * 1024;
const END_OF_ARCHIVE = 1024;
const FILE_TYPES: ReadonlySet<string> = new Set(['file', 'contiguous-file']);

/**
 * Unpacks a .tar.gz into memory, keeping only files that `wanted` names. Stops inflating as soon as a limit is passed;
 * what is wrong with single entries goes to `problems`.
 */
export async function untar(
  compressed: AsyncIterable<Uint8Array>,
  limits: SnapshotLimits,
  problems: Problems,
  wanted: (fileName: string) => boolean,
): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const seen = new Set<string>();
  const budget = new Budget(limits, problems);
  const unpacked = extract();
  unpacked.on('entry', (header, body, next) => {
    // What breaks an entry's stream also ends the pipeline, which reports it.
    body.on('error', () => undefined);
    try {
      budget.entry();
      const path = acceptEntry(header, seen, limits, problems);
      const keep = path !== undefined && wanted(path.slice(path.lastIndexOf('/') + 1));
      const chunks: Uint8Array[] = [];
      body.on('data', (chunk) => {
        if (!Buffer.isBuffer(chunk)) throw new TypeError('tar-stream gave something else than bytes');
        budget.deliver(chunk.length);
        if (keep) chunks.push(chunk);
      });
      body.on('end', () => {
        if (keep) files.set(path, Buffer.concat(chunks));
        next();
      });
    } catch (error) {
      unpacked.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  try {
    await pipeline(
      Readable.from(budget.countIn(compressed)),
      createGunzip(),
      (inflated) => budget.countOut(inflated),
      unpacked,
    );
  } catch (error) {
    throw explain(error, problems);
  }
  if (!budget.endSeen())
    problems.stop(
      'SNAPSHOT_TRUNCATED',
      problems.subject,
      'the tar has no end marker, so it was cut off; make it again',
    );
  return files;
}

function acceptEntry(
  header: Header,
  seen: Set<string>,
  limits: SnapshotLimits,
  problems: Problems,
): string | undefined {
  // tar-stream gives the body of a folder no end unless it is empty: its end would be waited for for ever.
  if (header.type === 'directory' && header.size !== 0)
    problems.stop('SNAPSHOT_TAR_INVALID', header.name, 'is a folder that says it has bytes; pack it with `tar czf`');
  const checked = checkEntryPath(header.name, limits);
  if (checked.kind === 'refused') {
    problems.add(checked.code, header.name, checked.message);
    return undefined;
  }
  if (header.type === 'directory') return undefined;
  if (!FILE_TYPES.has(String(header.type))) {
    problems.add(
      'SNAPSHOT_ENTRY_TYPE',
      header.name,
      `is a ${header.type ?? 'special file'}; only plain files and folders are read`,
    );
    return undefined;
  }
  if ((header.size ?? 0) > limits.fileBytes)
    problems.stop(
      'SNAPSHOT_TOO_LARGE',
      header.name,
      `is larger than ${limits.fileBytes} bytes, the limit for one file`,
    );
  const path = checked.segments.join('/');
  if (path === '' || header.name.endsWith('/')) return undefined;
  if (seen.has(path)) {
    problems.add('SNAPSHOT_DUPLICATE_ENTRY', path, 'stands in the archive more than once');
    return undefined;
  }
  seen.add(path);
  return path;
}

/** Counts what goes in and comes out, and says stop. */
class Budget {
  private compressed = 0;
  private unpacked = 0;
  private delivered = 0;
  private entries = 0;
  private tail = Buffer.alloc(0);

  constructor(
    private readonly limits: SnapshotLimits,
    private readonly problems: Problems,
  ) {}

  async *countIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.compressed += chunk.length;
      if (this.compressed > this.limits.compressedBytes)
        this.problems.stop(
          'SNAPSHOT_TOO_LARGE',
          this.problems.subject,
          `is larger than ${this.limits.compressedBytes} bytes`,
        );
      yield chunk;
    }
  }

  async *countOut(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.unpacked += chunk.length;
      this.tail = Buffer.concat([this.tail, chunk]).subarray(-END_OF_ARCHIVE);
      this.check();
      yield chunk;
    }
  }

  entry(): void {
    if (++this.entries > this.limits.entries)
      this.problems.stop(
        'SNAPSHOT_TOO_MANY_ENTRIES',
        this.problems.subject,
        `holds more than ${this.limits.entries} entries`,
      );
  }

  deliver(bytes: number): void {
    this.delivered += bytes;
  }

  /** Two blocks of zeros end a tar (POSIX pax, "ustar Interchange Format"). */
  endSeen(): boolean {
    return this.tail.length === END_OF_ARCHIVE && this.tail.every((byte) => byte === 0);
  }

  private check(): void {
    const { limits, problems, unpacked } = this;
    if (unpacked > limits.unpackedBytes)
      problems.stop('SNAPSHOT_TOO_LARGE', problems.subject, `unpacks to more than ${limits.unpackedBytes} bytes`);
    if (unpacked > limits.ratioAfterBytes && unpacked > this.compressed * limits.ratio)
      problems.stop('SNAPSHOT_TOO_LARGE', problems.subject, `unpacks to more than ${limits.ratio} times its size`);
    if (unpacked - this.delivered > OVERHEAD_BYTES + this.entries * OVERHEAD_PER_ENTRY)
      problems.stop(
        'SNAPSHOT_TAR_INVALID',
        problems.subject,
        'holds megabytes that belong to no file; is it a tar at all?',
      );
  }
}

function explain(error: unknown, problems: Problems): unknown {
  if (error instanceof HopscopeError) return error;
  const code = errorCode(error);
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
  if (code === 'Z_BUF_ERROR' || message === 'Unexpected end of data')
    return problemOf(problems, 'SNAPSHOT_TRUNCATED', 'ends too early: it was cut off; make or copy it again');
  if (code.startsWith('Z_'))
    return problemOf(
      problems,
      'SNAPSHOT_GZIP_INVALID',
      `the gzip is damaged (${printable(message)}); make or copy it again`,
    );
  if (/tar header|Invalid header|Header exceeds|pax/i.test(message))
    return problemOf(
      problems,
      'SNAPSHOT_TAR_INVALID',
      'is a gzip, but what is in it is no tar; pack it with `tar czf`',
    );
  return error;
}

function problemOf(problems: Problems, code: string, message: string): unknown {
  try {
    return problems.stop(code, problems.subject, message);
  } catch (error) {
    return error;
  }
}
