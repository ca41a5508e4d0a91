import type { Queue } from 'bullmq';
import type { JobName } from './job-catalog.js';

/** Makes sure that each row has a job that will run: adds what is missing, replaces what has ended, leaves what waits or runs. */
export declare function enqueue(queue: Queue, name: JobName, rowIds: readonly string[]): Promise<void>;
