import { HopscopeError } from '#libs/model';
import { isRowId, type Session } from './database.js';
import { RUN_STATES, type Failure, type RunRecord, type RunState } from './records.js';

/** A run with its counts, as RUN_COLUMNS and RUN_TABLES select it. */
export interface RunRow {
  readonly id: string;
  readonly cluster_name: string;
  readonly provider: string;
  readonly snapshot_id: string | null;
  readonly max_age_seconds: number | null;
  readonly interactive: boolean;
  readonly state: string;
  readonly error: Failure | null;
  readonly total: number | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly reachable: number;
  readonly unreachable: number;
  readonly partial: number;
  readonly undetermined: number;
  readonly failed: number;
}

/** Counts are summed from the chunks, which count their own results: nothing is added up twice when a job runs twice. */
export const RUN_SELECT = `
  SELECT r.id, r.cluster_name, c.provider, r.snapshot_id, r.max_age_seconds, r.interactive, r.state, r.error, r.total,
         r.created_at, r.started_at, r.finished_at,
         n.reachable, n.unreachable, n.partial, n.undetermined, n.failed
  FROM runs r
  JOIN clusters c ON c.name = r.cluster_name
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(reachable), 0)::int AS reachable, coalesce(sum(unreachable), 0)::int AS unreachable,
           coalesce(sum(partial), 0)::int AS partial, coalesce(sum(undetermined), 0)::int AS undetermined,
           coalesce(sum(failed), 0)::int AS failed
    FROM chunks WHERE run_id = r.id
  ) n
  WHERE r.state <> 'receiving'`;

export async function findRun(session: Session, id: string): Promise<RunRecord | undefined> {
  if (!isRowId(id)) return undefined;
  const { rows } = await session.query<RunRow>(`${RUN_SELECT} AND r.id = $1`, [id]);
  const row = rows[0];
  return row === undefined ? undefined : runRecord(row);
}

export async function requireRun(session: Session, id: string): Promise<RunRecord> {
  const run = await findRun(session, id);
  if (run === undefined) throw new HopscopeError('RUN_NOT_FOUND', `there is no run ${id.slice(0, 64)}`);
  return run;
}

export function runRecord(row: RunRow): RunRecord {
  const { total, reachable, unreachable, partial, undetermined, failed } = row;
  const done = reachable + unreachable + partial + undetermined + failed;
  return {
    id: row.id,
    cluster: row.cluster_name,
    provider: row.provider,
    snapshot: row.snapshot_id,
    maxAgeSeconds: row.max_age_seconds,
    interactive: row.interactive,
    state: runState(row.state),
    error: row.error,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    pairs: { total, done, reachable, unreachable, partial, undetermined, failed },
  };
}

export function runState(text: string): RunState {
  const state = RUN_STATES.find((known) => known === text);
  if (state === undefined) throw new Error(`a run is in the unknown state ${text}`);
  return state;
}
