import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { clusterNotFound } from './cluster-store.js';
import { FOREIGN_KEY_VIOLATION, isRowId, sqlState, transaction, type Database } from './database.js';
import type { Snapshot } from './generated/client.js';
import { ownJson } from './json.js';
import { cutPage, pageWindow } from './page.js';
import type { SnapshotNode, SnapshotRecord } from './records.js';
import type { SnapshotRepository } from './repositories.js';
import { storableJson, storableText } from './storable.js';

const Nodes = ownJson<readonly SnapshotNode[]>();

export function snapshotStore({ prisma, pool }: Database): SnapshotRepository {
  return {
    async create({ cluster, takenAt, collector, nodes }, archive) {
      const id = uuidv7();
      const sha256 = createHash('sha256').update(archive).digest('hex');
      try {
        await transaction(pool, async (session) => {
          await session.query(
            `INSERT INTO snapshots (id, cluster_name, taken_at, collector, nodes, size_bytes, sha256)
             VALUES ($1, $2, $3, $4, $5, $6, $7)`,
            [id, cluster, takenAt, storableText(collector), storableJson(nodes), archive.byteLength, sha256],
          );
          // Through pg and not Prisma, which would carry the bytes as base64.
          await session.query('INSERT INTO snapshot_archives (snapshot_id, bytes) VALUES ($1, $2)', [id, archive]);
        });
      } catch (error) {
        throw sqlState(error) === FOREIGN_KEY_VIOLATION ? clusterNotFound(cluster) : error;
      }
      return record(await prisma.snapshot.findUniqueOrThrow({ where: { id } }));
    },
    async get(id) {
      if (!isRowId(id)) return undefined;
      const row = await prisma.snapshot.findUnique({ where: { id } });
      return row === null ? undefined : record(row);
    },
    async archive(id) {
      if (!isRowId(id)) return undefined;
      const sql = 'SELECT bytes FROM snapshot_archives WHERE snapshot_id = $1';
      return (await pool.query<{ bytes: Buffer }>(sql, [id])).rows[0]?.bytes;
    },
    async list({ cluster, ...page } = {}) {
      const { size, after } = pageWindow(page);
      if (after !== undefined && !isRowId(after.key)) return { items: [], nextPageToken: null };
      const rows = await prisma.snapshot.findMany({
        where: {
          ...(cluster !== undefined && { clusterName: storableText(cluster) }),
          ...(after && { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.key } }] }),
        },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: size + 1,
      });
      return cutPage(rows, size, (row) => ({ at: row.createdAt, key: row.id }), record);
    },
    async newest(cluster, maxAgeSeconds) {
      const oldest = maxAgeSeconds === undefined ? undefined : new Date(Date.now() - maxAgeSeconds * 1000);
      const row = await prisma.snapshot.findFirst({
        where: { clusterName: storableText(cluster), ...(oldest && { takenAt: { gte: oldest } }) },
        orderBy: [{ takenAt: 'desc' }, { createdAt: 'desc' }, { id: 'desc' }],
      });
      return row === null ? undefined : record(row);
    },
  };
}

function record(row: Snapshot): SnapshotRecord {
  return {
    id: row.id,
    cluster: row.clusterName,
    takenAt: row.takenAt.toISOString(),
    collector: row.collector,
    nodes: Nodes.parse(row.nodes),
    sizeBytes: row.sizeBytes,
    sha256: row.sha256,
    createdAt: row.createdAt.toISOString(),
  };
}
