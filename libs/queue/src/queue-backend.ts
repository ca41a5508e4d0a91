import type { ConnectionOptions } from 'bullmq';

export interface QueueEnvironment {
  readonly redisUrl?: string;
  readonly databaseUrl: string;
}

export interface QueueBackend {
  readonly kind: 'redis' | 'postgres';
  /** For every Queue, Worker and QueueEvents (`BullModule.forRoot({ connection })`). */
  readonly connection: ConnectionOptions;
}

/** Where jobs are delivered: Redis when there is a URL for it, else the database that is there anyway. Connects to nothing. */
export declare function queueBackend(environment: QueueEnvironment): QueueBackend;

/** Call once before any Nest module with a queue is built: makes the back end the default of BullMQ, and its tables. */
export declare function prepareQueueBackend(environment: QueueEnvironment): Promise<QueueBackend>;
