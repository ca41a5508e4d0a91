import { startEmbeddedPostgres } from '#libs/embedded-postgres';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from './processes.js';

/** The servers of one suite: a database, and Redis when that carries the queue. */
export interface Backend {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface BackendKind {
  readonly name: 'postgres' | 'redis';
  /** Why it cannot be had on this machine. */
  readonly missing?: string;
  start(): Promise<Backend>;
}

export const BACKENDS: readonly BackendKind[] = [
  { name: 'postgres', start: startPostgres },
  {
    name: 'redis',
    ...(hasRedis() ? {} : { missing: 'there is no redis-server on PATH' }),
    start: startPostgresAndRedis,
  },
];

async function startPostgres(): Promise<Backend> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
  const postgres = await startEmbeddedPostgres({ dataDir });
  return {
    env: { DATABASE_URL: postgres.url },
    async stop() {
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function startPostgresAndRedis(): Promise<Backend> {
  const postgres = await startPostgres();
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const redis = await startProcess({ command: 'redis-server', args, ready: /Ready to accept connections/ });
  return {
    env: { ...postgres.env, REDIS_URL: `redis://127.0.0.1:${port}` },
    async stop() {
      await redis.stop();
      await postgres.stop();
    },
  };
}

function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
