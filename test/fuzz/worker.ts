import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { makeAttempt, runAttempt } from './run-attempt.js';
import { allTargets } from './targets.js';

/** A thread of its own: the main one sees when it does not come back, and outlives it when its memory runs out. */
const Job = z.object({
  root: z.string(),
  seed: z.number(),
  from: z.number(),
  until: z.number(),
  progress: z.instanceof(Int32Array),
});

const { root, seed, from, until, progress } = Job.parse(workerData);
const targets = await allTargets(root);
const counts: Record<string, number> = {};
let iteration = from;
for (; Date.now() < until; iteration++) {
  Atomics.store(progress, 0, iteration);
  const attempt = makeAttempt(targets, seed, iteration);
  counts[attempt.target.name] = (counts[attempt.target.name] ?? 0) + 1;
  const failure = await runAttempt(attempt);
  if (failure !== undefined)
    parentPort?.postMessage({ kind: 'failure', iteration, target: attempt.target.name, failure });
}
parentPort?.postMessage({ kind: 'done', next: iteration, counts });
