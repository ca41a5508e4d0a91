import type { KubernetesObject } from '#libs/model';
import { accountOf } from './credential-settings.js';
import { AccountGates } from './account-gate.js';
import { credentialsOf, type AliyunProcess, type AliyunSettings } from './aliyun-settings.js';
import { systemClock, type Clock } from './clock.js';
import { CloudApi } from './cloud-api.js';
import { CloudCallError } from './cloud-call-error.js';
import { Connections } from './connections.js';
import { startDeadline } from './deadline.js';
import { gather, type GatherScope } from './gather.js';
import { emptyGathered, LOOKED_UP, type Gathered } from './gathered.js';
import { instanceRefs, type ForeignNode, type InstanceRef } from './instance-refs.js';
import { loadBalancerRefs, type LoadBalancerRef } from './load-balancer-refs.js';

/** A look at the cloud of one cluster, in the cloud's own words. */
export interface Looked {
  readonly nodes: readonly InstanceRef[];
  readonly foreignNodes: readonly ForeignNode[];
  /** The services whose load balancers were looked for. */
  readonly services: readonly LoadBalancerRef[];
  readonly regions: readonly Gathered[];
}

export interface LookRequest {
  readonly objects: readonly KubernetesObject[];
  readonly settings: AliyunSettings;
  readonly signal?: AbortSignal;
}

/** Looks at clusters' clouds. One for a process: the limits of accounts and the clients are shared by all clusters. */
export class CloudLooker {
  private readonly connections: Connections;
  private readonly gates: AccountGates;

  constructor(
    private readonly process: AliyunProcess,
    private readonly clock: Clock = systemClock,
  ) {
    this.connections = new Connections(process);
    this.gates = new AccountGates(clock);
  }

  /** Throws only for settings that cannot be right, and when the caller gives up; the cloud's failures are part of the answer. */
  async look({ objects, settings, signal }: LookRequest): Promise<Looked> {
    const { instances, foreign } = instanceRefs(objects);
    const services = loadBalancerRefs(objects);
    const scopes = scopesOf(services, settings, instances);
    if (scopes.length === 0) {
      return { nodes: instances, foreignNodes: foreign, services, regions: [nothingOf('', NO_REGION)] };
    }
    const deadline = startDeadline(this.clock, this.process.lookUpTimeoutMs, signal);
    try {
      const regions = await Promise.all(scopes.map((scope) => this.lookAt(scope, settings, deadline)));
      return { nodes: instances, foreignNodes: foreign, services, regions };
    } finally {
      deadline.close();
    }
  }

  private lookAt(
    scope: GatherScope,
    settings: AliyunSettings,
    deadline: ReturnType<typeof startDeadline>,
  ): Promise<Gathered> {
    const { concurrency, callsPerSecond, callTimeoutMs, maxAttempts } = this.process;
    const credentials = credentialsOf(settings, this.process);
    if (credentials === undefined) return Promise.resolve(nothingOf(scope.region, NO_KEYS));
    const connection = this.connections.of(credentials, scope.region);
    const api = new CloudApi(connection.sdk, connection.credentials, {
      gate: this.gates.of(accountOf(credentials), { concurrency, callsPerSecond }),
      policy: { maxAttempts, callTimeoutMs, firstPauseMs: 500, maxPauseMs: 8000 },
      clock: this.clock,
      deadline,
    });
    return gather(api, scope);
  }
}

const NO_KEYS = new CloudCallError(
  'auth',
  'look-up',
  'the cluster has no access key of its own, and the worker lends it none (credentials: none)',
);
const NO_REGION = new CloudCallError(
  'bad-request',
  'look-up',
  'no region is known to look in: no node has the provider id of an ECS instance; set the region of the cluster',
);

/** Nothing was looked at: every kind says why, since empty lists alone would read as "there is nothing". */
const nothingOf = (region: string, error: CloudCallError): Gathered => ({
  ...emptyGathered(region),
  failures: LOOKED_UP.map((kind) => ({ kind, error })),
});

/** One scope for each region; load balancers are looked for in the region of the settings, else where the most nodes are. */
function scopesOf(
  services: readonly LoadBalancerRef[],
  settings: AliyunSettings,
  instances: readonly InstanceRef[],
): readonly GatherScope[] {
  const byRegion = new Map<string, string[]>();
  for (const { region, instanceId } of instances) byRegion.set(region, [...(byRegion.get(region) ?? []), instanceId]);
  const largest = [...byRegion].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0];
  const home = settings.region ?? largest;
  if (home === undefined) return [];
  const regions = new Set([home, ...byRegion.keys()]);
  return [...regions].map((region) => ({
    region,
    instanceIds: byRegion.get(region) ?? [],
    vpcIds: region === home ? settings.vpcIds : [],
    loadBalancers: region === home ? services : [],
  }));
}
