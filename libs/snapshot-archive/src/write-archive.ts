import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Snapshot } from '#libs/model';
import { pack } from 'tar-stream';
import { snapshotFiles } from './snapshot-files.js';

// Byte 9 of a gzip names the system that made it (RFC 1952 §2.3.1); 255 is "unknown".
const GZIP_OS_OFFSET = 9;
const GZIP_OS_UNKNOWN = 255;

/** The .tar.gz of a snapshot. Equal snapshots give equal bytes: sorted names, no times, no owners. */
export async function writeSnapshotArchive(snapshot: Snapshot): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, text] of snapshotFiles(snapshot)) tar.entry({ name, mode: 0o644, mtime: new Date(0) }, text);
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('tar-stream gave something else than bytes');
    chunks.push(chunk);
  }
  const bytes = await promisify(gzip)(Buffer.concat(chunks), { level: 9 });
  bytes[GZIP_OS_OFFSET] = GZIP_OS_UNKNOWN;
  return bytes;
}
