/** One thing to time, called again and again. */
export interface Act {
  readonly name: string;
  /** `index` counts the calls. */
  run(index: number): void;
}

const SLICE_MS = 60;
const ROUNDS = 16;
const WARM_UP_MS = 400;
/** All packets of an act pass at least once before it is timed: what is compiled when first asked for is compiled then. */
const WARM_UP_CALLS = 10_000;

/**
 * Microseconds of CPU time that one call of each act takes. The acts take turns, so that what else the machine does meets all
 * machine does meets all alike, and the lower quartile of the turns counts.
 */
export function sideBySide(acts: readonly Act[]): Map<string, number> {
  const clocks = acts.map((act) => new Clock(act));
  for (const clock of clocks) clock.warmUp();
  for (let round = 0; round < ROUNDS; round++) for (const clock of clocks) clock.turn(SLICE_MS);
  return new Map(clocks.map((clock) => [clock.act.name, clock.lowerQuartile()]));
}

class Clock {
  private calls = 0;
  private readonly turns: number[] = [];

  constructor(readonly act: Act) {}

  warmUp(): void {
    const began = performance.now();
    // A slow act has nothing that is compiled late.
    while (performance.now() - began < WARM_UP_MS || (this.calls < WARM_UP_CALLS && this.calls > 2000))
      for (let i = 0; i < 16; i++) this.act.run(this.calls++);
  }

  /** The clock is looked at every few calls only: that is dearer than a short act. */
  turn(milliseconds: number): void {
    const began = process.cpuUsage();
    let count = 0;
    let passed = 0;
    for (let batch = 1; passed < milliseconds * 1000; batch = Math.min(batch * 2, 256)) {
      for (let i = 0; i < batch; i++) this.act.run(this.calls++);
      count += batch;
      const { user, system } = process.cpuUsage(began);
      passed = user + system;
    }
    this.turns.push(passed / count);
  }

  lowerQuartile(): number {
    return this.turns.toSorted((a, b) => a - b)[Math.floor(this.turns.length / 4)] ?? Number.NaN;
  }
}
