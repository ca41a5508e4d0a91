import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.js';
import { isAlive, waitUntilGone } from './processes.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './start-embedded-postgres.js';

jest.setTimeout(60_000);

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<{ answer: unknown }>(sql)).rows[0]?.answer;
  } finally {
    await client.end();
  }
}

describe('startEmbeddedPostgres', () => {
  const root = mkdtempSync(join(tmpdir(), 'hopscope-pg-'));
  const dataDir = join(root, 'deep', 'data');
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    server = await startEmbeddedPostgres({ dataDir });
    await ask(server.url, 'CREATE TABLE kept AS SELECT 42 AS n');
  });
  afterAll(async () => {
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it('serves the database of the application, with a password', async () => {
    const nobody = new URL(server.url);
    nobody.password = 'guess';

    expect(await ask(server.url, 'SELECT current_database() AS answer')).toBe('hopscope');
    await expect(ask(nobody.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });

  it('refuses a directory that a living Hopscope uses, and says which', async () => {
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    expect(await ask(server.url, 'SELECT n AS answer FROM kept')).toBe(42);
  });

  it('stops cleanly and starts again on the same data and a given port', async () => {
    await server.stop();
    const port = await freePort();

    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(join(dataDir, 'owner.json'))).toBe(false);
    server = await startEmbeddedPostgres({ dataDir, port });
    expect(server.port).toBe(port);
    expect(await ask(server.url, 'SELECT n AS answer FROM kept')).toBe(42);
  });

  it('says when the port it was told to use is taken', async () => {
    const other = join(root, 'other');

    await expect(startEmbeddedPostgres({ dataDir: other, port: server.port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    });
    expect(existsSync(join(other, 'owner.json'))).toBe(false);
  });

  it('comes back after kill -9 of PostgreSQL', async () => {
    await ask(server.url, 'UPDATE kept SET n = 43');
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    await server.stop();

    server = await startEmbeddedPostgres({ dataDir });

    expect(await ask(server.url, 'SELECT n AS answer FROM kept')).toBe(43);
  });

  it('takes over from a Hopscope that was killed, whose server was left or whose number now is another process', async () => {
    await server.stop();
    const stranger: ChildProcess = spawn('sleep', ['60'], { stdio: 'ignore' });
    writeFileSync(join(dataDir, 'owner.json'), JSON.stringify({ pid: stranger.pid, started: 'another time' }));
    writeFileSync(join(dataDir, 'postgres-18', 'postmaster.pid'), `${stranger.pid}\n${dataDir}\n`);

    server = await startEmbeddedPostgres({ dataDir });

    expect(await ask(server.url, 'SELECT n AS answer FROM kept')).toBe(43);
    expect(stranger.exitCode).toBeNull();
    expect(stranger.pid !== undefined && isAlive(stranger.pid)).toBe(true);
    stranger.kill();
  });

  it('stops a server that its Hopscope left behind', async () => {
    const left = server;
    rmSync(join(dataDir, 'owner.json'));

    server = await startEmbeddedPostgres({ dataDir });

    expect(await waitUntilGone(left.pid, 100)).toBe(true);
    expect(server.pid).not.toBe(left.pid);
    expect(await ask(server.url, 'SELECT n AS answer FROM kept')).toBe(43);
  });
});
