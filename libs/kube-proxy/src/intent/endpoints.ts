import type { ClusterIndex, NodeObject, SliceEndpoint, SliceObject } from '#libs/cluster';
import { familyOf, formatIp, formatSocket, type Family, type Ip } from '#libs/model';
import { isExternalLocal, isExternallyAccessible, isInternalLocal, type ServicePortRef } from './service-entry.js';

/** One endpoint of one service port, as kube-proxy reads it from the slices. */
export interface ProxyEndpoint {
  readonly ip: Ip;
  readonly port: number;
  readonly node?: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly forZones: readonly string[];
  readonly forNodes: readonly string[];
  readonly pod?: SliceEndpoint['pod'];
  /** `namespace/name` of the slice that lists it. */
  readonly slice: string;
}

/** `10.244.1.2:8080`. */
export function backendText({ ip, port }: { readonly ip: Ip; readonly port: number }): string {
  return formatSocket(formatIp(ip), port);
}

/**
 * The endpoints of a service port in one family, equal sockets once (pkg/proxy/endpointslicecache.go addEndpoints()). Only the
 * first address of an endpoint is used, and the port of a slice belongs to the service port of the same name and protocol.
 */
export function endpointsOf(cluster: ClusterIndex, { service, port }: ServicePortRef, family: Family): ProxyEndpoint[] {
  const found = new Map<string, ProxyEndpoint>();
  for (const slice of cluster.slices(service)) {
    if (slice.ignoredByKubeProxy || slice.addressType === 'FQDN') continue;
    for (const one of slice.ports) {
      if ((one.name ?? '') !== (port.name ?? '') || one.protocol !== port.protocol || one.port === undefined) continue;
      for (const endpoint of slice.endpoints) addEndpoint(found, slice, endpoint, one.port, family);
    }
  }
  return [...found.values()];
}

function addEndpoint(
  found: Map<string, ProxyEndpoint>,
  slice: SliceObject,
  endpoint: SliceEndpoint,
  port: number,
  family: Family,
): void {
  const [ip] = endpoint.addresses;
  if (ip === undefined || familyOf(ip) !== family) return;
  const key = backendText({ ip, port });
  // Which of two equal ones kube-proxy keeps depends on the order of a Go map; the ready one is what its authors mean.
  if (found.get(key)?.ready === true) return;
  const { node, ready, serving, terminating, forZones, forNodes, pod } = endpoint;
  found.set(key, {
    ip,
    port,
    node,
    ready,
    serving,
    terminating,
    forZones,
    forNodes,
    pod,
    slice: `${slice.namespace}/${slice.name}`,
  });
}

/** What a node may use of the endpoints: CategorizeEndpoints() of pkg/proxy/topology.go. */
export interface Categories {
  /** For traffic policy Cluster. */
  readonly cluster: readonly ProxyEndpoint[];
  /** For traffic policy Local. */
  readonly local: readonly ProxyEndpoint[];
  /** False: nothing anywhere, refuse. True with an empty list: elsewhere only, drop. */
  readonly hasAny: boolean;
}

export function categorize(
  endpoints: readonly ProxyEndpoint[],
  ref: ServicePortRef,
  family: Family,
  node: Pick<NodeObject, 'name' | 'zone'>,
): Categories {
  const accessible = isExternallyAccessible(ref, family);
  const usesCluster = !isInternalLocal(ref.service) || accessible;
  const usesLocal = isInternalLocal(ref.service) || (isExternalLocal(ref.service) && accessible);
  const cluster = usesCluster ? clusterEndpoints(endpoints, node) : [];
  if (!usesLocal) return { cluster, local: [], hasAny: cluster.length > 0 };
  const here = endpoints.filter((endpoint) => endpoint.node === node.name);
  const ready = here.filter((endpoint) => endpoint.ready);
  return {
    cluster,
    local: ready.length > 0 ? ready : here.filter(isServingTerminating),
    hasAny: endpoints.some((endpoint) => endpoint.ready || isServingTerminating(endpoint)),
  };
}

function clusterEndpoints(
  endpoints: readonly ProxyEndpoint[],
  node: Pick<NodeObject, 'name' | 'zone'>,
): ProxyEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const prefers = hintedFor(ready, node);
  const chosen = prefers === undefined ? ready : ready.filter(prefers);
  // KEP-1669: when nothing is ready, those that still serve while they end.
  return chosen.length > 0 ? chosen : endpoints.filter(isServingTerminating);
}

/**
 * Hints count only when every ready endpoint has them and one is for this node or zone (topologyModeFromHints()); node hints
 * (trafficDistribution PreferSameNode, KEP-3015) go before zone hints (KEP-2433, KEP-4444).
 */
function hintedFor(
  ready: readonly ProxyEndpoint[],
  { name, zone }: Pick<NodeObject, 'name' | 'zone'>,
): ((endpoint: ProxyEndpoint) => boolean) | undefined {
  const forNode = ({ forNodes }: ProxyEndpoint): boolean => forNodes.includes(name);
  const forZone = ({ forZones }: ProxyEndpoint): boolean => zone !== undefined && forZones.includes(zone);
  if (ready.every(({ forNodes }) => forNodes.length > 0) && ready.some(forNode)) return forNode;
  if (ready.every(({ forZones }) => forZones.length > 0) && ready.some(forZone)) return forZone;
  return undefined;
}

function isServingTerminating({ serving, terminating }: ProxyEndpoint): boolean {
  return serving && terminating;
}
