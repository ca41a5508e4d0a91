import type { Logger } from '#libs/observability';
import { Processor, WorkerHost, OnWorkerEvent } from '@nestjs/bullmq';
import { Inject, type BeforeApplicationShutdown, type Type } from '@nestjs/common';
import type { Job } from 'bullmq';
import { LOG } from '../infrastructure/infrastructure.module.js';
import { JobRunner } from './job-runner.service.js';

// A dead worker's jobs are taken over after lock + check; a chunk may be lost to crashes of others a few times.
const LOCK_MS = 15_000;
const STALLED_CHECK_MS = 5_000;
const MAX_STALLED = 5;

/** A BullMQ worker for one queue. Queue names follow from providers, so the class is made, not written. */
export function queueHost(queue: string, concurrency: number): Type<WorkerHost> {
  @Processor(queue, {
    concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MAX_STALLED,
  })
  class QueueHost extends WorkerHost implements BeforeApplicationShutdown {
    private stopping = false;

    constructor(
      private readonly jobs: JobRunner,
      @Inject(LOG) private readonly log: Logger,
    ) {
      super();
    }

    beforeApplicationShutdown(): void {
      this.stopping = true;
    }

    // Three parameters: BullMQ passes the signal only to a processor that declares it.
    process(job: Job, token?: string, signal?: AbortSignal): Promise<void> {
      return this.jobs.run(job, token, signal);
    }

    @OnWorkerEvent('error')
    onError(error: Error): void {
      if (!this.stopping) this.log.warn({ err: error, queue }, 'worker connection failed');
    }
  }
  return QueueHost;
}
