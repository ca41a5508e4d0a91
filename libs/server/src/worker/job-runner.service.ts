import { HopscopeError } from '#libs/model';
import type { Logger, Metrics } from '#libs/observability';
import type { Failure, Persistence } from '#libs/persistence';
import { JOBS, recordableError } from '#libs/queue';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import type { WorkerConfig } from '../config/server-config.js';
import { storable } from '../http/storable-text.js';
import { LOG, METRICS, PERSISTENCE, QUEUES } from '../infrastructure/infrastructure.module.js';
import type { QueueRegistry } from '../queue/queue-registry.js';
import { planRun } from './plan-run.js';
import { processChunk, type AnswerChunk } from './process-chunk.js';
import { ANSWER_CHUNK, WORKER_CONFIG } from './tokens.js';

/** Runs the jobs of the catalog: parses the payload, calls the plain function, puts failures into the rows. */
@Injectable()
export class JobRunner implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();

  constructor(
    @Inject(PERSISTENCE) private readonly persistence: Persistence,
    @Inject(QUEUES) private readonly queues: QueueRegistry,
    @Inject(WORKER_CONFIG) private readonly config: WorkerConfig,
    @Inject(ANSWER_CHUNK) private readonly answer: AnswerChunk,
    @Inject(LOG) private readonly log: Logger,
    @Inject(METRICS) private readonly metrics: Metrics,
  ) {}

  /** Jobs in hand stop between two pairs and go back to the queue. */
  beforeApplicationShutdown(): void {
    this.stopping.abort();
  }

  async run(job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const stop = this.metrics.jobDuration.startTimer({ queue: job.queueName });
    try {
      await this.dispatch(job, token, signal);
      this.metrics.jobs.inc({ queue: job.queueName, outcome: 'completed' });
    } catch (error) {
      if (error instanceof DelayedError) throw error;
      this.metrics.jobs.inc({ queue: job.queueName, outcome: 'failed' });
      this.log.error({ err: error, queue: job.queueName, job: job.id, attempt: job.attemptsMade + 1 }, 'job failed');
      throw await this.afterFailure(job, error);
    } finally {
      stop();
    }
  }

  private async dispatch(job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    switch (job.name) {
      case 'plan':
        return planRun(this.persistence, this.queues, JOBS.plan.payload.parse(job.data).runId, this.config.chunkSize);
      case 'chunk': {
        const { chunkId } = JOBS.chunk.payload.parse(job.data);
        const log = this.log.child({ chunkId, queue: job.queueName });
        const context = { runs: this.persistence.runs, answer: this.answer, leaseMs: this.config.leaseMs, log };
        const either = AbortSignal.any([this.stopping.signal, ...(signal === undefined ? [] : [signal])]);
        const end = await processChunk({ ...context, metrics: this.metrics }, chunkId, job.id ?? chunkId, either);
        if (end !== 'interrupted') return;
        await job.moveToDelayed(Date.now(), token);
        throw new DelayedError();
      }
      default:
        throw new UnrecoverableError(`no job is named ${job.name}`);
    }
  }

  /** The row always gets the code; the error that the queue gets has a text that the queue can store. */
  private async afterFailure(job: Job, error: unknown): Promise<Error> {
    const ours = error instanceof HopscopeError ? error : undefined;
    const hopeless = error instanceof UnrecoverableError || (ours !== undefined && !ours.retryable);
    const last = hopeless || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    if (last) await this.failRow(job, failureOf(error));
    const recordable = recordableError(error);
    return hopeless ? new UnrecoverableError(recordable.message) : recordable;
  }

  private async failRow(job: Job, failure: Failure): Promise<void> {
    const plan = JOBS.plan.payload.safeParse(job.data);
    const chunk = JOBS.chunk.payload.safeParse(job.data);
    if (plan.success) await this.persistence.runs.fail(plan.data.runId, failure);
    if (chunk.success) await this.persistence.runs.failChunk(chunk.data.chunkId, failure);
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof HopscopeError) return { code: error.code, message: storable(error.message) };
  return { code: 'INTERNAL', message: 'the worker failed on this; its log says why' };
}
