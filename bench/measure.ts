/** One thing to time, called again and again. */
export interface Act {
  readonly name: string;
  /** `index` counts the calls. */
  run(index: number): void;
}

const TURN_MS = 2.5;
const TURNS_IN_A_ROW = 12;
const ROUNDS = 30;
const WARM_UP_MS = 300;
/** All packets of an act pass at least once before it is timed: what is compiled when first asked for is compiled then. */
const WARM_UP_CALLS = 20_000;

/**
 * Microseconds that one call of each act takes: the acts take turns, and the best turn of each counts. A turn is short enough to
 * fall between what else the machine does, and some follow each other, so that an act does not pay for the caches of the other.
 */
export function sideBySide(acts: readonly Act[]): Map<string, number> {
  const clocks = acts.map((act) => new Clock(act));
  for (const clock of clocks) clock.warmUp();
  for (let round = 0; round < ROUNDS; round++)
    for (const clock of clocks) for (let turn = 0; turn < TURNS_IN_A_ROW; turn++) clock.turn();
  return new Map(clocks.map(({ act, best }) => [act.name, best]));
}

class Clock {
  best = Infinity;
  private calls = 0;

  constructor(readonly act: Act) {}

  warmUp(): void {
    const began = performance.now();
    // A slow act compiles nothing when first asked: it need not go on for long.
    while (performance.now() - began < WARM_UP_MS || (this.calls > WARM_UP_CALLS / 10 && this.calls < WARM_UP_CALLS))
      for (let i = 0; i < 16; i++) this.act.run(this.calls++);
  }

  /** The clock is looked at every few calls only: that is dearer than a short act. */
  turn(): void {
    const began = performance.now();
    let count = 0;
    let passed = 0;
    for (let batch = 1; passed < TURN_MS; batch = Math.min(batch * 2, 256)) {
      for (let i = 0; i < batch; i++) this.act.run(this.calls++);
      count += batch;
      passed = performance.now() - began;
    }
    this.best = Math.min(this.best, (passed * 1000) / count);
  }
}
