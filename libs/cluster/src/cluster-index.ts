import {
  cidrContains,
  parseCidr,
  type Cidr,
  type Ip,
  type KubernetesObject,
  type NamespaceDump,
  type Snapshot,
} from '#libs/model';
import { parse as parseYaml } from 'yaml';
import {
  configMapData,
  toNode,
  toPod,
  toService,
  toSlice,
  type NodeObject,
  type PodObject,
  type ServiceObject,
  type ServicePort,
  type SliceObject,
} from './objects.js';

interface NodePortOwner {
  readonly service: ServiceObject;
  readonly port: ServicePort;
}

/** The objects of a snapshot, by name and by address. */
export class ClusterIndex {
  readonly nodes: ReadonlyMap<string, NodeObject>;
  readonly pods: ReadonlyMap<string, PodObject>;
  readonly services: ReadonlyMap<string, ServiceObject>;
  readonly dumps: ReadonlyMap<string, NamespaceDump>;
  /** False when kubernetes.json was not collected: names and addresses cannot be looked up then. */
  readonly objectsCollected: boolean;
  readonly podCidrs: readonly Cidr[];
  readonly serviceCidrs: readonly Cidr[];
  private readonly slicesByService = new Map<string, SliceObject[]>();
  /** Objects whose shape is not that of their kind. They are not in the index: never read that as "there are none". */
  readonly unread: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[];
  private readonly podsByIp = new Map<Ip, PodObject[]>();
  private readonly finishedByIp = new Map<Ip, PodObject[]>();
  private readonly podsByNamespace = new Map<string, PodObject[]>();
  private readonly byNodePort = new Map<string, NodePortOwner[]>();
  private readonly nodesByIp = new Map<Ip, NodeObject>();
  private readonly servicesByIp = new Map<Ip, ServiceObject[]>();
  private readonly byKind = new Map<string, KubernetesObject[]>();

  constructor(
    readonly snapshot: Snapshot,
    overrides: { readonly clusterCidr?: readonly string[] } = {},
  ) {
    this.objectsCollected = snapshot.objects !== undefined;
    for (const object of snapshot.objects ?? []) append(this.byKind, object.kind, object);
    const unread: { kind: string; namespace?: string; name: string }[] = [];
    const read = <T>(kind: string, one: (object: KubernetesObject) => T | undefined): T[] =>
      this.all(kind).flatMap((object): T[] => {
        const item = one(object);
        if (item !== undefined) return [item];
        const { namespace, name } = object.metadata;
        unread.push({ kind, namespace, name });
        return [];
      });
    this.nodes = named(read('Node', toNode), (node) => node.name);
    this.pods = named(read('Pod', toPod), (pod) => `${pod.namespace}/${pod.name}`);
    this.services = named(read('Service', toService), (service) => `${service.namespace}/${service.name}`);
    this.dumps = new Map(snapshot.dumps.map((dump) => [dumpKey(dump), dump]));
    for (const slice of read('EndpointSlice', toSlice))
      if (slice.service !== undefined) append(this.slicesByService, `${slice.namespace}/${slice.service}`, slice);
    this.unread = unread;
    for (const pod of this.pods.values()) {
      append(this.podsByNamespace, pod.namespace, pod);
      if (pod.hostNetwork) continue;
      for (const ip of pod.ips) append(isAlive(pod) ? this.podsByIp : this.finishedByIp, ip, pod);
    }
    for (const node of this.nodes.values()) for (const ip of node.addresses) this.nodesByIp.set(ip, node);
    for (const service of this.services.values())
      for (const ip of [...service.clusterIps, ...service.externalIps, ...service.ingressIps])
        append(this.servicesByIp, ip, service);
    for (const service of this.services.values())
      for (const port of service.ports)
        if (port.nodePort !== undefined)
          append(this.byNodePort, `${port.protocol} ${port.nodePort}`, { service, port });
    this.podCidrs = podCidrs(this, overrides.clusterCidr);
    this.serviceCidrs = this.kubeadm('serviceSubnet');
  }

  podsAt(ip: Ip): readonly PodObject[] {
    return this.podsByIp.get(ip) ?? [];
  }

  /** Pods that had the address and are over: the next pod may have got it. */
  finishedPodsAt(ip: Ip): readonly PodObject[] {
    return this.finishedByIp.get(ip) ?? [];
  }

