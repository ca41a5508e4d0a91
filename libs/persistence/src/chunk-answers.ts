import type pg from 'pg';
import { HopscopeError } from '#libs/model';
import { transaction, type Database } from './database.js';
import { answerRows, type AnswerRows, type ChunkContext, type Hashed, type HashedSuspicion } from './diagnosis-rows.js';
import { pairKey, type RunPair } from './pair.js';
import type { ChunkAnswer, ChunkFailure, Failure, RunRecord } from './records.js';
import { endedEarly, finishRun } from './run-finish.js';
import { requireRun } from './run-row.js';
import { storableJson } from './storable.js';

/** Stores results by (run, pair), any part of a chunk, any number of times. False: the run has ended, nothing was stored. */
export async function storeAnswers(
  { pool }: Database,
  chunkId: string,
  answers: readonly ChunkAnswer[],
  failures: readonly ChunkFailure[],
): Promise<boolean> {
  const context = await chunkContext(pool, chunkId);
  const rows = answerRows(context, answers);
  // Outside the transaction: shared content hurts nobody when the rest fails, and its rows are not locked for long.
  await insertPaths(pool, rows.paths);
  await insertSuspicions(pool, rows.suspicions);
  return transaction(pool, async (session) => {
    // One writer a chunk at a time, also when a job that was thought dead still runs. Asked after the lock: endEarly takes it too.
    await session.query('SELECT 1 FROM chunks WHERE id = $1 FOR NO KEY UPDATE', [chunkId]);
    if (await endedEarly(session, context.runId)) return false;
    if (rows.diagnoses.length > 0) await upsertDiagnoses(session, rows);
    await recount(session, chunkId, keyed(context.cluster, failures));
    return true;
  });
}

/** Ends a chunk. Pairs that have neither answer nor failure fail with `failure`. */
export async function endChunk(
  { pool }: Database,
  chunkId: string,
  failure: Failure,
  state: 'done' | 'failed',
): Promise<RunRecord> {
  const { runId, cluster } = await chunkContext(pool, chunkId);
  await transaction(pool, async (session) => {
    // The run first, then the chunk, everywhere in this order. NO KEY: rows that refer to the run are written meanwhile.
    await session.query('SELECT 1 FROM runs WHERE id = $1 FOR NO KEY UPDATE', [runId]);
    if (await endedEarly(session, runId)) return;
    const sql = 'SELECT pairs, failures, state FROM chunks WHERE id = $1 FOR NO KEY UPDATE';
    const chunk = (await session.query<ChunkRow>(sql, [chunkId])).rows[0];
    if (chunk === undefined) throw chunkNotFound(chunkId);
    const missing = chunk.pairs.filter((pair) => !Object.hasOwn(chunk.failures, pairKey(cluster, pair)));
    await recount(
      session,
      chunkId,
      keyed(
        cluster,
        missing.map((pair) => ({ pair, ...failure })),
      ),
    );
    await session.query(
      `UPDATE chunks SET state = $2, error = $3, claim_owner = NULL, claim_expires_at = NULL
       WHERE id = $1 AND state IN ('pending', 'running')`,
      [chunkId, state, state === 'failed' ? storableJson(failure) : null],
    );
    await finishRun(session, runId);
  });
  return requireRun(pool, runId);
}

interface ChunkRow {
  readonly pairs: readonly RunPair[];
  readonly failures: Readonly<Record<string, unknown>>;
  readonly state: string;
}

async function chunkContext(pool: pg.Pool, chunkId: string): Promise<ChunkContext> {
  const { rows } = await pool.query<ChunkContext>(
    `SELECT c.id AS "chunkId", r.id AS "runId", r.cluster_name AS cluster, r.snapshot_id AS snapshot
     FROM chunks c JOIN runs r ON r.id = c.run_id WHERE c.id = $1`,
    [chunkId],
  );
  const context = rows[0];
  if (context === undefined) throw chunkNotFound(chunkId);
  return context;
}

function chunkNotFound(chunkId: string): HopscopeError {
  return new HopscopeError('CHUNK_NOT_FOUND', `there is no chunk ${chunkId}: its run was deleted`);
}

function keyed(cluster: string, failures: readonly ChunkFailure[]): Record<string, ChunkFailure> {
  return Object.fromEntries(failures.map((failure) => [pairKey(cluster, failure.pair), failure]));
}

/** Sends only bodies that the database does not know (performance.md: sending all of them is 14 times slower). */
async function insertPaths(pool: pg.Pool, paths: readonly Hashed[]): Promise<void> {
  const fresh = await unknown(pool, 'packet_paths', paths);
  if (fresh.length === 0) return;
  await pool.query(
    `INSERT INTO packet_paths (hash, body)
     SELECT hash, body::jsonb FROM unnest($1::text[], $2::text[]) AS t (hash, body)
     ON CONFLICT (hash) DO NOTHING`,
    [fresh.map(({ hash }) => hash), fresh.map(({ json }) => json)],
  );
}

