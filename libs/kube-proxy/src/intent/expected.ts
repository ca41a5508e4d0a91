import type { ClusterIndex, NodeObject } from '#libs/cluster';
import { cidrContains, familyOf, type Ip } from '#libs/model';
import { categorize, endpointsOf, type Categories, type ProxyEndpoint } from './endpoints.js';
import { isExternalLocal, isInternalLocal, type ServiceEntry } from './service-entry.js';

/** Who asks: kube-proxy treats a pod, a process of its own node and everybody else differently. */
export interface Asker {
  readonly kind: 'pod' | 'node' | 'outside';
  /** Its address, for loadBalancerSourceRanges; without it the ranges are taken as allowing. */
  readonly ip?: Ip;
}

/** Why an entry leads nowhere. */
type Emptiness = 'no-endpoints' | 'no-local-endpoint-internal' | 'no-local-endpoint-external' | 'source-range';

/** What kube-proxy on a node should make of packets to an entry. */
export interface Expected {
  readonly outcome: 'backends' | 'rejected' | 'dropped';
  /** What it chooses from, each as likely. */
  readonly endpoints: readonly ProxyEndpoint[];
  /** True when a traffic policy Local keeps the choice to this node. */
  readonly localOnly: boolean;
  readonly affinitySeconds?: number;
  readonly empty?: Emptiness;
}

/** The endpoints of a service port that are looked up and sorted once for all its entries on one node. */
export class ServiceIntent {
  private readonly byFamily = new Map<number, Categories & { readonly all: readonly ProxyEndpoint[] }>();

  constructor(
    private readonly cluster: ClusterIndex,
    private readonly node: Pick<NodeObject, 'name' | 'zone'>,
  ) {}

  categories(entry: ServiceEntry): Categories & { readonly all: readonly ProxyEndpoint[] } {
    const family = familyOf(entry.ip);
    let found = this.byFamily.get(family);
    if (found === undefined) {
      const all = endpointsOf(this.cluster, entry, family);
      found = { ...categorize(all, entry, family, this.node), all };
      this.byFamily.set(family, found);
    }
    return found;
  }

  expected(entry: ServiceEntry, asker: Asker): Expected {
    const { cluster, local, hasAny } = this.categories(entry);
    const { affinitySeconds } = entry.service;
    const nothing = (outcome: 'rejected' | 'dropped', empty: Emptiness): Expected => ({
      outcome,
      endpoints: [],
      localOnly: empty.startsWith('no-local'),
      affinitySeconds,
      empty,
    });
    if (!hasAny) return nothing('rejected', 'no-endpoints');
    if (isDeniedSource(entry, asker)) return nothing('dropped', 'source-range');
    const isLocal = isLocalOnly(entry, asker);
    const endpoints = isLocal ? local : cluster;
    if (endpoints.length === 0)
      return nothing(
        'dropped',
        entry.kind === 'clusterIP' ? 'no-local-endpoint-internal' : 'no-local-endpoint-external',
      );
    return { outcome: 'backends', endpoints, localOnly: isLocal, affinitySeconds };
  }
}

/** Pods and the node itself are short-cut past externalTrafficPolicy Local (KEP-1669, proxier.go "pod traffic for ... external destinations"). */
function isLocalOnly({ kind, service }: ServiceEntry, asker: Asker): boolean {
  if (kind === 'clusterIP') return isInternalLocal(service);
  return isExternalLocal(service) && asker.kind === 'outside';
}

/** loadBalancerSourceRanges guard the balancer's addresses only; ranges of the other family do not count. */
export function isDeniedSource({ kind, ip, service }: ServiceEntry, asker: Asker): boolean {
  if (kind !== 'loadBalancer' || asker.ip === undefined) return false;
  const ranges = service.sourceRanges.filter(({ net }) => familyOf(net) === familyOf(ip));
  const { ip: source } = asker;
  return ranges.length > 0 && !ranges.some((range) => cidrContains(range, source));
}
