/** A cluster to build: what the Kubernetes objects say and what listens where. Faults change it before or break it after. */
export interface ClusterSpec {
  readonly name: string;
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  readonly nodes: readonly NodeSpec[];
  readonly pods: readonly PodSpec[];
  readonly services: readonly ServiceSpec[];
  readonly external: readonly HostSpec[];
}

export type Protocol = 'tcp' | 'udp';

export interface Socket {
  readonly protocol: Protocol;
  readonly port: number;
}

export interface NodeSpec {
  readonly name: string;
  readonly address: string;
  /** A /24; the first address of it is the bridge's. */
  readonly podCidr: string;
  readonly listens: readonly Socket[];
}

export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly address: string;
  /** The StatefulSet that made it. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What its containers declare. */
  readonly ports: readonly (Socket & { readonly name: string })[];
  /** What really listens. */
  readonly listens: readonly Socket[];
}

export interface ServiceSpec {
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ClusterIP' | 'NodePort';
  readonly clusterIp: string;
  readonly selector?: Readonly<Record<string, string>>;
  /** For a service without selector: where its EndpointSlice leads, by node name. */
  readonly onNodes?: readonly string[];
  readonly port: Socket & { readonly name: string; readonly targetPort: number; readonly nodePort?: number };
}

/** A host outside the cluster, behind the router. */
export interface HostSpec {
  readonly name: string;
  readonly address: string;
  readonly listens: readonly Socket[];
}

export interface EndpointAddress {
  readonly address: string;
  readonly node: string;
  readonly pod?: PodSpec;
}

/** The addresses behind a service, as the endpoint slice controller finds them. */
export function endpointsOf(service: ServiceSpec, cluster: ClusterSpec): readonly EndpointAddress[] {
  const { selector, onNodes = [] } = service;
  if (selector === undefined) return onNodes.map((name) => ({ address: nodeOf(name, cluster).address, node: name }));
  const wanted = Object.entries(selector);
  return cluster.pods
    .filter((pod) => pod.namespace === service.namespace && wanted.every(([key, value]) => pod.labels[key] === value))
    .map((pod) => ({ address: pod.address, node: pod.node, pod }));
}

export function nodeOf(name: string, cluster: ClusterSpec): NodeSpec {
  const node = cluster.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`lab: no node ${name}`);
  return node;
}

/** `10.244.1.0/24` -> `10.244.1.1`. */
export function gatewayOf(podCidr: string): string {
  return podCidr.replace(/0\/24$/, '1');
}
