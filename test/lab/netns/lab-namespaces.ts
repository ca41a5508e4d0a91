import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { must } from './commands.js';

// Everything the lab makes carries this name, so that a later run can remove what a crashed one left.
const PREFIX = 'hopscope-lab-';
const LOCK = '/run/hopscope-lab.pid';

// Which of several clusters that stand side by side is meant.
const lane = new AsyncLocalStorage<string>();

/** All namespaces that `act` names or removes are those of one lane: lanes do not see each other. */
export function inLane<T>(name: string, act: () => Promise<T>): Promise<T> {
  return lane.run(`${name}-`, act);
}

export function netnsName(name: string): string {
  return `${PREFIX}${lane.getStore() ?? ''}${name}`;
}

/** Removes every namespace of the lab with what runs in it. Interfaces, rules and routes vanish with their namespace. */
export async function removeLabNamespaces(): Promise<void> {
  for (const name of await listLabNamespaces()) {
    for (const pid of (await must(['ip', 'netns', 'pids', name])).split('\n').filter((line) => line !== ''))
      stop(Number(pid));
    await must(['ip', 'netns', 'delete', name]);
  }
}

export async function listLabNamespaces(): Promise<readonly string[]> {
  const listing = await must(['ip', 'netns', 'list']);
  return listing
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(netnsName('')));
}

/** Runs `act` while no other lab of this machine is at work, and cleans up before and after. */
export async function withLab<T>(act: () => Promise<T>): Promise<T> {
  lock();
  try {
    await removeLabNamespaces();
    return await act();
  } finally {
    await removeLabNamespaces();
    rmSync(LOCK, { force: true });
  }
}

function lock(): void {
  for (let attempt = 0; ; attempt++)
    try {
      writeFileSync(LOCK, identify(process.pid) ?? '', { flag: 'wx' });
      return;
    } catch (error) {
      const holder = readIfThere(LOCK)?.trim() ?? '';
      const [pid = ''] = holder.split(' ');
      if (holder !== '' && identify(Number(pid)) === holder)
        throw new Error(`another lab is at work (pid ${pid}); wait for it`);
      if (attempt > 3) throw error;
      rmSync(LOCK, { force: true });
    }
}

/** Pid and start time of a process that runs: a pid alone may be a zombie, or somebody else's by now (proc(5), stat). */
function identify(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = 'Z'] = fields;
  return state === 'Z' ? undefined : `${pid} ${fields[19] ?? ''}`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has gone in the meantime.
    return undefined;
  }
}

function stop(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
