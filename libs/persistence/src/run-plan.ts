import { v7 as uuidv7 } from 'uuid';
import type pg from 'pg';
import { transaction, type Database } from './database.js';
import { pairKey, type RunPair } from './pair.js';
import type { PlannedRun } from './repositories.js';
import { storedPairs } from './run-intake.js';
import { finishRun } from './run-finish.js';
import { requireRun } from './run-row.js';
import { storableJson } from './storable.js';

/** 20-50 ms of work (shared/design/performance.md): the queue's cost vanishes, and a killed worker loses little. */
export const DEFAULT_CHUNK_SIZE = 500;

/** Cuts a run into chunks, once; two that plan at the same time are told apart by the row's lock. */
export async function planRun({ pool }: Database, id: string, chunkSize = DEFAULT_CHUNK_SIZE): Promise<PlannedRun> {
  await requireRun(pool, id);
  await pool.query(
    `UPDATE runs SET state = 'planning', started_at = coalesce(started_at, now()), touched_at = now()
     WHERE id = $1 AND state IN ('queued', 'planning', 'collecting')`,
    [id],
  );
  await transaction(pool, async (session) => {
    const sql = `SELECT cluster_name, total FROM runs WHERE id = $1 AND state = 'planning' FOR NO KEY UPDATE`;
    const run = (await session.query<{ cluster_name: string; total: number | null }>(sql, [id])).rows[0];
    if (run === undefined) return;
    if (run.total === null) await cutIntoChunks(session, id, run.cluster_name, chunkSize);
    await session.query(`UPDATE runs SET state = 'running', touched_at = now() WHERE id = $1`, [id]);
    // A run without pairs has nothing to wait for.
    await finishRun(session, id);
  });
  const run = await requireRun(pool, id);
  return { run, chunkIds: run.state === 'running' ? await unanswered(pool, id) : [] };
}

async function unanswered(pool: pg.Pool, id: string): Promise<string[]> {
  const sql = `SELECT id FROM chunks WHERE run_id = $1 AND state IN ('pending', 'running') ORDER BY position`;
  return (await pool.query<{ id: string }>(sql, [id])).rows.map((row) => row.id);
}

async function cutIntoChunks(session: pg.PoolClient, id: string, cluster: string, chunkSize: number): Promise<void> {
  const seen = new Set<string>();
  let chunk: RunPair[] = [];
  let position = 0;
  const flush = async () => {
    const sql = 'INSERT INTO chunks (id, run_id, position, pairs, pair_count) VALUES ($1, $2, $3, $4, $5)';
    if (chunk.length > 0) await session.query(sql, [uuidv7(), id, position++, storableJson(chunk), chunk.length]);
    chunk = [];
  };
  for await (const pair of storedPairs(session, id)) {
    const key = pairKey(cluster, pair);
    if (seen.has(key)) continue;
    seen.add(key);
    chunk.push(pair);
    if (chunk.length === chunkSize) await flush();
  }
  await flush();
  await session.query('UPDATE runs SET total = $2 WHERE id = $1', [id, seen.size]);
  await session.query('DELETE FROM run_batches WHERE run_id = $1', [id]);
}
