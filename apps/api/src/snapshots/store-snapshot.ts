import type { Persistence, SnapshotNode, SnapshotRecord } from '#libs/persistence';
import { validationFailed } from '#libs/server';
import { readSnapshotArchive } from '#libs/snapshot-archive';
import type { ApiLimits } from '../api-limits.js';
import { notFound } from '../http/ids.js';
import { CLUSTER_NAME } from '../schemas/cluster.js';

/** Checks the archive as the worker will read it, then stores it as it came. */
export async function storeSnapshot(
  persistence: Pick<Persistence, 'clusters' | 'snapshots'>,
  archive: Buffer,
  limits: ApiLimits,
  asCluster: string | undefined,
): Promise<SnapshotRecord> {
  const { cluster, takenAt, collector, nodes } = await readSnapshotArchive(archive, {
    compressedBytes: limits.uploadBytes,
    unpackedBytes: limits.unpackedBytes,
  });
  const name = asCluster ?? cluster;
  if (!CLUSTER_NAME.test(name) || (await persistence.clusters.get(name)) === undefined) throw notFound('CLUSTER', name);
  // PostgreSQL's own range is narrower than what a date text may say.
  const time = new Date(takenAt);
  if (Number.isNaN(time.getTime()) || time.getUTCFullYear() < 1970 || time.getUTCFullYear() > 9999)
    throw validationFailed([
      { path: '/takenAt', code: 'INVALID_FORMAT', message: 'of snapshot.json is not a usable time' },
    ]);
  const list = [...nodes].map(([node, state]): SnapshotNode => ({
    name: node,
    error: state.error,
    ...(state.takenAt === undefined ? {} : { takenAt: state.takenAt }),
  }));
  return persistence.snapshots.create({ cluster: name, takenAt: time.toISOString(), collector, nodes: list }, archive);
}
