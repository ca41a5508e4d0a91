import type { Job, Queue } from 'bullmq';
import { JOBS, type JobName } from './job-catalog.js';

// Look-ups under way at the same time; more would only wait in the pool.
const PARALLEL = 50;

/**
 * Makes sure that each row has a job that will run: adds what is missing, replaces what has ended, leaves what waits or runs.
 * The row's id is the job's id, so however many call this, a row has one job; to ask again for rows of any number is harmless.
 */
export async function enqueue(queue: Queue, name: JobName, rowIds: readonly string[]): Promise<void> {
  for (let start = 0; start < rowIds.length; start += PARALLEL) {
    const part = rowIds.slice(start, start + PARALLEL);
    const needed = await Promise.all(part.map((id) => makeRoom(queue, id)));
    const { options, payloadFor } = JOBS[name];
    const jobs = part
      .filter((_, i) => needed[i] === true)
      .map((id) => ({ name, data: payloadFor(id), opts: { ...options, jobId: id } }));
    if (jobs.length > 0) await queue.addBulk(jobs);
  }
}

/** False when the row's job is still to run. A job that has ended is removed: adding another one under its id would do nothing. */
async function makeRoom(queue: Queue, id: string): Promise<boolean> {
  const job: Job | undefined = await queue.getJob(id);
  if (job === undefined) return true;
  const state = await job.getState();
  if (state === 'unknown') return true; // Removed between the two questions.
  if (state !== 'completed' && state !== 'failed') return false;
  await queue.remove(id);
  return true;
}
