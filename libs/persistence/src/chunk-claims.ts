import { HopscopeError } from '#libs/model';
import { isRowId, type Database } from './database.js';
import { pairKey, type RunPair } from './pair.js';
import type { ChunkState, RunState } from './records.js';
import type { Claim, Stranded } from './repositories.js';
import { findRun, runState } from './run-row.js';

interface ClaimRow {
  readonly id: string;
  readonly run_id: string;
  readonly position: number;
  readonly pairs: readonly RunPair[];
}

/** Compare-and-set. What was answered by an earlier attempt is not in the pairs any more. */
export async function claimChunk({ pool }: Database, chunkId: string, owner: string, leaseMs: number): Promise<Claim> {
  if (!isRowId(chunkId)) return { kind: 'over', reason: 'not-found' };
  const claimed = await pool.query<ClaimRow>(
    `UPDATE chunks c
     SET state = 'running', claim_owner = $2, claim_expires_at = now() + $3 * interval '1 millisecond'
     FROM runs r
     WHERE c.id = $1 AND r.id = c.run_id AND r.state = 'running'
       AND (c.state = 'pending' OR (c.state = 'running' AND (c.claim_owner = $2 OR c.claim_expires_at < now())))
     RETURNING c.id, c.run_id, c.position, c.pairs`,
    [chunkId, owner, leaseMs],
  );
  const row = claimed.rows[0];
  if (row === undefined) return whyNot(pool, chunkId);
  const run = await findRun(pool, row.run_id);
  if (run === undefined) return { kind: 'over', reason: 'not-found' };
  const answered = await answeredKeys(pool, chunkId);
  const pairs = row.pairs.filter((pair) => !answered.has(pairKey(run.cluster, pair)));
  return {
    kind: 'claimed',
    run,
    chunk: { id: row.id, run: row.run_id, position: row.position, state: 'running', pairs },
  };
}

async function whyNot(pool: Database['pool'], chunkId: string): Promise<Claim> {
  const { rows } = await pool.query<{ state: ChunkState; claim_expires_at: Date | null; run_state: string }>(
    `SELECT c.state, c.claim_expires_at, r.state AS run_state FROM chunks c JOIN runs r ON r.id = c.run_id WHERE c.id = $1`,
    [chunkId],
  );
  const row = rows[0];
  if (row === undefined) return { kind: 'over', reason: 'not-found' };
  if (row.state === 'done' || row.state === 'failed') return { kind: 'over', reason: row.state };
  if (row.run_state !== 'running') return { kind: 'over', reason: runState(row.run_state) };
  return { kind: 'busy', until: (row.claim_expires_at ?? new Date()).toISOString() };
}

async function answeredKeys(pool: Database['pool'], chunkId: string): Promise<Set<string>> {
  const sql = 'SELECT pair_key FROM diagnoses WHERE chunk_id = $1';
  return new Set((await pool.query<{ pair_key: string }>(sql, [chunkId])).rows.map((row) => row.pair_key));
}

export async function renewClaim(
  { pool }: Database,
  chunkId: string,
  owner: string,
  leaseMs: number,
): Promise<RunState | undefined> {
  const { rows } = await pool.query<{ state: string }>(
    `UPDATE chunks c SET claim_expires_at = now() + $3 * interval '1 millisecond'
     FROM runs r
     WHERE c.id = $1 AND r.id = c.run_id AND c.state = 'running' AND c.claim_owner = $2
     RETURNING r.state`,
    [chunkId, owner, leaseMs],
  );
  const row = rows[0];
  return row === undefined ? undefined : runState(row.state);
}

export async function releaseChunk({ pool }: Database, chunkId: string, owner: string): Promise<void> {
  await pool.query(
    `UPDATE chunks SET state = 'pending', claim_owner = NULL, claim_expires_at = NULL, queued_at = NULL
     WHERE id = $1 AND claim_owner = $2 AND state = 'running'`,
    [chunkId, owner],
  );
}

export async function markQueued({ pool }: Database, chunkIds: readonly string[]): Promise<void> {
  await pool.query('UPDATE chunks SET queued_at = now() WHERE id = ANY ($1::uuid[])', [chunkIds]);
}

export async function findStranded({ pool }: Database, graceMs: number, limit: number): Promise<Stranded> {
  if (!Number.isInteger(limit) || limit < 1)
    throw new HopscopeError('INVALID_LIMIT', `limit ${limit} is not a positive whole number`);
  const parameters = [graceMs, limit];
  const runs = await pool.query<Stranded['runs'][number]>(
    `SELECT r.id, cl.provider, r.interactive FROM runs r JOIN clusters cl ON cl.name = r.cluster_name
     WHERE r.state IN ('queued', 'planning', 'collecting') AND r.touched_at < now() - $1 * interval '1 millisecond'
     ORDER BY r.touched_at, r.id LIMIT $2`,
    parameters,
  );
  const chunks = await pool.query<Stranded['chunks'][number]>(
    `SELECT c.id, c.run_id AS run, cl.provider, r.interactive
     FROM chunks c JOIN runs r ON r.id = c.run_id JOIN clusters cl ON cl.name = r.cluster_name
     WHERE r.state = 'running' AND r.touched_at < now() - $1 * interval '1 millisecond'
       AND ((c.state = 'pending' AND (c.queued_at IS NULL OR c.queued_at < now() - $1 * interval '1 millisecond'))
         OR (c.state = 'running' AND c.claim_expires_at < now()))
     ORDER BY c.queued_at NULLS FIRST, c.id LIMIT $2`,
    parameters,
  );
  return { runs: runs.rows, chunks: chunks.rows };
}
