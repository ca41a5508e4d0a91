import type { Infrastructure } from '../infrastructure/open-infrastructure.js';
import { queueNames } from '#libs/queue';
import { BullModule } from '@nestjs/bullmq';
import { Module, type DynamicModule } from '@nestjs/common';
import type { WorkerConfig } from '../config/server-config.js';
import { JobRunner } from './job-runner.service.js';
import type { AnswerChunk } from './process-chunk.js';
import { queueHost } from './queue-host.js';
import { SweeperService } from './sweeper.service.js';
import { ANSWER_CHUNK, WORKER_CONFIG } from './tokens.js';

export interface WorkerOptions {
  /** Names of the providers whose queues are consumed. */
  readonly providers: readonly string[];
  readonly answer: AnswerChunk;
  readonly config: WorkerConfig;
}

/** Two hosts per provider, bulk and interactive, with workers of their own. */
@Module({})
export class WorkerModule {
  static of(infrastructure: Infrastructure, options: WorkerOptions): DynamicModule {
    const queues: string[] = [];
    const hosts = options.providers.flatMap((provider) => {
      const names = queueNames(provider);
      queues.push(names.bulk, names.interactive);
      return [
        queueHost(names.bulk, options.config.concurrency),
        queueHost(names.interactive, options.config.interactiveConcurrency),
      ];
    });
    return {
      module: WorkerModule,
      imports: [
        BullModule.forRoot({ connection: infrastructure.queues.backend.connection }),
        // Only with registered queues does @nestjs/bullmq look for processors at all.
        BullModule.registerQueue(...queues.map((name) => ({ name }))),
      ],
      providers: [
        { provide: WORKER_CONFIG, useValue: options.config },
        { provide: ANSWER_CHUNK, useValue: options.answer },
        JobRunner,
        SweeperService,
        ...hosts,
      ],
    };
  }
}
