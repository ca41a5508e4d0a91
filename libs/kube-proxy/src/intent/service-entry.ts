import type { ClusterIndex, NodeObject, ServiceObject, ServicePort } from '#libs/cluster';
import { familyOf, type Family, type Ip, type Place } from '#libs/model';

/** The kinds of address that kube-proxy answers for. */
type EntryKind = 'clusterIP' | 'externalIP' | 'loadBalancer' | 'nodePort';

/** One service port: everything kube-proxy programs is per port. */
export interface ServicePortRef {
  readonly service: ServiceObject;
  readonly port: ServicePort;
}

/** One address and port at which a service port is asked for. */
export interface ServiceEntry extends ServicePortRef {
  readonly kind: EntryKind;
  readonly ip: Ip;
  /** The port in the packet: the service port, or the node port. */
  readonly dport: number;
}

/** Why kube-proxy writes nothing for a service (apis/core/helper ShouldSkipService in pkg/proxy/util/utils.go); undefined when it does. */
export function notProxied(
  service: ServiceObject,
): 'headless' | 'external-name' | 'other-proxy' | 'no-address' | undefined {
  if (service.type === 'ExternalName') return 'external-name';
  if (service.proxyName !== undefined) return 'other-proxy';
  if (service.headless) return 'headless';
  return service.clusterIps.length === 0 ? 'no-address' : undefined;
}

/** The service port behind an address and port of a packet: cluster, external and balancer addresses, then node ports. */
export function findEntry(cluster: ClusterIndex, dst: Ip, dport: number, protocol: string): ServiceEntry | undefined {
  for (const service of cluster.servicesAt(dst)) {
    const port = service.ports.find((one) => one.port === dport && one.protocol === protocol);
    if (port !== undefined) return { service, port, kind: kindAt(service, dst), ip: dst, dport };
  }
  if (cluster.nodeAt(dst) === undefined) return undefined;
  const [owner] = cluster.servicesAtNodePort(dport, protocol);
  return owner === undefined ? undefined : { ...owner, kind: 'nodePort', ip: dst, dport };
}

function kindAt(service: ServiceObject, ip: Ip): EntryKind {
  if (service.clusterIps.includes(ip)) return 'clusterIP';
  return service.externalIps.includes(ip) ? 'externalIP' : 'loadBalancer';
}

/**
 * Every entry of a service port on a node. A family without cluster IP has none at all (newServicePortMap() asks for the
 * cluster IP of the family first). Node ports are given at the node's internal addresses: those every mode serves.
 */
export function entriesOf(ref: ServicePortRef, node: NodeObject | undefined): ServiceEntry[] {
  const { service, port } = ref;
  if (notProxied(service) !== undefined) return [];
  const families = new Set(clusterIpsServed(service).map(familyOf));
  const served = (ip: Ip): boolean => families.has(familyOf(ip));
  const at = (kind: EntryKind, ip: Ip, dport: number): ServiceEntry => ({ ...ref, kind, ip, dport });
  return [
    ...clusterIpsServed(service).map((ip) => at('clusterIP', ip, port.port)),
    ...service.externalIps.filter(served).map((ip) => at('externalIP', ip, port.port)),
    ...service.ingressIps.filter(served).map((ip) => at('loadBalancer', ip, port.port)),
    ...(port.nodePort === undefined
      ? []
      : (node?.internalIps ?? []).filter(served).map((ip) => at('nodePort', ip, port.nodePort ?? 0))),
  ];
}

/** The first cluster IP of each family: GetClusterIPByFamily(). */
function clusterIpsServed({ clusterIps }: ServiceObject): Ip[] {
  return clusterIps.filter((ip, at) => clusterIps.findIndex((other) => familyOf(other) === familyOf(ip)) === at);
}

export function isExternallyAccessible({ service, port }: ServicePortRef, family: Family): boolean {
  return (
    port.nodePort !== undefined || [...service.externalIps, ...service.ingressIps].some((ip) => familyOf(ip) === family)
  );
}

export function isInternalLocal({ internalTrafficPolicy }: ServiceObject): boolean {
  return internalTrafficPolicy === 'Local';
}

/** ExternalPolicyLocal() of pkg/api/v1/service: the field counts only where the service can be asked from outside. */
export function isExternalLocal({ type, externalIps, externalTrafficPolicy }: ServiceObject): boolean {
  const accessible = type === 'LoadBalancer' || type === 'NodePort' || externalIps.length > 0;
  return accessible && externalTrafficPolicy === 'Local';
}

export function placeOfService({ namespace, name }: ServiceObject): Place {
  return { kind: 'service', namespace, name };
}
