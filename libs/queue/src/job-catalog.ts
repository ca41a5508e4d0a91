import type { JobsOptions } from 'bullmq';
import { z } from 'zod';

const Id = z.uuid();

/** `v` is raised when a payload changes so that old jobs can be told from new ones. */
export const PlanJob = z.strictObject({ v: z.literal(1), runId: Id });
export type PlanJob = z.infer<typeof PlanJob>;

export const ChunkJob = z.strictObject({ v: z.literal(1), chunkId: Id });
export type ChunkJob = z.infer<typeof ChunkJob>;

interface JobContract<P extends z.ZodType> {
  readonly payload: P;
  /** The payload for a row, by the row's id. The same id is the job's id, so that a row has one job at most. */
  readonly payloadFor: (rowId: string) => z.infer<P>;
  readonly options: JobsOptions;
}

// Enough to look at in bull-board; the rows are the record.
const RETENTION = { removeOnComplete: { count: 1000 }, removeOnFail: { count: 5000 } } satisfies JobsOptions;

/** Every job there is. Each may run twice. */
export const JOBS = {
  /** Cuts a run into chunks and queues them. Also queues again what is unanswered, so resume and retry use it. */
  plan: {
    payload: PlanJob,
    payloadFor: (runId) => ({ v: 1, runId }),
    options: { attempts: 5, backoff: { type: 'exponential', delay: 500, jitter: 0.5 }, ...RETENTION },
  },
  /** Answers the pairs of one chunk. */
  chunk: {
    payload: ChunkJob,
    payloadFor: (chunkId) => ({ v: 1, chunkId }),
    options: { attempts: 3, backoff: { type: 'exponential', delay: 1000, jitter: 0.5 }, ...RETENTION },
  },
} as const satisfies { plan: JobContract<typeof PlanJob>; chunk: JobContract<typeof ChunkJob> };

export type JobName = keyof typeof JOBS;

export function isJobName(name: string): name is JobName {
  return Object.hasOwn(JOBS, name);
}
