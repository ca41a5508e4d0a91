import type { Logger } from '#libs/observability';
import type { Persistence } from '#libs/persistence';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerConfig } from '../config/server-config.js';
import { LOG, PERSISTENCE, QUEUES } from '../infrastructure/infrastructure.module.js';
import type { QueueRegistry } from '../queue/queue-registry.js';
import { sweep } from './sweep.js';
import { WORKER_CONFIG } from './tokens.js';

/** Sweeps at start and then on a timer. */
@Injectable()
export class SweeperService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stop = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    @Inject(PERSISTENCE) private readonly persistence: Persistence,
    @Inject(QUEUES) private readonly queues: QueueRegistry,
    @Inject(WORKER_CONFIG) private readonly config: WorkerConfig,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.stop.signal.aborted) {
      try {
        await sweep(this.persistence.runs, this.queues, this.config.sweepEveryMs, this.log);
      } catch (error) {
        this.log.warn({ err: error }, 'sweep failed, the next one will come');
      }
      // Rejects only when aborted, which the loop asks about.
      await sleep(this.config.sweepEveryMs, undefined, { signal: this.stop.signal }).catch(() => undefined);
    }
  }
}
