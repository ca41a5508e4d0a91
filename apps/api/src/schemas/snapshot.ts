import { z } from 'zod';
import { ClusterName } from './cluster.js';
import { listOf, PAGE_QUERY } from './list.js';

export const Snapshot = z
  .object({
    id: z.string(),
    cluster: z.string(),
    takenAt: z.string(),
    collector: z.string(),
    nodes: z.array(
      z.object({
        name: z.string(),
        takenAt: z.string().optional(),
        error: z.string().nullable().meta({ description: "Why the node's dump is missing or partial." }),
      }),
    ),
    sizeBytes: z.int(),
    sha256: z.string().meta({ description: 'Of the archive, hex.' }),
    createdAt: z.string(),
  })
  .meta({ id: 'Snapshot' });
export const SnapshotList = listOf(Snapshot, 'SnapshotList');

export const UploadQuery = z.strictObject({
  cluster: ClusterName.optional().meta({ description: 'The cluster; else the one that snapshot.json names.' }),
});
export const SnapshotListQuery = z.strictObject({ ...PAGE_QUERY, cluster: ClusterName.optional() });
