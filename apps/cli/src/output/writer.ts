import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** The reader of standard output has gone (`| head`): no error of anybody's, and no reason to go on. */
export class BrokenPipe extends Error {
  constructor(readonly status: number) {
    super('standard output was closed');
  }
}

/** Writes at the pace of the reader, so that answers never pile up in memory. */
export class Writer {
  private failure: Error | undefined;

  constructor(
    private readonly stream: Writable,
    private readonly signal: AbortSignal,
  ) {
    stream.on('error', (error) => {
      this.failure = error;
    });
  }

  async write(text: string, statusSoFar: number): Promise<void> {
    this.throwIfFailed(statusSoFar);
    if (this.stream.write(text)) return;
    try {
      await once(this.stream, 'drain', { signal: this.signal });
    } catch (error) {
      if (this.signal.aborted) throw error;
      this.failure ??= error instanceof Error ? error : new Error(String(error));
    }
    this.throwIfFailed(statusSoFar);
  }

  private throwIfFailed(status: number): void {
    const { failure } = this;
    if (failure === undefined) return;
    if ('code' in failure && failure.code === 'EPIPE') throw new BrokenPipe(status);
    throw failure;
  }
}
