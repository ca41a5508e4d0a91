import { spawn } from 'node:child_process';
import { HopscopeError } from '#libs/model';
import { explainExit } from './explain-exit.js';
import { scriptInput, type ScriptRequest } from './collect-script.js';
import type { NodeDump } from './node-dump.js';
import { readNodeDump } from './read-node-dump.js';

const TAIL = 4000;

/** Runs the collector script on this machine (labs, or a node of one's own). Needs root. `shell`: the command that reads scripts. */
export async function collectHere(
  request: ScriptRequest,
  options: { readonly shell?: readonly string[]; readonly signal?: AbortSignal } = {},
): Promise<NodeDump> {
  const input = scriptInput(request);
  const shell = options.shell ?? ['sh'];
  const [program = 'sh', ...args] = shell;
  const child = spawn(program, [...args, '-s'], { stdio: ['pipe', 'pipe', 'pipe'], signal: options.signal });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-TAIL);
  });
  // A shell that ends before it read everything closes the pipe; its status tells more.
  child.stdin.on('error', () => undefined);
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 137));
  });
  child.stdin.end(input);
  const [dump, status] = await Promise.allSettled([readNodeDump(child.stdout), exit]);
  if (status.status === 'rejected')
    throw new HopscopeError('COLLECTOR_FAILED', `the collector script could not be started: ${String(status.reason)}`, {
      cause: status.reason,
    });
  if (status.value !== 0) throw explainExit(request.node, status.value, said);
  if (dump.status === 'rejected') throw dump.reason;
  return dump.value;
}
