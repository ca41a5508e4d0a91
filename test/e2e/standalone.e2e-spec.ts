import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readSamples } from '../../apps/standalone/src/samples/sample-cases.js';
import { Api, eventually } from '../support/api.js';
import { freePort } from '../support/backends.js';
import { buildAll, STANDALONE } from '../support/hopscope.js';
import { startProcess } from '../support/processes.js';

jest.setTimeout(120_000);

describe('npm start', () => {
  let dataDir: string;

  beforeAll(() => {
    buildAll();
    dataDir = mkdtempSync(join(tmpdir(), 'hopscope-standalone-'));
  });

  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  async function serve(...args: string[]) {
    const ready = /serving on (http\S+)/;
    const all = [STANDALONE, '--data-dir', dataDir, ...args];
    const process_ = await startProcess({ command: process.execPath, args: all, ready, env: { HOME: dataDir } });
    return { process: process_, api: new Api(ready.exec(process_.output())?.[1] ?? '') };
  }

  /** Postgres servers that work on our data, by their working directory. */
  function postmasters(): string[] {
    return readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir);
      } catch {
        // It has ended between the two looks.
        return false;
      }
    });
  }

  it('--once answers every sample as expected, shows each cause with its evidence and leaves nothing running', async () => {
    const { cases } = await readSamples(join(import.meta.dirname, '..', '..'));
    const pairs = cases.reduce((sum, sample) => sum + sample.pairs.length, 0);

    const done = spawnSync(process.execPath, [STANDALONE, '--once', '--data-dir', dataDir, '--port', '0'], {
      encoding: 'utf8',
    });

    expect([done.status, done.stderr]).toEqual([0, expect.not.stringMatching(/error/i)]);
    expect(done.stdout).toContain(`all ${pairs} as expected`);
    for (const { name } of cases) expect(done.stdout).toMatch(new RegExp(`^${name} `, 'm'));
    expect(postmasters()).toEqual([]);
  });

  it('takes a free port when its own is taken, uses the samples of before again, and stops on SIGINT', async () => {
    const port = await freePort();
    const blocker = createServer().listen(port, '127.0.0.1');

    const first = await serve('--port', String(port));
    const count = async () =>
      z.object({ items: z.array(z.unknown()) }).parse((await first.api.call('/v1/snapshots?pageSize=1000')).json).items
        .length;
    const snapshots = await count();
    const code = await first.process.stop('SIGINT');
    blocker.close();

    expect(first.process.output()).toContain(`port ${port} is taken`);
    expect(snapshots).toBe((await readSamples(join(import.meta.dirname, '..', '..'))).cases.length);
    expect(code).toBe(0);
    expect(postmasters()).toEqual([]);
  });

  it('starts again on the same data after kill -9, which leaves no database behind', async () => {
    const first = await serve('--port', '0', '--no-sample');
    await first.process.kill();
    await eventually('the database ends', 20_000, async () => (postmasters().length === 0 ? true : undefined));

    const second = await serve('--port', '0', '--no-sample');
    const clusters = await second.api.call('/v1/clusters');
    const code = await second.process.stop();

    expect(clusters.text).toContain('sample-healthy');
    expect(code).toBe(0);
  });

  it('refuses what it does not know with exit code 2, before anything is started', () => {
    const done = spawnSync(process.execPath, [STANDALONE, '--onec', '--port', 'x'], { encoding: 'utf8' });

    expect(done.status).toBe(2);
    expect(done.stderr).toContain('"--onec" is not known');
    expect(done.stderr).not.toMatch(/at .*\.js:\d/);
  });

  it('refuses a port that is none, with exit code 2', () => {
    const done = spawnSync(process.execPath, [STANDALONE, '--port', '70000'], { encoding: 'utf8' });

    expect([done.status, done.stderr]).toEqual([2, expect.stringContaining('PORT')]);
  });
});
