import { endChunk, storeAnswers } from './chunk-answers.js';
import { claimChunk, findStranded, markQueued, releaseChunk, renewClaim } from './chunk-claims.js';
import { isRowId, type Database } from './database.js';
import { cutPage, pageWindow } from './page.js';
import type { RunState } from './records.js';
import type { PageRequest, RunRepository } from './repositories.js';
import { acceptRun, dropAbandoned } from './run-intake.js';
import { changeRun, failRun, useSnapshot } from './run-lifecycle.js';
import { planRun } from './run-plan.js';
import { findRun, RUN_SELECT, runRecord, type RunRow } from './run-row.js';
import { storableText } from './storable.js';

const NO_ANSWER = { code: 'NO_ANSWER', message: 'the worker gave no answer for this pair: retry the run' };

export function runStore(database: Database): RunRepository {
  return {
    create: (run) => acceptRun(database, run),
    get: (id) => findRun(database.pool, id),
    list: (page) => listRuns(database, page),
    plan: (id, options) => planRun(database, id, options?.chunkSize),
    useSnapshot: (id, snapshot) => useSnapshot(database, id, snapshot),
    fail: (id, failure) => failRun(database, id, failure),
    cancel: (id) => changeRun(database, id, 'cancel'),
    pause: (id) => changeRun(database, id, 'pause'),
    resume: (id) => changeRun(database, id, 'resume'),
    retry: (id) => changeRun(database, id, 'retry'),
    claimChunk: (chunkId, owner, leaseMs) => claimChunk(database, chunkId, owner, leaseMs),
    renewClaim: (chunkId, owner, leaseMs) => renewClaim(database, chunkId, owner, leaseMs),
    storeAnswers: (chunkId, answers, failures = []) => storeAnswers(database, chunkId, answers, failures),
    completeChunk: (chunkId) => endChunk(database, chunkId, NO_ANSWER, 'done'),
    failChunk: (chunkId, failure) => endChunk(database, chunkId, failure, 'failed'),
    releaseChunk: (chunkId, owner) => releaseChunk(database, chunkId, owner),
    markQueued: (chunkIds) => markQueued(database, chunkIds),
    findStranded: (graceMs, limit) => findStranded(database, graceMs, limit),
    dropAbandoned: (olderThanMs) => dropAbandoned(database, olderThanMs),
  };
}

async function listRuns(
  { pool }: Database,
  { cluster, state, ...page }: PageRequest & { readonly cluster?: string; readonly state?: RunState } = {},
) {
  const { size, after } = pageWindow(page);
  if (after !== undefined && !isRowId(after.key)) return { items: [], nextPageToken: null };
  const { rows } = await pool.query<RunRow>(
    `${RUN_SELECT}
       AND ($1::text IS NULL OR r.cluster_name = $1) AND ($2::text IS NULL OR r.state = $2)
       AND ($3::timestamptz IS NULL OR (r.created_at, r.id) < ($3, $4::uuid))
     ORDER BY r.created_at DESC, r.id DESC LIMIT $5`,
    [
      cluster === undefined ? null : storableText(cluster),
      state ?? null,
      after?.at ?? null,
      after?.key ?? null,
      size + 1,
    ],
  );
  return cutPage(rows, size, (row) => ({ at: row.created_at, key: row.id }), runRecord);
}
