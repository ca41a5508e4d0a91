import type pg from 'pg';
import { requireRun } from './run-row.js';
import { storableJson } from './storable.js';

/**
 * Ends the run when no chunk is left. The caller holds the lock of the run's row: of two chunks that end at the same time the
 * second sees the first.
 */
export async function finishRun(session: pg.PoolClient, runId: string): Promise<void> {
  const open = `SELECT 1 FROM chunks WHERE run_id = $1 AND state IN ('pending', 'running') LIMIT 1`;
  if ((await session.query(open, [runId])).rowCount !== 0) return;
  const { pairs } = await requireRun(session, runId);
  if (pairs.total === null) return; // Not planned: no chunk yet.
  const failure =
    pairs.failed === 0
      ? null
      : {
          code: 'PAIRS_FAILED',
          message: `${pairs.failed} of ${pairs.total ?? '?'} pairs could not be answered: retry the run`,
        };
  await session.query(
    `UPDATE runs SET state = $2, error = $3, finished_at = now(), touched_at = now()
     WHERE id = $1 AND state IN ('planning', 'collecting', 'running', 'paused')`,
    [runId, failure === null ? 'succeeded' : 'failed', failure === null ? null : storableJson(failure)],
  );
}

/**
 * Waits for the answers that are just being stored and lets none in after. To be called within the transaction that ends a run
 * before its last chunk, ahead of the change; the end of the run is after it.
 */
export async function endEarly(session: pg.PoolClient, runId: string): Promise<void> {
  await session.query('SELECT 1 FROM runs WHERE id = $1 FOR NO KEY UPDATE', [runId]);
  const chunks = `SELECT 1 FROM chunks WHERE run_id = $1 AND state IN ('pending', 'running') FOR NO KEY UPDATE`;
  await session.query(chunks, [runId]);
}

/** Whether the run ended while chunks were left: cancelled, or failed as a whole. Nothing counts any more. */
export async function endedEarly(session: pg.PoolClient, runId: string): Promise<boolean> {
  const sql = `SELECT 1 FROM runs r WHERE r.id = $1 AND (r.state = 'cancelled' OR (r.state = 'failed' AND EXISTS
    (SELECT 1 FROM chunks c WHERE c.run_id = r.id AND c.state IN ('pending', 'running'))))`;
  return (await session.query(sql, [runId])).rowCount !== 0;
}
