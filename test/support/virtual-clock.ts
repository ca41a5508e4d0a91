/** Time that passes only while everybody waits: sleepers wake in the order of their times, without real waiting. */
export class VirtualClock {
  private time = 0;
  private sleepers: { at: number; wake: () => void }[] = [];
  private ticking = false;

  /** `chances` are given out in turn, then again from the start. */
  constructor(private readonly chances: readonly number[] = [0.5]) {}

  private drawn = 0;

  readonly now = (): number => this.time;

  readonly random = (): number => this.chances[this.drawn++ % this.chances.length] ?? 0;

  readonly sleep = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const sleeper = { at: this.time + ms, wake: resolve };
      signal?.addEventListener('abort', () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
      this.sleepers.push(sleeper);
      this.tick();
    });

  /** Moves on when all that can run has run: the event loop has turned and nobody has asked for less. */
  private tick(): void {
    if (this.ticking) return;
    this.ticking = true;
    setImmediate(() => {
      this.ticking = false;
      const next = this.sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) return;
      this.sleepers = this.sleepers.filter((other) => other !== next);
      this.time = Math.max(this.time, next.at);
      next.wake();
      this.tick();
    });
  }
}
