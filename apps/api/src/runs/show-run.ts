import type { RunRecord } from '#libs/persistence';
import type { Run } from '../schemas/run.js';

export function showRun(run: RunRecord): Run {
  const { id, cluster, provider, snapshot, state, error, createdAt, startedAt, finishedAt, pairs } = run;
  return { id, cluster, provider, snapshot, state, error, createdAt, startedAt, finishedAt, pairs };
}
