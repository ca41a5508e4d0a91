import { raceSignal } from './deadline.js';

interface Running<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  callers: number;
}

/**
 * One look for callers that want the same: chunks of a run begin together, and each needs the same cloud. A caller that gives up leaves
 * the others waiting; the look itself ends when the last one has gone.
 */
export class SharedLooks<T> {
  private readonly running = new Map<string, Running<T>>();

  async join(name: string, look: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    const shared = this.running.get(name) ?? this.start(name, look);
    shared.callers += 1;
    try {
      return await (signal === undefined ? shared.result : raceSignal(shared.result, signal));
    } finally {
      shared.callers -= 1;
      if (shared.callers === 0) {
        this.forget(name, shared);
        shared.controller.abort(new Error('nobody waits for this look any more'));
      }
    }
  }

  private start(name: string, look: (signal: AbortSignal) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const shared: Running<T> = { result: look(controller.signal), controller, callers: 0 };
    this.running.set(name, shared);
    return shared;
  }

  /** Another look of the same name may have begun since. */
  private forget(name: string, shared: Running<T>): void {
    if (this.running.get(name) === shared) this.running.delete(name);
  }
}
