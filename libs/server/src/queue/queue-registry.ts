import type { Logger } from '#libs/observability';
import { enqueue, queueNameFor, type JobName, type QueueBackend } from '#libs/queue';
import { Queue } from 'bullmq';

const DELIVERY_TIMEOUT_MS = 5_000;

/** The queues that this process adds to, opened on first use: which there are follows from the providers. */
export class QueueRegistry {
  private readonly queues = new Map<string, Queue>();
  private closing = false;

  constructor(
    readonly backend: QueueBackend,
    private readonly log: Logger,
  ) {}

  get(name: string): Queue {
    const open = this.queues.get(name);
    if (open !== undefined) return open;
    const queue = new Queue(name, { connection: this.backend.connection });
    queue.on('error', (error) => {
      // A connection that is being closed may still be told that the server goes away.
      if (!this.closing) this.log.warn({ err: error, queue: name }, 'queue connection failed');
    });
    this.queues.set(name, queue);
    return queue;
  }

  /**
   * Makes sure that the rows have jobs. False when the queue does not take them now: the rows stay, a worker's sweep
   * brings them in once the queue is back.
   */
  async deliver(
    run: { readonly provider: string; readonly interactive: boolean },
    job: JobName,
    rowIds: readonly string[],
  ): Promise<boolean> {
    const name = queueNameFor(run);
    try {
      await within(DELIVERY_TIMEOUT_MS, enqueue(this.get(name), job, rowIds));
      return true;
    } catch (error) {
      this.log.warn({ err: error, queue: name, job, rows: rowIds.length }, 'jobs could not be queued, the sweep will');
      return false;
    }
  }

  /** Rejects when the back end does not answer. */
  async ping(timeoutMs: number): Promise<void> {
    await within(
      timeoutMs,
      this.get(queueNameFor({ provider: 'generic', interactive: false })).getJobCounts('waiting'),
    );
  }

  async close(): Promise<void> {
    this.closing = true;
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
    this.queues.clear();
  }
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
