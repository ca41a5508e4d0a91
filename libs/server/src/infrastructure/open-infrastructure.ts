import { secretKeys } from '#libs/config';
import { createLogger, createMetrics, type Logger, type Metrics } from '#libs/observability';
import { migrate, openPersistence, type Persistence } from '#libs/persistence';
import { prepareQueueBackend } from '#libs/queue';
import { SERVER_SECTIONS, type DatabaseConfig, type LogConfig, type QueueConfig } from '../config/server-config.js';
import { QueueRegistry } from '../queue/queue-registry.js';

/** What a server process stands on: database, queues, log, metrics. Opened before any Nest module is built. */
export interface Infrastructure {
  readonly persistence: Persistence;
  readonly queues: QueueRegistry;
  readonly log: Logger;
  readonly metrics: Metrics;
  close(): Promise<void>;
}

export interface InfrastructureConfig {
  /** Of the process, for the log. */
  readonly name: string;
  readonly database: DatabaseConfig;
  readonly queue: QueueConfig;
  readonly log: LogConfig;
}

/** Migrates the database when nobody has; any number of processes may do so at once. */
export async function openInfrastructure(config: InfrastructureConfig): Promise<Infrastructure> {
  const log = createLogger({ name: config.name, level: config.log.level, secretKeys: secretKeys(SERVER_SECTIONS) });
  const databaseUrl = config.database.url;
  const { applied } = await migrate(databaseUrl);
  if (applied.length > 0) log.info({ applied }, 'database migrated');
  const backend = await prepareQueueBackend({
    databaseUrl,
    ...(config.queue.redisUrl === undefined ? {} : { redisUrl: config.queue.redisUrl }),
  });
  const persistence = await openPersistence({ databaseUrl, maxConnections: config.database.connections });
  const queues = new QueueRegistry(backend, log);
  return {
    persistence,
    queues,
    log,
    metrics: createMetrics(),
    async close() {
      await queues.close();
      await persistence.close();
    },
  };
}
