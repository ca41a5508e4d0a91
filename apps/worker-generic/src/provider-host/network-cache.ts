import { HopscopeError, zodProblems } from '#libs/model';
import type { Metrics } from '#libs/observability';
import type { ClusterRecord, Persistence, RunRecord } from '#libs/persistence';
import type { ClusterOverrides, Network, Provider, ProviderRegistry } from '#libs/provider-kit';
import { readSnapshotArchive, type SnapshotLimits } from '#libs/snapshot-archive';
import { z } from 'zod';
import { workloadsOf, type WorkloadOfPod } from './workload-of-pod.js';

export interface LoadedNetwork {
  readonly network: Network;
  readonly workloadOfPod: WorkloadOfPod;
}

export interface NetworkCacheOptions {
  readonly persistence: Pick<Persistence, 'clusters' | 'snapshots'>;
  readonly providers: ProviderRegistry;
  readonly metrics: Metrics;
  /** Networks kept; the least recently used goes first. */
  readonly size: number;
  readonly limits: Partial<SnapshotLimits>;
}

const Overrides = z.looseObject({
  networkPlugin: z.string().optional(),
  proxyMode: z.string().optional(),
  clusterCidr: z.array(z.string()).optional(),
}) satisfies z.ZodType<ClusterOverrides>;

/** Networks by snapshot and state of the cluster's settings; each is made once, however many chunks ask at a time. */
export class NetworkCache {
  private readonly networks = new Map<string, Promise<LoadedNetwork>>();

  constructor(private readonly options: NetworkCacheOptions) {}

  async get(run: RunRecord): Promise<LoadedNetwork> {
    const { snapshot } = run;
    if (snapshot === null) throw new HopscopeError('NO_SNAPSHOT', `run "${run.id}" has no snapshot to answer from`);
    const cluster = await this.options.persistence.clusters.get(run.cluster);
    if (cluster === undefined) throw new HopscopeError('CLUSTER_NOT_FOUND', `there is no cluster "${run.cluster}"`);
    const key = `${snapshot} ${cluster.updatedAt}`;
    const loading = this.networks.get(key) ?? this.load(cluster, snapshot);
    // Set again: the order of a Map is the order of use.
    this.networks.delete(key);
    this.networks.set(key, loading);
    this.evict(cluster.provider);
    try {
      return await loading;
    } catch (error) {
      if (this.networks.get(key) === loading) this.networks.delete(key);
      throw error;
    }
  }

  private async load(cluster: ClusterRecord, snapshotId: string): Promise<LoadedNetwork> {
    const provider = this.options.providers.get(cluster.provider);
    if (provider === undefined)
      throw new HopscopeError('UNKNOWN_PROVIDER', `this worker does not host the provider "${cluster.provider}"`);
    const archive = await this.options.persistence.snapshots.archive(snapshotId);
    if (archive === undefined) throw new HopscopeError('SNAPSHOT_NOT_FOUND', `there is no snapshot "${snapshotId}"`);
    const snapshot = await readSnapshotArchive(archive, this.options.limits);
    const settings = parseSettings(provider, cluster);
    const network = await provider.createNetwork({ snapshot, settings, overrides: Overrides.parse(cluster.overrides) });
    return { network, workloadOfPod: workloadsOf(snapshot) };
  }

  private evict(provider: string): void {
    for (const key of this.networks.keys()) {
      if (this.networks.size <= this.options.size) break;
      this.networks.delete(key);
    }
    this.options.metrics.cachedNetworks.set({ provider }, this.networks.size);
  }
}

function parseSettings(provider: Provider, cluster: ClusterRecord): unknown {
  const parsed = provider.config.schema.safeParse(cluster.settings);
  if (parsed.success) return parsed.data;
  const problems = zodProblems(parsed.error, '/settings');
  throw new HopscopeError(
    'INVALID_SETTINGS',
    `the settings of cluster "${cluster.name}" do not fit the provider "${provider.name}": ${problems
      .map(({ path, message }) => `${path}: ${message}`)
      .join('; ')}`,
    { problems },
  );
}
