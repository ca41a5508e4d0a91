import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const START_MS = 60_000;

export interface StartedProcess {
  readonly pid: number;
  /** Both outputs so far. */
  readonly output: () => string;
  /** SIGTERM unless another is given, then waits. Gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** SIGKILL, then waits until it is gone. */
  kill(): Promise<void>;
}

export interface ProcessStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ready: RegExp;
}

/** Starts a process and waits until its output says that it is ready. */
export async function startProcess({ command, args, env = {}, ready }: ProcessStart): Promise<StartedProcess> {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const deadline = Date.now() + START_MS;
  while (!ready.test(said)) {
    if (hasEnded(child))
      throw new Error(`${args.join(' ')} ended with ${child.exitCode ?? child.signalCode}:\n${said}`);
    if (Date.now() > deadline) throw new Error(`${args.join(' ')} is not ready after ${START_MS} ms:\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const end = async (signal: NodeJS.Signals) => {
    if (hasEnded(child)) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    pid: child.pid ?? 0,
    output: () => said,
    stop: async (signal = 'SIGTERM') => {
      await end(signal);
      return child.exitCode;
    },
    kill: () => end('SIGKILL'),
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
