import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HopscopeError, type Snapshot } from '#libs/model';
import { snapshotFiles } from './snapshot-files.js';

/** Writes a snapshot into a new or empty directory. Refuses another: old files would mix with new ones. */
export async function writeSnapshotDirectory(snapshot: Snapshot, dir: string): Promise<void> {
  const files = snapshotFiles(snapshot);
  await mkdir(dir, { recursive: true });
  if ((await readdir(dir)).length > 0)
    throw new HopscopeError('SNAPSHOT_DIRECTORY_NOT_EMPTY', `${dir} is not empty; name a new directory or empty it`);
  for (const [path, text] of files) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}
