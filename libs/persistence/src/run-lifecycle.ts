import { HopscopeError } from '#libs/model';
import { isRowId, transaction, type Database } from './database.js';
import type { Failure, RunRecord, RunState } from './records.js';
import { endEarly, finishRun } from './run-finish.js';
import { requireRun } from './run-row.js';
import { storableJson } from './storable.js';

const OPEN: readonly RunState[] = ['queued', 'planning', 'collecting', 'running', 'paused'];

interface Transition {
  readonly verb: string;
  readonly from: readonly RunState[];
  /** SQL that gives the new state of row `runs`, and what else changes with it. */
  readonly set: string;
}

const TRANSITIONS = {
  cancel: { verb: 'cancelled', from: OPEN, set: `state = 'cancelled', finished_at = clock_timestamp()` },
  pause: { verb: 'paused', from: ['queued', 'planning', 'collecting', 'running'], set: `state = 'paused'` },
  resume: {
    verb: 'resumed',
    from: ['paused'],
    set: `state = CASE WHEN total IS NULL THEN 'queued' ELSE 'running' END`,
  },
  retry: {
    verb: 'retried',
    from: ['failed', 'cancelled'],
    set: `state = CASE WHEN total IS NULL THEN 'queued' ELSE 'running' END, error = NULL, finished_at = NULL`,
  },
} as const satisfies Record<string, Transition>;

export async function changeRun({ pool }: Database, id: string, name: keyof typeof TRANSITIONS): Promise<RunRecord> {
  const { verb, from, set }: Transition = TRANSITIONS[name];
  const before = await requireRun(pool, id);
  const changed = await transaction(pool, async (session) => {
    if (name === 'cancel') await endEarly(session, id);
    const sql = `UPDATE runs SET ${set}, touched_at = now() WHERE id = $1 AND state = ANY ($2)`;
    const { rowCount } = await session.query(sql, [id, from]);
    if (rowCount !== 1) return false;
    if (name === 'retry') await session.query(REOPEN_CHUNKS, [id]);
    // A run that was cancelled or paused in its last moment has nothing left to do.
    if (name === 'retry' || name === 'resume') await finishRun(session, id);
    return true;
  });
  if (changed) return requireRun(pool, id);
  throw new HopscopeError(
    'RUN_STATE_CONFLICT',
    `run ${id} is ${before.state} and cannot be ${verb}: only a run that is ${from.join(' or ')} can`,
  );
}

// Answers stay: only what failed is asked again.
const REOPEN_CHUNKS = `
  UPDATE chunks SET state = 'pending', failures = '{}', failed = 0, error = NULL, claim_owner = NULL,
                    claim_expires_at = NULL, queued_at = NULL
  WHERE run_id = $1 AND (failed > 0 OR state <> 'done')`;

export async function failRun({ pool }: Database, id: string, failure: Failure): Promise<RunRecord> {
  await requireRun(pool, id);
  await transaction(pool, async (session) => {
    await endEarly(session, id);
    await session.query(
      `UPDATE runs SET state = 'failed', error = $2, finished_at = clock_timestamp(), touched_at = now()
       WHERE id = $1 AND state = ANY ($3)`,
      [id, storableJson(failure), OPEN],
    );
  });
  return requireRun(pool, id);
}

export async function useSnapshot({ pool }: Database, id: string, snapshot: string): Promise<RunRecord> {
  if (!isRowId(snapshot))
    throw new HopscopeError('SNAPSHOT_NOT_FOUND', `there is no snapshot ${snapshot.slice(0, 64)}`);
  const run = await requireRun(pool, id);
  const { rowCount } = await pool.query(
    `UPDATE runs SET snapshot_id = coalesce(snapshot_id, $2), touched_at = now()
     WHERE id = $1 AND EXISTS (SELECT 1 FROM snapshots s WHERE s.id = $2 AND s.cluster_name = runs.cluster_name)`,
    [id, snapshot],
  );
  if (rowCount === 0)
    throw new HopscopeError('SNAPSHOT_NOT_FOUND', `cluster ${run.cluster} has no snapshot ${snapshot}`);
  return requireRun(pool, id);
}
