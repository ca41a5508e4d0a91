import type { AccountGate } from './account-gate.js';
import { classifyError } from './classify-error.js';
import type { Clock } from './clock.js';
import { CloudCallError } from './cloud-call-error.js';
import { DeadlinePassed, raceSignal, startDeadline, type Deadline } from './deadline.js';

interface RetryPolicy {
  /** All attempts together. */
  readonly maxAttempts: number;
  /** Limit of one attempt, in milliseconds. */
  readonly callTimeoutMs: number;
  /** The first pause is at most this long, each further one twice as long, up to `maxPauseMs`. */
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

export interface CallContext {
  readonly gate: AccountGate;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  /** Of the whole look-up: no attempt and no pause goes beyond. */
  readonly deadline: Deadline;
}

/**
 * Makes a call until it gives an answer, cannot be expected to, or time is up. Throws a CloudCallError, or why the caller gave up.
 * Pauses are random between nothing and the limit ("full jitter"): clients that were throttled together must not come back together.
 */
export async function callWithRetries<T>(
  action: string,
  attempt: (timeoutMs: number) => Promise<T>,
  context: CallContext,
): Promise<T> {
  const { policy, clock, gate, deadline } = context;
  for (let tried = 1; ; tried += 1) {
    try {
      return await gate.pass(() => limited(attempt, context), deadline.signal);
    } catch (error) {
      const failure = failureOf(action, error, deadline);
      if (!failure.retryable || tried >= policy.maxAttempts) throw failure;
      const pause = pauseAfter(tried, failure, context);
      if (clock.now() + pause >= deadline.at) throw failure;
      if (failure.kind === 'throttled') gate.pauseFor(pause);
      await clock.sleep(pause, deadline.signal).catch((reason: unknown) => {
        throw failureOf(action, reason, deadline);
      });
    }
  }
}

/** The SDK knows no way to cancel; its own time limit closes the socket, ours ends the waiting. */
async function limited<T>(attempt: (timeoutMs: number) => Promise<T>, context: CallContext): Promise<T> {
  const { policy, clock, deadline } = context;
  const timeoutMs = Math.max(1, Math.min(policy.callTimeoutMs, Math.floor(deadline.at - clock.now())));
  const limit = startDeadline(clock, timeoutMs, deadline.signal);
  try {
    return await raceSignal(attempt(timeoutMs), limit.signal);
  } finally {
    limit.close();
  }
}

/** What an error of an attempt means: time that is up is told from the caller's giving up, which is passed on. */
export function failureOf(action: string, error: unknown, deadline: Deadline): CloudCallError {
  if (deadline.signal.aborted) {
    const reason: unknown = deadline.signal.reason;
    if (!(reason instanceof DeadlinePassed)) throw reason;
    return new CloudCallError('timeout', action, `${action} was not answered before the time of the look-up was up`, {
      final: true,
    });
  }
  if (error instanceof DeadlinePassed) return new CloudCallError('timeout', action, `${action} got no answer in time`);
  return classifyError(action, error);
}

function pauseAfter(tried: number, failure: CloudCallError, { policy, clock }: CallContext): number {
  const limit = Math.min(policy.maxPauseMs, policy.firstPauseMs * 2 ** (tried - 1));
  const asked = failure.details.retryAfterMs;
  if (asked === undefined) return Math.ceil(clock.random() * limit);
  return asked + Math.ceil(clock.random() * policy.firstPauseMs);
}
