import { Worker } from 'node:worker_threads';
import type { Failure } from './failure.js';
import { fail } from './failure.js';

export interface Found {
  readonly iteration: number;
  readonly target: string;
  readonly failure: Failure;
  /** How many inputs failed in this way. */
  times: number;
}

export interface Report {
  readonly iterations: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly found: readonly Found[];
}

export interface Plan {
  readonly root: string;
  readonly seed: number;
  readonly milliseconds: number;
  readonly from?: number;
}

/** Wall time after which a thread counts as hung; what merely is slow is measured in CPU time by the thread itself. */
const HANG_MS = 30_000;
const HEAP_MIB = 1024;

type Message =
  | { readonly kind: 'failure'; readonly iteration: number; readonly target: string; readonly failure: Failure }
  | { readonly kind: 'done'; readonly next: number; readonly counts: Record<string, number> };

/** Runs iterations until the time is over; a thread that hangs or dies is replaced, and goes on with the next iteration. */
export async function fuzz(plan: Plan, tell: (found: Found) => void): Promise<Report> {
  const until = Date.now() + plan.milliseconds;
  const found = new Map<string, Found>();
  const counts: Record<string, number> = {};
  const keep = (iteration: number, target: string, failure: Failure): void => {
    const key = `${target} ${failure.signature}`;
    const known = found.get(key);
    if (known !== undefined) return void known.times++;
    const first: Found = { iteration, target, failure, times: 1 };
    found.set(key, first);
    tell(first);
  };
  const start = plan.from ?? 0;
  let next = start;
  while (Date.now() < until) {
    const ended = await runThread(plan, next, until, (message) => {
      if (message.kind === 'failure') keep(message.iteration, message.target, message.failure);
      else for (const [name, times] of Object.entries(message.counts)) counts[name] = (counts[name] ?? 0) + times;
    });
    if (ended.failure !== undefined) keep(ended.at, '?', ended.failure);
    next = ended.at + 1;
  }
  return { iterations: next - start, counts, found: [...found.values()] };
}

function runThread(
  { root, seed }: Plan,
  from: number,
  until: number,
  onMessage: (message: Message) => void,
): Promise<{ at: number; failure?: Failure }> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  progress[0] = from;
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { root, seed, from, until, progress },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  return new Promise((resolve) => {
    let last = { at: -1, since: Date.now() };
    const watch = setInterval(() => {
      const at = Atomics.load(progress, 0);
      if (at !== last.at) last = { at, since: Date.now() };
      else if (Date.now() - last.since > HANG_MS) end(fail('hang', `did not come back within ${HANG_MS} ms`));
    }, 250);
    const end = (failure?: Failure): void => {
      clearInterval(watch);
      void worker.terminate().then(() => resolve({ at: Atomics.load(progress, 0), failure }));
    };
    worker.on('message', (message: Message) => {
      onMessage(message);
      if (message.kind === 'done') end();
    });
    worker.on('error', (error: Error & { code?: string }) =>
      end(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? fail('memory', `needed more than ${HEAP_MIB} MiB`)
          : fail('crash', `outside of the attempt: ${error.message}`),
      ),
    );
  });
}
