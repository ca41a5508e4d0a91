import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Snapshot } from '#libs/model';
import { writeSnapshotArchive } from '#libs/snapshot-archive';
import { askCli, type Answer } from '../ask-cli.js';
import type { LabPair } from '../cases/pairs.js';

/** What the program answers about a snapshot that was just taken. `keepAs`: where its archive stays. */
export async function askAbout(
  snapshot: Snapshot,
  pairs: readonly LabPair[],
  keepAs: string | undefined,
): Promise<ReadonlyMap<string, Answer>> {
  const folder = await mkdtemp(join(tmpdir(), 'hopscope-lab-'));
  try {
    const archive = keepAs ?? join(folder, 'snapshot.tar.gz');
    await writeFile(archive, await writeSnapshotArchive(snapshot));
    return await askCli(archive, pairs);
  } finally {
    await rm(folder, { recursive: true });
  }
}
