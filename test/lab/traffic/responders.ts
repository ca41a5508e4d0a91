import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { netnsName } from '../netns/lab-namespaces.js';
import type { NamespacePlan } from '../cluster/plan.js';
import { scriptPath } from './script-path.js';

const IP = 'ip';
const READY_MS = 20_000;

/** Starts what listens in each namespace; resolves when all ports are bound. */
export async function startResponders(plan: readonly NamespacePlan[]): Promise<readonly ChildProcess[]> {
  return Promise.all(plan.filter(({ listens }) => listens.length > 0).map(startResponder));
}

async function startResponder({ name, address, listens }: NamespacePlan): Promise<ChildProcess> {
  const config = JSON.stringify({ name, address, listens });
  const argv = ['netns', 'exec', netnsName(name), process.execPath, scriptPath('responder.mjs'), config];
  const child = spawn(IP, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [first] = await Promise.race([
    once(child.stdout, 'data', { signal: AbortSignal.timeout(READY_MS) }),
    once(child, 'exit').then(() => ['ended']),
  ]);
  if (String(first) !== 'ready\n') throw new Error(`lab: the listener of ${name} did not start`);
  return child;
}

export async function stopResponders(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }),
  );
}
