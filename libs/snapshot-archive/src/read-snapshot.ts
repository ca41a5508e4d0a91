import { stat } from 'node:fs/promises';
import type { Snapshot } from '#libs/model';
import type { SnapshotLimits } from './limits.js';
import { Problems } from './problems.js';
import { readSnapshotArchive } from './read-archive.js';
import { readSnapshotDirectory } from './read-directory.js';

/** Reads a snapshot from a path, be it a directory or a .tar.gz. */
export async function readSnapshot(path: string, limits: Partial<SnapshotLimits> = {}): Promise<Snapshot> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    return new Problems().stop('SNAPSHOT_UNREADABLE', path, 'is not there; name a snapshot directory or a .tar.gz');
  return found.isDirectory() ? readSnapshotDirectory(path, limits) : readSnapshotArchive(path, limits);
}
