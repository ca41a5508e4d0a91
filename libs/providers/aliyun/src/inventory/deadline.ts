import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.js';

/** Why a look-up was ended before its calls were all answered. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

/** Ends when the caller gives up, or when its own time is up. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** On the clock, in milliseconds. */
  readonly at: number;
  /** Stops the timer. */
  close(): void;
}

/** A signal that aborts after `ms` with DeadlinePassed, or with the reason of `outer` when that aborts first. */
export function startDeadline(clock: Clock, ms: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  // Every call that waits listens; they are as many as the calls of a look, and each takes its listener away.
  setMaxListeners(0, controller.signal);
  const timer = new AbortController();
  const abort = (): void => controller.abort(outer?.reason);
  if (outer?.aborted === true) abort();
  outer?.addEventListener('abort', abort, { once: true });
  clock.sleep(ms, timer.signal).then(
    () => controller.abort(new DeadlinePassed(`time was up after ${ms} ms`)),
    // Closed: nobody waits any more.
    () => undefined,
  );
  return {
    signal: controller.signal,
    at: clock.now() + ms,
    close: () => {
      outer?.removeEventListener('abort', abort);
      timer.abort();
    },
  };
}

/** The result of `act`, or the signal's reason as soon as it aborts; what goes on behind is not waited for. */
export async function raceSignal<T>(act: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let giveUp = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([act, aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