async function insertSuspicions(pool: pg.Pool, suspicions: readonly HashedSuspicion[]): Promise<void> {
  const fresh = await unknown(pool, 'suspicions', suspicions);
  if (fresh.length === 0) return;
  const found = fresh.map(({ suspicion }) => suspicion);
  await pool.query(
    `INSERT INTO suspicions (hash, fingerprint, code, level, layer, blocking, body)
     SELECT hash, fingerprint, code, level, layer, blocking, body::jsonb
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::text[])
       AS t (hash, fingerprint, code, level, layer, blocking, body)
     ON CONFLICT (hash) DO NOTHING`,
    [
      fresh.map(({ hash }) => hash),
      found.map(({ fingerprint }) => fingerprint),
      found.map(({ code }) => code),
      found.map(({ level }) => level),
      found.map(({ layer }) => layer),
      found.map(({ blocking }) => blocking),
      fresh.map(({ json }) => json),
    ],
  );
}

async function unknown<T extends Hashed>(
  pool: pg.Pool,
  table: 'packet_paths' | 'suspicions',
  rows: readonly T[],
): Promise<T[]> {
  if (rows.length === 0) return [];
  const sql = `SELECT hash FROM ${table} WHERE hash = ANY ($1)`;
  const known = await pool.query<{ hash: string }>(sql, [rows.map(({ hash }) => hash)]);
  const hashes = new Set(known.rows.map(({ hash }) => hash));
  return rows.filter(({ hash }) => !hashes.has(hash));
}

const COLUMNS = {
  id: 'text',
  run_id: 'uuid',
  chunk_id: 'uuid',
  cluster_name: 'text',
  snapshot_id: 'uuid',
  pair_key: 'text',
  workload_key: 'text',
  verdict: 'text',
  symptom: 'text',
  source_kind: 'text',
  source_namespace: 'text',
  source_name: 'text',
  source_node: 'text',
  source_ip: 'text',
  destination_kind: 'text',
  destination_namespace: 'text',
  destination_name: 'text',
  destination_node: 'text',
  destination_ip: 'text',
  port: 'int',
  protocol: 'text',
  codes: 'text[]',
  engine_version: 'text',
  path_hash: 'text',
  rest: 'jsonb',
};
const NAMES = Object.keys(COLUMNS).join(', ');
const TYPED = Object.entries(COLUMNS)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');
// created_at stays: a result that is stored again keeps its place in every list.
const CHANGED = Object.keys(COLUMNS)
  .filter((name) => !['id', 'run_id', 'pair_key'].includes(name))
  .map((name) => `${name} = excluded.${name}`)
  .join(', ');

async function upsertDiagnoses(session: pg.PoolClient, { diagnoses, links }: AnswerRows): Promise<void> {
  await session.query(
    `INSERT INTO diagnoses (${NAMES}) SELECT ${NAMES} FROM jsonb_to_recordset($1::jsonb) AS t (${TYPED})
     ON CONFLICT (run_id, pair_key) DO UPDATE SET ${CHANGED}`,
    [storableJson(diagnoses)],
  );
  const ids = diagnoses.map(({ id }) => id);
  await session.query('DELETE FROM diagnosis_suspicions WHERE diagnosis_id = ANY ($1)', [ids]);
  await session.query(
    `INSERT INTO diagnosis_suspicions (diagnosis_id, list, position, suspicion_hash)
     SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[])`,
    [
      links.map((link) => link.diagnosis_id),
      links.map((link) => link.list),
      links.map((link) => link.position),
      links.map((link) => link.suspicion_hash),
    ],
  );
}

/** Counts the chunk's rows anew; a failure counts only as long as its pair has no answer. */
async function recount(
  session: pg.PoolClient,
  chunkId: string,
  failures: Readonly<Record<string, ChunkFailure>>,
): Promise<void> {
  await session.query(
    `WITH answers AS (
       SELECT count(*) FILTER (WHERE verdict = 'reachable') AS reachable,
              count(*) FILTER (WHERE verdict = 'unreachable') AS unreachable,
              count(*) FILTER (WHERE verdict = 'partial') AS partial,
              count(*) FILTER (WHERE verdict = 'undetermined') AS undetermined,
              coalesce(array_agg(pair_key), '{}') AS keys
       FROM diagnoses WHERE chunk_id = $1
     ), failures AS (
       SELECT (c.failures || $2::jsonb) - answers.keys AS left FROM chunks c, answers WHERE c.id = $1
     )
     UPDATE chunks c
     SET reachable = a.reachable, unreachable = a.unreachable, partial = a.partial, undetermined = a.undetermined,
         failures = f.left, failed = (SELECT count(*) FROM jsonb_object_keys(f.left))
     FROM answers a, failures f
     WHERE c.id = $1`,
    [chunkId, storableJson(failures)],
  );
}
