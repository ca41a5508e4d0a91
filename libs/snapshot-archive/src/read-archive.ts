import { open, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import type { Snapshot } from '#libs/model';
import { assembleSnapshot } from './assemble.js';
import { DUMP_FILES, TOP_FILES } from './dump-files.js';
import { errorCode } from './error-code.js';
import { DEFAULT_LIMITS, type SnapshotLimits } from './limits.js';
import { Problems, printable } from './problems.js';
import { untar } from './untar.js';

const CHUNK = 64 * 1024;

/** Reads a .tar.gz, given as its bytes or its path. Throws HopscopeError SNAPSHOT_* with every problem found. */
export async function readSnapshotArchive(
  source: Uint8Array | string,
  limits: Partial<SnapshotLimits> = {},
): Promise<Snapshot> {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const problems = new Problems(typeof source === 'string' ? source : undefined);
  const chunks = typeof source === 'string' ? fileChunks(source, all, problems) : byteChunks(source);
  const files = await untar(
    gzipOnly(chunks, problems),
    all,
    problems,
    (name) => TOP_FILES.has(name) || DUMP_FILES.has(name),
  );
  return assembleSnapshot(belowTop(files, problems), problems);
}

/** Fails on the first bytes, before anything is inflated, when this is no gzip (RFC 1952 §2.3.1). */
async function* gzipOnly(chunks: AsyncIterable<Uint8Array>, problems: Problems): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of chunks) {
    if (first && chunk.length > 0) {
      if (chunk[0] !== 0x1f || (chunk.length > 1 && chunk[1] !== 0x8b))
        problems.stop(
          'SNAPSHOT_NOT_GZIP',
          problems.subject,
          'is not a gzip file; a snapshot is a directory or a .tar.gz of it',
        );
      first = false;
    }
    yield chunk;
  }
  if (first)
    problems.stop('SNAPSHOT_NOT_GZIP', problems.subject, 'is empty; a snapshot is a directory or a .tar.gz of it');
}

async function* byteChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

async function* fileChunks(path: string, limits: SnapshotLimits, problems: Problems): AsyncGenerator<Uint8Array> {
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) =>
    problems.stop('SNAPSHOT_UNREADABLE', path, `cannot be opened (${errorCode(error)})`),
  );
  try {
    await requirePlainFile(file, path, limits, problems);
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function requirePlainFile(file: FileHandle, path: string, limits: SnapshotLimits, problems: Problems) {
  const stat = await file.stat();
  if (!stat.isFile()) problems.stop('SNAPSHOT_UNREADABLE', path, 'is not a plain file');
  if (stat.size > limits.compressedBytes)
    problems.stop('SNAPSHOT_TOO_LARGE', path, `is larger than ${limits.compressedBytes} bytes`);
}

/** What `tar` was told decides what leads to snapshot.json: nothing, `./`, one folder, a folder in a folder. */
function belowTop(files: ReadonlyMap<string, Buffer>, problems: Problems): Map<string, Buffer> {
  const tops = [...files.keys()].filter((path) => path === 'snapshot.json' || path.endsWith('/snapshot.json'));
  const depth = Math.min(...tops.map((path) => path.split('/').length));
  const [top, second] = tops.filter((path) => path.split('/').length === depth);
  if (top === undefined || depth > 3) {
    problems.add('SNAPSHOT_NO_MANIFEST', 'snapshot.json', 'is not in the archive, so this is no snapshot');
    problems.throwIfAny();
    return new Map();
  }
  if (second !== undefined)
    problems.add(
      'SNAPSHOT_AMBIGUOUS',
      problems.subject,
      `holds more than one snapshot (${printable(top)}, ${printable(second)}); pack one`,
    );
  const prefix = top.slice(0, -'snapshot.json'.length);
  const below = new Map<string, Buffer>();
  for (const [path, content] of files) if (path.startsWith(prefix)) below.set(path.slice(prefix.length), content);
  return below;
}
