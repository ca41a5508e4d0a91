import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from './error-code.js';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return errorCode(error) === 'EPERM';
  }
}

/** Tells a process from a later one with the same number; undefined when there is none. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform === 'linux') return procStat(pid)?.[19];
  return ps(pid, 'lstart=');
}

/** True when `pid` is a PostgreSQL server on this data directory. */
export function servesDirectory(pid: number, pgData: string): boolean {
  if (process.platform !== 'linux') return (ps(pid, 'command=') ?? '').includes(pgData);
  try {
    // A postmaster changes into its data directory.
    return readlinkSync(`/proc/${pid}/cwd`) === pgData;
  } catch {
    return false;
  }
}

/** Polls until the process is gone; false when it is still there at the deadline. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isZombie(pid: number): boolean {
  return process.platform === 'linux' && procStat(pid)?.[0] === 'Z';
}

/** proc(5): the fields of stat from the third (state) on; the second may contain blanks and parentheses. */
function procStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function ps(pid: number, field: string): string | undefined {
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', field], { encoding: 'utf8' }).trim();
  } catch {
    // ps ends with 1 when there is no such process.
    return undefined;
  }
}
