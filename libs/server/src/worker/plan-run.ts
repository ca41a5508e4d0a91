import type { Persistence } from '#libs/persistence';
import type { QueueRegistry } from '../queue/queue-registry.js';

/** Settles the snapshot of a run, cuts it into chunks and queues them. May run any number of times. */
export async function planRun(
  { runs, snapshots }: Pick<Persistence, 'runs' | 'snapshots'>,
  queues: QueueRegistry,
  runId: string,
  chunkSize: number,
): Promise<void> {
  const run = await runs.get(runId);
  if (run === undefined) return;
  if (run.snapshot === null) {
    const newest = await snapshots.newest(run.cluster, run.maxAgeSeconds ?? undefined);
    if (newest === undefined) {
      await runs.fail(runId, {
        code: 'NO_SNAPSHOT',
        message: `cluster "${run.cluster}" has no snapshot that is fresh enough; upload one and submit the run again`,
      });
      return;
    }
    await runs.useSnapshot(runId, newest.id);
  }
  const planned = await runs.plan(runId, { chunkSize });
  if (planned.chunkIds.length === 0) return;
  if (await queues.deliver(planned.run, 'chunk', planned.chunkIds)) await runs.markQueued(planned.chunkIds);
}
