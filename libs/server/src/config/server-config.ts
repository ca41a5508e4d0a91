import { defineConfig } from '#libs/config';
import { LOG_LEVELS } from '#libs/observability';
import { z } from 'zod';

export const httpConfig = defineConfig({
  id: 'http',
  title: 'HTTP server',
  schema: z.strictObject({
    host: z.string().default('127.0.0.1').meta({
      env: 'HOST',
      flag: '--host',
      description:
        'Address to listen on. On a loopback address only requests to localhost or a loopback address are answered.',
    }),
    port: z
      .int()
      .min(0)
      .max(65535)
      .default(3000)
      .meta({ env: 'PORT', flag: '--port', description: 'Port to listen on; 0 takes a free one.' }),
    bodyLimitBytes: z
      .int()
      .min(1024)
      .default(16 * 1024 * 1024)
      .describe('Largest JSON body. Larger lists of pairs go as application/x-ndjson.'),
    pairsLimitBytes: z
      .int()
      .min(1024)
      .default(1024 * 1024 * 1024)
      .describe('Largest application/x-ndjson body with the pairs of a run.'),
  }),
});
export type HttpConfig = z.output<typeof httpConfig.schema>;

export const snapshotConfig = defineConfig({
  id: 'snapshot',
  title: 'Snapshots',
  schema: z.strictObject({
    uploadLimitBytes: z
      .int()
      .min(1024)
      .default(256 * 1024 * 1024)
      .describe('Largest snapshot archive, packed. The same for the API and the workers.'),
    unpackedLimitBytes: z
      .int()
      .min(1024)
      .default(1024 * 1024 * 1024)
      .describe('Largest snapshot archive, unpacked. The same for the API and the workers.'),
  }),
});
export type SnapshotConfig = z.output<typeof snapshotConfig.schema>;

export const databaseConfig = defineConfig({
  id: 'database',
  title: 'Database',
  schema: z.strictObject({
    url: z
      .string()
      .regex(/^postgres(ql)?:\/\/./, 'must be a URL such as postgresql://user:password@host:5432/database')
      .meta({ env: 'DATABASE_URL', flag: '--database-url', secret: true, description: 'The PostgreSQL database.' }),
    connections: z.int().min(2).max(200).default(10).describe('Most connections that this process opens for its rows.'),
  }),
});
export type DatabaseConfig = z.output<typeof databaseConfig.schema>;

export const queueConfig = defineConfig({
  id: 'queue',
  title: 'Queue',
  schema: z.strictObject({
    redisUrl: z
      .string()
      .regex(/^rediss?:\/\/./, 'must be a URL such as redis://host:6379')
      .optional()
      .meta({
        env: 'REDIS_URL',
        flag: '--redis-url',
        secret: true,
        description: 'The Redis that carries the jobs. Not set: the jobs are in the PostgreSQL database.',
      }),
    boardReadOnly: z.boolean().default(false).describe('Whether /queues only shows: no retry, no removal.'),
  }),
});
export type QueueConfig = z.output<typeof queueConfig.schema>;

export const workerConfig = defineConfig({
  id: 'worker',
  title: 'Worker',
  schema: z.strictObject({
    concurrency: z.int().min(1).max(64).default(2).describe('Bulk chunks that one process answers at a time.'),
    interactiveConcurrency: z
      .int()
      .min(1)
      .max(64)
      .default(2)
      .describe('Single diagnoses that one process answers at a time, beside the bulk.'),
    chunkSize: z.int().min(1).max(5000).default(200).describe('Pairs that one job carries.'),
    leaseMs: z
      .int()
      .min(1000)
      .default(60_000)
      .describe('A chunk whose worker is silent for so long is given to another.'),
    sweepEveryMs: z.int().min(500).default(15_000).describe('How often rows are looked for whose job vanished.'),
    cachedNetworks: z.int().min(1).max(100).default(4).describe('Snapshots kept in memory, ready to answer.'),
  }),
});
export type WorkerConfig = z.output<typeof workerConfig.schema>;

export const logConfig = defineConfig({
  id: 'log',
  title: 'Log',
  schema: z.strictObject({
    level: z
      .enum(LOG_LEVELS)
      .default('info')
      .meta({ env: 'LOG_LEVEL', flag: '--log-level', description: `One of ${LOG_LEVELS.join(', ')}.` }),
  }),
});
export type LogConfig = z.output<typeof logConfig.schema>;

/** Everything that server processes read, for docs and for redaction. */
export const SERVER_SECTIONS = [
  httpConfig,
  snapshotConfig,
  databaseConfig,
  queueConfig,
  workerConfig,
  logConfig,
] as const;
