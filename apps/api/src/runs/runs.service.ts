import { HopscopeError, normalisePair } from '#libs/model';
import { pairKey, type AskedPair, type Persistence, type RunRecord, type SnapshotRecord } from '#libs/persistence';
import { PERSISTENCE, planRun, QUEUES, type QueueRegistry } from '#libs/server';
import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { API_LIMITS, type ApiLimits } from '../api-limits.js';
import { notFound, requireRunId, requireSnapshotId } from '../http/ids.js';
import { CLUSTER_NAME } from '../schemas/cluster.js';
import type { RunEstimate } from '../schemas/run.js';

export interface AskedRun {
  readonly cluster: string;
  readonly snapshot?: string;
  readonly maxAgeSeconds?: number;
  readonly interactive?: boolean;
  readonly pairs: Iterable<AskedPair> | AsyncIterable<AskedPair>;
  readonly idempotencyKey?: string;
}

@Injectable()
export class RunsService {
  constructor(
    @Inject(PERSISTENCE) private readonly persistence: Persistence,
    @Inject(QUEUES) private readonly queues: QueueRegistry,
    @Inject(API_LIMITS) private readonly limits: ApiLimits,
  ) {}

  /** Rows first, then the job: should the second fail, a worker's sweep makes up for it. */
  async submit(asked: AskedRun): Promise<RunRecord> {
    const snapshot = await this.snapshotFor(asked);
    // A run is created as asked, without the snapshot that we chose: the same request again must look the same.
    const { run, replayed } = await this.persistence.runs.create({
      ...asked,
      ...(asked.snapshot === undefined ? {} : { snapshot: snapshot.id }),
    });
    if (replayed && run.state !== 'queued') return run;
    const settled = run.snapshot === null ? await this.persistence.runs.useSnapshot(run.id, snapshot.id) : run;
    await this.dispatch(settled);
    return settled;
  }

  /** Somebody waits for an interactive run and one pair needs no plan worth a job: its chunk is queued at once. */
  private async dispatch(run: RunRecord): Promise<void> {
    if (run.interactive) await planRun(this.persistence, this.queues, run.id, this.limits.chunkSize);
    else await this.queues.deliver(run, 'plan', [run.id]);
  }

  /** What a run would be, without storing anything. */
  async estimate(asked: AskedRun): Promise<z.output<typeof RunEstimate>> {
    const snapshot = await this.snapshotFor(asked);
    const keys = new Set<string>();
    let all = 0;
    for await (const pair of asked.pairs) {
      keys.add(pairKey(asked.cluster, normalisePair(pair)));
      all++;
    }
    return {
      pairs: keys.size,
      duplicates: all - keys.size,
      nodes: snapshot.nodes.length,
      chunks: Math.ceil(keys.size / this.limits.chunkSize),
      snapshot: snapshot.id,
    };
  }

  async get(id: string): Promise<RunRecord> {
    const run = await this.persistence.runs.get(requireRunId(id));
    if (run === undefined) throw notFound('RUN', id);
    return run;
  }

  async cancel(id: string): Promise<RunRecord> {
    return this.persistence.runs.cancel(requireRunId(id));
  }

  private async snapshotFor({ cluster, snapshot, maxAgeSeconds }: AskedRun): Promise<SnapshotRecord> {
    if (!CLUSTER_NAME.test(cluster) || (await this.persistence.clusters.get(cluster)) === undefined)
      throw notFound('CLUSTER', cluster);
    if (snapshot === undefined) return this.newestSnapshot(cluster, maxAgeSeconds);
    const found = await this.persistence.snapshots.get(requireSnapshotId(snapshot));
    if (found === undefined) throw notFound('SNAPSHOT', snapshot);
    if (found.cluster !== cluster)
      throw new HopscopeError(
        'SNAPSHOT_OF_OTHER_CLUSTER',
        `snapshot "${snapshot}" is of cluster "${found.cluster}", not of "${cluster}"`,
        { problems: [{ path: '/snapshot', code: 'SNAPSHOT_OF_OTHER_CLUSTER', message: `is of "${found.cluster}"` }] },
      );
    return found;
  }

  private async newestSnapshot(cluster: string, maxAgeSeconds: number | undefined): Promise<SnapshotRecord> {
    const newest = await this.persistence.snapshots.newest(cluster, maxAgeSeconds);
    if (newest !== undefined) return newest;
    const cure = `upload one with POST /v1/snapshots?cluster=${cluster}`;
    const what = maxAgeSeconds === undefined ? 'has no snapshot' : `has no snapshot of the last ${maxAgeSeconds} s`;
    throw new HopscopeError('NO_SNAPSHOT', `cluster "${cluster}" ${what}; ${cure}`, {
      problems: [{ path: '/cluster', code: 'NO_SNAPSHOT', message: `${what}; ${cure}` }],
    });
  }
}
