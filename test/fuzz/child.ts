import { writeSync } from 'node:fs';
import { z } from 'zod';
import type { Target } from './attempt.js';
import { KNOWN } from './known-defects.js';
import { makeAttempt, runAttempt, type Attempt } from './run-attempt.js';
import { allTargets } from './targets.js';

/**
 * A process of its own: its parent sees when it does not come back, and outlives it when its memory runs out. Lines of JSON
 * on file descriptor 3, written at once, since a hung process writes nothing later.
 */
const Job = z.object({ root: z.string(), seed: z.number(), from: z.number(), known: z.boolean(), until: z.number() });
const { root, seed, from, known, until } = Job.parse(JSON.parse(process.argv[2] ?? ''));

function tell(message: object): void {
  writeSync(3, `${JSON.stringify(message)}\n`);
}

function knownAttempt(targets: readonly Target[], at: number): Attempt | undefined {
  const defect = KNOWN[at];
  if (defect === undefined) return undefined;
  const target = targets.find(({ name }) => name === defect.target);
  if (target === undefined) throw new Error(`no target is named ${defect.target}`);
  return { target, input: defect.input };
}

const targets = await allTargets(root);
for (let iteration = from; Date.now() < until; iteration++) {
  const attempt = known ? knownAttempt(targets, iteration) : makeAttempt(targets, seed, iteration);
  if (attempt === undefined) break;
  tell({ iteration, target: attempt.target.name });
  const failure = await runAttempt(attempt);
  if (failure !== undefined) tell({ iteration, target: attempt.target.name, failure });
}
