import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startProcess, type StartedProcess } from './processes.js';

const ROOT = join(import.meta.dirname, '..', '..');

export const STANDALONE = join(ROOT, 'dist', 'apps', 'standalone', 'src', 'main.js');

/** The processes under test are the built ones; what is up to date is not built again. */
export function buildAll(): void {
  execFileSync(process.execPath, [join(ROOT, 'tools', 'build.mjs')], { cwd: ROOT, stdio: 'pipe' });
}

export async function startApi(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; readonly process: StartedProcess }> {
  const started = await start('apps/api/src/main.js', { PORT: '0', HOPSCOPE_WORKER_CHUNK_SIZE: '50', ...env });
  const [, url] = /ready on (\S+),/.exec(started.output()) ?? [];
  if (url === undefined) throw new Error(`the API does not say where it is: ${started.output()}`);
  return { url, process: started };
}

export function startEchoWorker(env: Readonly<Record<string, string>>): Promise<StartedProcess> {
  return start('test/support/echo-worker.js', workerEnv(env));
}

export function startGenericWorker(env: Readonly<Record<string, string>>): Promise<StartedProcess> {
  return start('apps/worker-generic/src/main.js', workerEnv(env));
}

/** Small chunks and a quick sweep, so that little work shows what much work would. */
function workerEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {
    HOPSCOPE_WORKER_CHUNK_SIZE: '50',
    HOPSCOPE_WORKER_SWEEP_EVERY_MS: '1000',
    HOPSCOPE_WORKER_LEASE_MS: '6000',
    ...env,
  };
}

function start(entry: string, env: Readonly<Record<string, string>>): Promise<StartedProcess> {
  const args = ['--enable-source-maps', join(ROOT, 'dist', entry)];
  return startProcess({
    command: process.execPath,
    args,
    env: { LOG_LEVEL: 'warn', ...env },
    ready: / ready( on .*)?, /,
  });
}
