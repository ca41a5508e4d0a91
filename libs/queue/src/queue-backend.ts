import { createPostgresBackend, runMigrations, setDefaultBackendFactory, type ConnectionOptions } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { HopscopeError } from '#libs/model';

export interface QueueEnvironment {
  readonly redisUrl?: string;
  readonly databaseUrl: string;
}

export interface QueueBackend {
  readonly kind: 'redis' | 'postgres';
  /** For every Queue, Worker and QueueEvents (`BullModule.forRoot({ connection })`). */
  readonly connection: ConnectionOptions;
}

// Each Queue, Worker and QueueEvents has a pool of its own; more sessions gain nothing (stack.md §4).
const SESSIONS = 4;
const CONNECT_MS = 10_000;

/** Where jobs are delivered: Redis when there is a URL for it, else the database that is there anyway. Connects to nothing. */
export function queueBackend({ redisUrl, databaseUrl }: QueueEnvironment): QueueBackend {
  if (redisUrl === undefined || redisUrl === '')
    return { kind: 'postgres', connection: { connectionString: databaseUrl, max: SESSIONS } };
  if (!/^rediss?:\/\//.test(redisUrl) || !URL.canParse(redisUrl))
    throw new HopscopeError(
      'REDIS_URL_INVALID',
      'REDIS_URL is not of the form redis://user:password@host:port/db (or rediss://): correct it, or unset it to use PostgreSQL',
    );
  // Null: BullMQ's blocking commands wait as long as Redis is away.
  return { kind: 'redis', connection: { url: redisUrl, maxRetriesPerRequest: null } };
}

/**
 * Call once before any Nest module with a queue is built: @nestjs/bullmq takes no factory, so the back end becomes BullMQ's
 * default for the process. Makes its tables; throws QUEUE_UNREACHABLE.
 */
export async function prepareQueueBackend(environment: QueueEnvironment): Promise<QueueBackend> {
  const backend = queueBackend(environment);
  if (backend.kind === 'redis') {
    setDefaultBackendFactory();
    await pingRedis(environment.redisUrl ?? '');
  } else {
    setDefaultBackendFactory(createPostgresBackend);
    await migrateQueue(environment.databaseUrl);
  }
  return backend;
}

async function pingRedis(url: string): Promise<void> {
  // One attempt: whoever starts us decides whether to try again.
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: CONNECT_MS, retryStrategy: () => null });
  let reason: unknown;
  redis.on('error', (error) => (reason = error));
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw unreachable('Redis', 'REDIS_URL', url, reason ?? error);
  } finally {
    redis.disconnect();
  }
}

async function migrateQueue(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => undefined); // The call under way rejects as well.
  try {
    await client.connect();
  } catch (error) {
    throw unreachable('PostgreSQL', 'DATABASE_URL', url, error);
  }
  try {
    await runMigrations(client);
  } finally {
    await client.end();
  }
}

/** Names the server, never the password. */
function unreachable(what: string, variable: string, url: string, cause: unknown): HopscopeError {
  const { hostname, port } = URL.canParse(url) ? new URL(url) : { hostname: 'an address that is no URL', port: '' };
  const message = typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : '';
  return new HopscopeError(
    'QUEUE_UNREACHABLE',
    `${what} at ${hostname}${port === '' ? '' : `:${port}`}, which carries the queue, does not answer${message === '' ? '' : ` (${message})`}: check ${variable} and that the server runs`,
    { cause, retryable: true },
  );
}
