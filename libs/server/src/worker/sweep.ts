import type { Logger } from '#libs/observability';
import type { RunRepository, Stranded } from '#libs/persistence';
import type { QueueRegistry } from '../queue/queue-registry.js';

const LIMIT = 1000;

/** Brings rows back into the queue whose job vanished: a queue that was emptied, a crash between row and job. */
export async function sweep(runs: RunRepository, queues: QueueRegistry, graceMs: number, log: Logger): Promise<void> {
  const stranded = await runs.findStranded(graceMs, LIMIT);
  if (stranded.runs.length + stranded.chunks.length > 0)
    log.info({ runs: stranded.runs.length, chunks: stranded.chunks.length }, 'rows without a job');
  for (const run of stranded.runs) await queues.deliver(run, 'plan', [run.id]);
  for (const group of byQueue(stranded.chunks)) {
    const ids = group.map(({ id }) => id);
    const [first] = group;
    if (first !== undefined && (await queues.deliver(first, 'chunk', ids))) await runs.markQueued(ids);
  }
}

function byQueue(chunks: Stranded['chunks']): Stranded['chunks'][] {
  const groups = new Map<string, Stranded['chunks'][number][]>();
  for (const chunk of chunks) {
    const key = `${chunk.provider} ${chunk.interactive}`;
    const group = groups.get(key) ?? [];
    group.push(chunk);
    groups.set(key, group);
  }
  return [...groups.values()];
}
