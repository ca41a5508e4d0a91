import type { CliIo } from '../io.js';

const SILENT_MS = 2000;
const EVERY_MS = 500;

/** A line on standard error that says what is going on, when it takes longer than two seconds and a person is looking. */
export class Progress {
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly began = performance.now();
  private shown = false;

  constructor(
    private readonly io: CliIo,
    private readonly describe: () => string,
  ) {
    // With the answers on the same terminal they are the progress.
    if (io.stderr.isTTY !== true) return;
    this.timer = setInterval(() => this.show(), EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    if (this.shown) this.io.stderr.write('\r\u001b[K');
    this.shown = false;
  }

  private show(): void {
    const elapsed = performance.now() - this.began;
    if (elapsed < SILENT_MS) return;
    this.io.stderr.write(`\r\u001b[K${this.describe()} (${Math.round(elapsed / 1000)} s)`);
    this.shown = true;
  }
}
