import type { Clock } from './clock.js';

/** What one account may be asked, by everybody in this process together. */
export interface GateLimits {
  /** Calls that are open at the same time. */
  readonly concurrency: number;
  /** Calls that begin in one second, on average; as many may begin at once. */
  readonly callsPerSecond: number;
}

/**
 * Lets calls of one account through: so many at once, so many a second. The clouds count calls by account, so all clusters of an
 * account share one. First come, first served.
 */
export class AccountGate {
  private open = 0;
  private tokens: number;
  private filledAt: number;
  private pausedUntil = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly limits: GateLimits,
    private readonly clock: Clock,
  ) {
    this.tokens = Math.max(1, limits.callsPerSecond);
    this.filledAt = clock.now();
  }

  /** Runs `act` when it is its turn. `act` is not begun after the signal aborts. */
  async pass<T>(act: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    await this.enter(signal);
    try {
      await this.takeToken(signal);
      return await act();
    } finally {
      this.leave();
    }
  }

  /** After a throttled call nobody of the account asks for this long: every further call would be throttled, and counted. */
  pauseFor(ms: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.clock.now() + ms);
  }

  private async enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.open < this.limits.concurrency) {
      this.open += 1;
      return;
    }
    // Who leaves hands its place over, so `open` stays as it is.
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.waiting.splice(this.waiting.indexOf(enter), 1);
        reject(abortReason(signal));
      };
      this.waiting.push(enter);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.open -= 1;
    else next();
  }

  private async takeToken(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const now = this.clock.now();
      const { callsPerSecond } = this.limits;
      this.tokens = Math.min(
        Math.max(1, callsPerSecond),
        this.tokens + ((now - this.filledAt) * callsPerSecond) / 1000,
      );
      this.filledAt = now;
      const wait = Math.max(this.pausedUntil - now, this.tokens >= 1 ? 0 : ((1 - this.tokens) * 1000) / callsPerSecond);
      if (wait <= 0) {
        this.tokens -= 1;
        return;
      }
      // At least a millisecond: a fraction would come back before the clock has moved.
      await this.clock.sleep(Math.max(1, Math.ceil(wait)), signal);
    }
  }
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}

/** The gates of this process, one for each account. The limits are those of the first who asks. */
export class AccountGates {
  private readonly gates = new Map<string, AccountGate>();

  constructor(private readonly clock: Clock) {}

  of(account: string, limits: GateLimits): AccountGate {
    const known = this.gates.get(account);
    if (known !== undefined) return known;
    const gate = new AccountGate(limits, this.clock);
    this.gates.set(account, gate);
    return gate;
  }
}
