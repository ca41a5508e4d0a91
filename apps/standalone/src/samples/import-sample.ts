import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ApiClient } from './api-client.js';
import type { SampleCase } from './sample-cases.js';

const Cluster = z.object({ name: z.string() });
const Snapshot = z.object({ id: z.string(), sha256: z.string() });
const SnapshotList = z.object({ items: z.array(Snapshot), nextPageToken: z.string().nullable() });

export interface ImportedSample {
  readonly cluster: string;
  readonly snapshot: string;
}

/** One cluster per case. What an earlier start has brought in, by the archive's hash, is used again. */
export async function importSample(api: ApiClient, directory: string, sample: SampleCase): Promise<ImportedSample> {
  const cluster = `sample-${sample.name}`;
  const archive = await readFile(join(directory, sample.archive));
  const sha256 = createHash('sha256').update(archive).digest('hex');
  if ((await api.find(`/v1/clusters/${cluster}`, Cluster)) === undefined)
    await api.call('/v1/clusters', Cluster, {
      method: 'POST',
      json: { name: cluster, provider: 'generic', access: { kind: 'snapshot' }, labels: { sample: sample.title } },
    });
  const known = await findSnapshot(api, cluster, sha256);
  const snapshot =
    known ?? (await api.call(`/v1/snapshots?cluster=${cluster}`, Snapshot, { method: 'POST', gzip: archive }));
  return { cluster, snapshot: snapshot.id };
}

async function findSnapshot(api: ApiClient, cluster: string, sha256: string) {
  let query = `cluster=${cluster}&pageSize=200`;
  for (;;) {
    const { items, nextPageToken } = await api.call(`/v1/snapshots?${query}`, SnapshotList);
    const found = items.find((item) => item.sha256 === sha256);
    if (found !== undefined || nextPageToken === null) return found;
    query = `cluster=${cluster}&pageSize=200&pageToken=${encodeURIComponent(nextPageToken)}`;
  }
}
