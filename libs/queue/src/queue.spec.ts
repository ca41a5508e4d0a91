import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, setDefaultBackendFactory, UnrecoverableError, Worker, type Job } from 'bullmq';
import { v7 as uuidv7 } from 'uuid';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#libs/embedded-postgres';
import { enqueue } from './enqueue.js';
import { ChunkJob, isJobName, JOBS } from './job-catalog.js';
import { recordableError } from './job-errors.js';
import { prepareQueueBackend, queueBackend, type QueueBackend, type QueueEnvironment } from './queue-backend.js';
import { queueNameFor, queueNames } from './queue-names.js';

jest.setTimeout(60_000);

describe('queueBackend', () => {
  const databaseUrl = 'postgresql://me@db/x';

  it('is Redis when there is a URL for it, else PostgreSQL', () => {
    expect(queueBackend({ databaseUrl }).kind).toBe('postgres');
    expect(queueBackend({ databaseUrl, redisUrl: '' }).kind).toBe('postgres');
    expect(queueBackend({ databaseUrl, redisUrl: 'redis://h:1' })).toMatchObject({
      kind: 'redis',
      connection: { url: 'redis://h:1', maxRetriesPerRequest: null },
    });
  });

  it('says what is wrong with a URL, and which server does not answer, without a secret', async () => {
    expect(() => queueBackend({ databaseUrl, redisUrl: 'localhost:6379' })).toThrow(
      expect.objectContaining({ code: 'REDIS_URL_INVALID' }),
    );
    for (const environment of [
      { databaseUrl, redisUrl: 'redis://:s3cret@127.0.0.1:1' },
      { databaseUrl: 'postgresql://me:s3cret@127.0.0.1:1/x' },
    ]) {
      const error: unknown = await prepareQueueBackend(environment).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'QUEUE_UNREACHABLE', message: expect.stringContaining('127.0.0.1:1') });
      expect(String(error)).not.toContain('s3cret');
    }
  });
});

describe('the job catalogue', () => {
  it('makes payloads that it accepts, and refuses others', () => {
    const id = uuidv7();

    for (const { payload, payloadFor } of Object.values(JOBS))
      expect(payload.parse(payloadFor(id))).toEqual(payloadFor(id));
    expect(ChunkJob.safeParse({ v: 2, chunkId: id }).success).toBe(false);
    expect(ChunkJob.safeParse({ v: 1, chunkId: 'x' }).success).toBe(false);
    expect(['plan', 'chunk', 'toString'].map(isJobName)).toEqual([true, true, false]);
  });

  it('has two queues a provider', () => {
    expect(queueNames('generic')).toEqual({ bulk: 'generic', interactive: 'generic-interactive' });
    expect(queueNameFor({ provider: 'aliyun', interactive: true })).toBe('aliyun-interactive');
    expect(queueNameFor({ provider: 'aliyun', interactive: false })).toBe('aliyun');
  });
});

describe('recordableError', () => {
  it('keeps an error as it is unless a back end could not record it', () => {
    const fine = new Error('fine');

    expect(recordableError(fine)).toBe(fine);
    expect(recordableError(new TypeError('a\0b\ud800'))).toMatchObject({
      name: 'TypeError',
      message: 'a\ufffdb\ufffd',
    });
    expect(recordableError('text').message).toBe('text');
  });
});

/** The same behaviour is asked of both back ends. */
function describeQueue(title: string, environment: () => QueueEnvironment): void {
  describe(title, () => {
    let backend: QueueBackend;
    let queue: Queue;
    beforeAll(async () => {
      backend = await prepareQueueBackend(environment());
      queue = new Queue('generic', { connection: backend.connection });
      queue.on('error', () => undefined);
    });
    afterAll(async () => {
      await queue.close();
      setDefaultBackendFactory();
    });

    async function work(count: number, process: (job: Job) => Promise<unknown>): Promise<void> {
      const worker = new Worker('generic', process, { connection: backend.connection, concurrency: 4 });
      worker.on('error', () => undefined);
      let ended = 0;
      try {
        await new Promise<void>((resolve) => {
          const end = () => void (++ended === count && resolve());
          worker.on('completed', end);
          worker.on('failed', end);
        });
      } finally {
        await worker.close();
      }
    }

    it('can be prepared by many at once', async () => {
      await expect(Promise.all([1, 2, 3].map(() => prepareQueueBackend(environment())))).resolves.toHaveLength(3);
    });

    it('delivers one job a row, however often it is asked for', async () => {
      const ids = Array.from({ length: 120 }, () => uuidv7());
      await Promise.all([enqueue(queue, 'chunk', ids), enqueue(queue, 'chunk', ids)]);
      await enqueue(queue, 'chunk', ids);
      const seen: string[] = [];

      await work(120, async (job) => {
        seen.push(ChunkJob.parse(job.data).chunkId);
        await Promise.resolve();
      });

      expect(seen.toSorted()).toEqual(ids.toSorted());
      expect(await queue.getJobCounts('waiting', 'active', 'delayed')).toEqual({ waiting: 0, active: 0, delayed: 0 });
    });

    it('delivers again what has ended, done or failed', async () => {
      const [done, failed] = [uuidv7(), uuidv7()];
      const states: string[] = [];
      await enqueue(queue, 'chunk', [done, failed]);
      await work(2, async (job) => {
        await Promise.resolve();
        if (job.id === failed) throw new UnrecoverableError('no');
      });
      expect(await Promise.all([done, failed].map((id) => queue.getJobState(id)))).toEqual(['completed', 'failed']);

      await enqueue(queue, 'chunk', [done, failed]);
      await work(2, async (job) => {
        await Promise.resolve();
        states.push(job.id ?? '');
      });

      expect(states.toSorted()).toEqual([done, failed].toSorted());
    });
  });
}

describe('over the embedded PostgreSQL', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hopscope-queue-'));
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    server = await startEmbeddedPostgres({ dataDir });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  describeQueue('the queue', () => ({ databaseUrl: server.url }));
});

const hasRedis = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

(hasRedis ? describe : describe.skip)('over Redis (needs redis-server on PATH)', () => {
  let redis: ChildProcess | undefined;
  let redisUrl = '';
  beforeAll(async () => {
    const port = await freePort();
    redis = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' });
    redisUrl = `redis://127.0.0.1:${port}`;
    const deadline = Date.now() + 10_000;
    while (!(await prepareQueueBackend({ databaseUrl: '', redisUrl }).then(Boolean, () => false)))
      if (Date.now() > deadline) throw new Error('redis-server does not start');
  });
  afterAll(() => {
    redis?.kill();
  });
  describeQueue('the queue', () => ({ databaseUrl: '', redisUrl }));
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