  podsIn(namespace: string): readonly PodObject[] {
    return this.podsByNamespace.get(namespace) ?? [];
  }

  /** Pods whose labels the service's selector matches; a service without selector selects none. */
  podsSelectedBy({ namespace, selector }: Pick<ServiceObject, 'namespace' | 'selector'>): readonly PodObject[] {
    const wanted = Object.entries(selector);
    if (wanted.length === 0) return [];
    return this.podsIn(namespace).filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value));
  }

  /** Service ports with this node port. One is the rule; an API server gives it away once per protocol. */
  servicesAtNodePort(port: number, protocol: string): readonly NodePortOwner[] {
    return this.byNodePort.get(`${protocol} ${port}`) ?? [];
  }

  nodeAt(ip: Ip): NodeObject | undefined {
    return this.nodesByIp.get(ip);
  }

  servicesAt(ip: Ip): readonly ServiceObject[] {
    return this.servicesByIp.get(ip) ?? [];
  }

  slices(service: ServiceObject): readonly SliceObject[] {
    return this.slicesByService.get(`${service.namespace}/${service.name}`) ?? [];
  }

  isPodAddress(ip: Ip): boolean {
    return this.podCidrs.some((cidr) => cidrContains(cidr, ip));
  }

  isServiceAddress(ip: Ip): boolean {
    return this.servicesByIp.has(ip) || this.serviceCidrs.some((cidr) => cidrContains(cidr, ip));
  }

  /** The node whose pod network contains the address. */
  nodeOfPodAddress(ip: Ip): NodeObject | undefined {
    for (const node of this.nodes.values()) if (node.podCidrs.some((cidr) => cidrContains(cidr, ip))) return node;
    return undefined;
  }

  configMap(namespace: string, name: string): Readonly<Record<string, string>> | undefined {
    const found = this.all('ConfigMap').find(
      ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
    );
    return found === undefined ? undefined : configMapData(found);
  }

  all(kind: string): readonly KubernetesObject[] {
    return this.byKind.get(kind) ?? [];
  }

  /** A network of kubeadm's ClusterConfiguration: podSubnet or serviceSubnet. */
  kubeadm(field: 'podSubnet' | 'serviceSubnet'): Cidr[] {
    const text = this.configMap('kube-system', 'kubeadm-config')?.ClusterConfiguration;
    if (text === undefined) return [];
    const networking = yamlField(text, 'networking');
    return typeof networking === 'object' && networking !== null
      ? cidrList((networking as Record<string, unknown>)[field])
      : [];
  }
}

export function dumpKey(dump: Pick<NamespaceDump, 'kind' | 'namespace' | 'name'>): string {
  return dump.kind === 'pod' ? `pod/${dump.namespace ?? ''}/${dump.name}` : `${dump.kind}/${dump.name}`;
}

/** A finished pod no longer owns its address. */
export function isAlive(pod: PodObject): boolean {
  return pod.phase !== 'Succeeded' && pod.phase !== 'Failed';
}

function podCidrs(index: ClusterIndex, overrides: readonly string[] | undefined): Cidr[] {
  if (overrides !== undefined && overrides.length > 0) return overrides.flatMap((text) => parseCidr(text) ?? []);
  const kubeadm = index.kubeadm('podSubnet');
  if (kubeadm.length > 0) return kubeadm;
  const proxy = index.configMap('kube-system', 'kube-proxy')?.['config.conf'];
  const fromProxy = proxy === undefined ? [] : cidrList(yamlField(proxy, 'clusterCIDR'));
  if (fromProxy.length > 0) return fromProxy;
  return [...index.nodes.values()].flatMap((node) => node.podCidrs);
}

/** One top-level field of a YAML text; undefined when the text is not YAML. Aliases are capped: the text is not trusted. */
function yamlField(text: string, field: string): unknown {
  try {
    const document: unknown = parseYaml(text, { maxAliasCount: 20 });
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>)[field] : undefined;
  } catch {
    // Not readable means not known, and the caller has other sources.
    return undefined;
  }
}

function cidrList(value: unknown): Cidr[] {
  return typeof value === 'string' ? value.split(',').flatMap((text) => parseCidr(text.trim()) ?? []) : [];
}

function named<T>(items: readonly T[], key: (item: T) => string): Map<string, T> {
  return new Map(items.map((item) => [key(item), item]));
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
