import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { fail, type Failure } from './failure.js';
import { KNOWN } from './known-defects.js';

export interface Found {
  readonly iteration: number;
  readonly target: string;
  readonly failure: Failure;
  /** How many inputs failed in this way. */
  times: number;
}

export interface Report {
  readonly iterations: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly found: readonly Found[];
}

export interface Plan {
  readonly root: string;
  readonly seed: number;
  readonly milliseconds: number;
  readonly from: number;
  /** The inputs of known-defects in place of made ones, once each. */
  readonly known: boolean;
}

/** Wall time after which a process counts as hung; what merely is slow is measured in CPU time by the process itself. */
const HANG_MS = 20_000;
const HEAP_MIB = 1024;

const Message = z.object({
  iteration: z.number(),
  target: z.string(),
  failure: z
    .object({
      kind: z.enum(['crash', 'slow', 'broken', 'pollution', 'vague', 'hang', 'memory']),
      message: z.string(),
      signature: z.string(),
    })
    .optional(),
});

/** Runs iterations until the time is over; a process that hangs or dies is replaced, and goes on with the next iteration. */
export async function fuzz(plan: Plan, tell: (found: Found) => void): Promise<Report> {
  const until = Date.now() + plan.milliseconds;
  const found = new Map<string, Found>();
  const counts = new Map<string, number>();
  let current = { iteration: plan.from - 1, target: '?' };
  const keep = (failure: Failure): void => {
    const { iteration, target } = current;
    const key = plan.known ? String(iteration) : `${target} ${failure.signature}`;
    const known = found.get(key);
    if (known !== undefined) return void known.times++;
    const first: Found = { iteration, target, failure, times: 1 };
    found.set(key, first);
    tell(first);
  };
  const last = plan.known ? KNOWN.length : Infinity;
  while (Date.now() < until && current.iteration + 1 < last) {
    const before = current.iteration;
    const ended = await runProcess({ ...plan, from: before + 1, until }, ({ iteration, target, failure }) => {
      current = { iteration, target };
      if (failure !== undefined) keep(failure);
      else counts.set(target, (counts.get(target) ?? 0) + 1);
    });
    if (ended !== undefined) keep(ended);
    if (current.iteration === before)
      throw new Error(`the fuzzer itself does not start: ${ended?.message ?? 'no reason'}`);
  }
  return { iterations: current.iteration + 1 - plan.from, counts, found: [...found.values()] };
}

type Job = Plan & { readonly until: number };

/** Ends when the time is over, or with what ended the process. */
function runProcess(job: Job, onMessage: (message: z.output<typeof Message>) => void): Promise<Failure | undefined> {
  const program = fileURLToPath(new URL('./child.js', import.meta.url));
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MIB}`, program, JSON.stringify(job)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let hung = false;
  let errors = '';
  const kill = (): void => {
    hung = true;
    child.kill('SIGKILL');
  };
  let alarm = setTimeout(kill, HANG_MS);
  child.stderr?.on('data', (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-20_000)));
  const messages = child.stdio[3];
  if (!(messages instanceof Readable)) throw new Error('file descriptor 3 is no pipe');
  createInterface({ input: messages }).on('line', (line) => {
    clearTimeout(alarm);
    alarm = setTimeout(kill, HANG_MS);
    onMessage(Message.parse(JSON.parse(line)));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(alarm);
      resolve(hung ? fail('hang', `did not come back within ${HANG_MS} ms`) : causeOfDeath(code, errors));
    });
  });
}

function causeOfDeath(code: number | null, errors: string): Failure | undefined {
  if (code === 0) return undefined;
  // Nothing left to wait for and not at the end: a promise that nobody will settle.
  if (code === 13) return fail('hang', 'waits for what never comes');
  if (errors.includes('heap out of memory')) return fail('memory', `needs more than ${HEAP_MIB} MiB`);
  return fail('crash', `the process ended with code ${code}: ${errors.trim().split('\n').slice(0, 8).join(' ')}`);
}
