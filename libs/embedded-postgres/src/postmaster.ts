import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HopscopeError } from '#libs/model';
import { isAlive, servesDirectory, waitUntilGone } from './processes.js';

const FAST_MS = 15_000;
const IMMEDIATE_MS = 10_000;

/**
 * Clears what a killed Hopscope may have left: a server that still runs (stopped: its log and its port are not ours to know), or
 * a postmaster.pid whose number now belongs to something else (PostgreSQL would take that for its own).
 */
export async function clearRemains(pgData: string): Promise<void> {
  const pid = postmasterPid(pgData);
  if (pid === undefined) return;
  if (servesDirectory(pid, pgData)) await stopPostmaster(pid);
  else if (isAlive(pid)) rmSync(join(pgData, 'postmaster.pid'), { force: true });
}

/** Fast shutdown first (ends sessions, writes a checkpoint), then without the checkpoint; recovery makes up for that. */
export async function stopPostmaster(pid: number): Promise<void> {
  const ways: readonly [NodeJS.Signals, number][] = [
    ['SIGINT', FAST_MS],
    ['SIGQUIT', IMMEDIATE_MS],
    ['SIGKILL', IMMEDIATE_MS],
  ];
  for (const [signal, timeoutMs] of ways) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    if (await waitUntilGone(pid, timeoutMs)) return;
  }
  throw new HopscopeError('EMBEDDED_POSTGRES_STUCK', `PostgreSQL (process ${pid}) does not end`);
}

/** First line of postmaster.pid; a negative number means a single-user server. */
function postmasterPid(pgData: string): number | undefined {
  try {
    const pid = Math.abs(Number.parseInt(readFileSync(join(pgData, 'postmaster.pid'), 'latin1'), 10));
    return Number.isNaN(pid) || pid === 0 ? undefined : pid;
  } catch {
    return undefined;
  }
}
