import { spawn } from 'node:child_process';
import type { CommandResult, CommandRunner } from '../command.js';

const NO_SUCH_COMMAND = /^exec of "[^"]*" failed: No such file or directory/m;
const TIMEOUT_MS = 120_000;
// iptables-save of 10,000 services is 13 MB; a runaway command must not fill the memory.
const MAX_BYTES = 256 * 1024 * 1024;

/** Runs commands in a named network namespace of this machine (`ip netns`). Needs root. */
export function runInNetns(netns: string): CommandRunner {
  return async (argv) => {
    const result = await runCommand(['ip', 'netns', 'exec', netns, ...argv]);
    return NO_SUCH_COMMAND.test(result.stderr) ? { ...result, status: null } : result;
  };
}

/** Runs a command of this machine without a shell. `input` goes to its standard input. */
export function runCommand(argv: readonly string[], input = ''): Promise<CommandResult> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    // Not spawn's own `timeout`: its timer goes on when the program could not be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BYTES) child.kill('SIGKILL');
      else out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (err.length < 1000) err.push(chunk);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ status: null, stdout: '', stderr: error.message });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const said = Buffer.concat(err).toString('utf8');
      // Killed by a signal (too slow, too much): a failure like any other.
      const stderr = signal === null ? said : `${said}ended by ${signal}\n`;
      resolve({ status: code ?? 1, stdout: Buffer.concat(out).toString('utf8'), stderr });
    });
    // A command that reads nothing closes the pipe; that is its right.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
