import type { Input, Target } from './attempt.js';
import { fail, judgeError, pollution, type Failure } from './failure.js';
import { Random } from './random.js';

export interface Attempt {
  readonly target: Target;
  readonly input: Input;
}

/** The input of one iteration; a function of the seed and the iteration's number. */
export function makeAttempt(targets: readonly Target[], seed: number, iteration: number): Attempt {
  const random = new Random(seed, iteration);
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.next() * total;
  const target = targets.find(({ weight }) => (at -= weight) < 0) ?? targets[0];
  if (target === undefined) throw new Error('there is nothing to fuzz');
  return { target, input: target.make(random) };
}

export async function runAttempt({ target, input }: Attempt): Promise<Failure | undefined> {
  const began = process.cpuUsage();
  const failure = await judge(target, input);
  const { user } = process.cpuUsage(began);
  if (failure !== undefined) return failure;
  const polluted = pollution();
  if (polluted !== undefined) return polluted;
  return user / 1000 > target.limitMs ? fail('slow', `took ${Math.round(user / 1000)} ms of CPU time`) : undefined;
}

async function judge(target: Target, input: Input): Promise<Failure | undefined> {
  try {
    const [broken] = await target.run(input);
    return broken === undefined ? undefined : fail('broken', broken);
  } catch (error) {
    return judgeError(error);
  }
}
