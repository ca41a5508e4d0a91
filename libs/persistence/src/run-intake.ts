import { createHash, type Hash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { canonicalJson, HopscopeError, normalisePair } from '#libs/model';
import { clusterNotFound } from './cluster-store.js';
import { FOREIGN_KEY_VIOLATION, isRowId, sqlState, UNIQUE_VIOLATION, type Database } from './database.js';
import type { AskedPair, RunPair } from './pair.js';
import type { RunRecord } from './records.js';
import type { NewRun } from './repositories.js';
import { requireRun } from './run-row.js';
import { storable, storableJson } from './storable.js';

/** Rows of a submission hold this many pairs; only one row is ever in memory. */
const BATCH_SIZE = 1000;

interface Accepted {
  readonly run: RunRecord;
  readonly replayed: boolean;
}

/**
 * Writes a run and its pairs. Until all are there it is `receiving`, which nobody sees: no transaction stays open while a slow
 * client uploads. What a crash leaves in that state is dropped by `dropAbandoned`.
 */
export async function acceptRun({ pool }: Database, asked: NewRun): Promise<Accepted> {
  const key = asked.idempotencyKey;
  const earlier = key === undefined ? undefined : await findByKey(pool, key);
  if (earlier !== undefined) return replay(pool, earlier, await hashOf(asked), key);
  await checkSnapshot(pool, asked);
  const id = uuidv7();
  await insertRun(pool, id, asked);
  try {
    const hash = await writePairs(pool, id, asked);
    await pool.query(
      `UPDATE runs SET state = 'queued', idempotency_key = $2, body_hash = $3, touched_at = now() WHERE id = $1`,
      [id, key ?? null, hash],
    );
  } catch (error) {
    const hash =
      key !== undefined && sqlState(error) === UNIQUE_VIOLATION ? await hashOfStored(pool, id, asked) : undefined;
    await pool.query('DELETE FROM runs WHERE id = $1', [id]);
    // Somebody else was faster with the same key.
    const winner = hash === undefined || key === undefined ? undefined : await findByKey(pool, key);
    if (winner === undefined || hash === undefined) throw error;
    return replay(pool, winner, hash, key);
  }
  return { run: await requireRun(pool, id), replayed: false };
}

/** Submissions that were cut off by a crash. */
export async function dropAbandoned({ pool }: Database, olderThanMs: number): Promise<number> {
  const sql = `DELETE FROM runs WHERE state = 'receiving' AND created_at < now() - $1 * interval '1 millisecond'`;
  return (await pool.query(sql, [olderThanMs])).rowCount ?? 0;
}

type Pool = Database['pool'];

interface Earlier {
  readonly id: string;
  readonly body_hash: string;
}

async function findByKey(pool: Pool, key: string): Promise<Earlier | undefined> {
  const sql = 'SELECT id, body_hash FROM runs WHERE idempotency_key = $1';
  return (await pool.query<Earlier>(sql, [key])).rows[0];
}

async function replay(pool: Pool, earlier: Earlier, hash: string, key = ''): Promise<Accepted> {
  if (earlier.body_hash !== hash)
    throw new HopscopeError(
      'IDEMPOTENCY_KEY_REUSED',
      `Idempotency-Key ${key} was used for another request (run ${earlier.id}): use a new key for a new request`,
      {
        problems: [
          { path: '/headers/Idempotency-Key', code: 'IDEMPOTENCY_KEY_REUSED', message: 'was used for another request' },
        ],
      },
    );
  return { run: await requireRun(pool, earlier.id), replayed: true };
}

async function checkSnapshot(pool: Pool, { cluster, snapshot }: NewRun): Promise<void> {
  if (snapshot === undefined) return;
  const sql = 'SELECT 1 FROM snapshots WHERE id = $1 AND cluster_name = $2';
  if (isRowId(snapshot) && (await pool.query(sql, [snapshot, cluster])).rowCount === 1) return;
  throw new HopscopeError('SNAPSHOT_NOT_FOUND', `cluster ${cluster} has no snapshot ${snapshot.slice(0, 64)}`);
}

async function insertRun(pool: Pool, id: string, asked: NewRun): Promise<void> {
  try {
    await pool.query(
      `INSERT INTO runs (id, cluster_name, snapshot_id, max_age_seconds, interactive) VALUES ($1, $2, $3, $4, $5)`,
      [id, asked.cluster, asked.snapshot ?? null, asked.maxAgeSeconds ?? null, asked.interactive ?? false],
    );
  } catch (error) {
    throw sqlState(error) === FOREIGN_KEY_VIOLATION ? clusterNotFound(asked.cluster) : error;
  }
}

async function writePairs(pool: Pool, id: string, asked: NewRun): Promise<string> {
  const hash = startHash(asked);
  let batch: RunPair[] = [];
  let position = 0;
  const flush = async () => {
    const sql = 'INSERT INTO run_batches (run_id, position, pairs) VALUES ($1, $2, $3)';
    if (batch.length > 0) await pool.query(sql, [id, position++, storableJson(batch)]);
    batch = [];
  };
  for await (const pair of asked.pairs) {
    const stored = storedPair(pair);
    addPair(hash, stored);
    batch.push(stored);
    if (batch.length === BATCH_SIZE) await flush();
  }
  await flush();
  return hash.digest('hex');
}

async function hashOf(asked: NewRun): Promise<string> {
  const hash = startHash(asked);
  for await (const pair of asked.pairs) addPair(hash, storedPair(pair));
  return hash.digest('hex');
}

/** The pairs can be read once only, so the loser of a race reads them where it wrote them. */
async function hashOfStored(pool: Pool, id: string, asked: NewRun): Promise<string> {
  const hash = startHash(asked);
  for await (const pair of storedPairs(pool, id)) addPair(hash, pair);
  return hash.digest('hex');
}

/** The submitted pairs, in order, a batch at a time. */
export async function* storedPairs(session: Pick<Pool, 'query'>, runId: string): AsyncGenerator<RunPair> {
  for (let position = 0; ; position++) {
    const sql = 'SELECT pairs FROM run_batches WHERE run_id = $1 AND position = $2';
    const row = (await session.query<{ pairs: RunPair[] }>(sql, [runId, position])).rows[0];
    if (row === undefined) return;
    yield* row.pairs;
  }
}

function storedPair(pair: AskedPair): RunPair {
  const id = pair.id === undefined ? {} : { id: typeof pair.id === 'string' ? String(storable(pair.id)) : pair.id };
  return { ...id, ...normalisePair(pair) };
}

function startHash({ cluster, snapshot, maxAgeSeconds, interactive }: NewRun): Hash {
  const head = [cluster, snapshot ?? null, maxAgeSeconds ?? null, interactive ?? false];
  return createHash('sha256').update(canonicalJson(head));
}

function addPair(hash: Hash, pair: RunPair): void {
  hash.update(`\n${canonicalJson(pair)}`);
}
