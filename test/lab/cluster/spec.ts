import type { PolicySpec } from './network-policy.js';

/** A cluster to build: what the Kubernetes objects say and what listens where. Faults change it before or break it after. */
export interface ClusterSpec {
  readonly name: string;
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  readonly nodes: readonly NodeSpec[];
  readonly pods: readonly PodSpec[];
  readonly services: readonly ServiceSpec[];
  readonly external: readonly HostSpec[];
  /** Addresses outside the node network that the router sends to a node, as a load balancer in front would. */
  readonly vips?: readonly { readonly address: string; readonly via: string }[];
  /** The router hides the nodes behind its outside address, and hosts outside know the nodes and the VIPs only. */
  readonly snat?: boolean;
  readonly policies?: readonly PolicySpec[];
  /** Calico writes a table of nftables, not iptables and ipsets. */
  readonly calicoInNftables?: boolean;
  /** Of the network between the nodes; default 1500. */
  readonly mtuBytes?: number;
}

/** 20 bytes of IPv4, 8 of UDP, 8 of VXLAN, 14 of Ethernet. */
const VXLAN_BYTES = 50;

/** ` mtu 8950` for lines of `ip link`; empty where the default of a new link is right. */
export function mtuText({ mtuBytes = 1500 }: ClusterSpec, isTunnelled = false): string {
  const mtu = mtuBytes - (isTunnelled ? VXLAN_BYTES : 0);
  return mtu === 1500 ? '' : ` mtu ${mtu}`;
}

export type Protocol = 'tcp' | 'udp';

export interface Socket {
  readonly protocol: Protocol;
  readonly port: number;
  /** The address that it is bound to; default: all of IPv4. */
  readonly host?: string;
  readonly ipv6Only?: boolean;
}

export interface NodeSpec {
  readonly name: string;
  readonly address: string;
  /** A /24, the first address of it is the gateway's; with Calico a block. */
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
  /** Lives in the node's namespace, with the node's address. */
  readonly hostNetwork?: boolean;
}

export interface ServiceSpec {
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  /** `None`: headless. */
  readonly clusterIp: string;
  readonly selector?: Readonly<Record<string, string>>;
  /** For a service without selector: where its EndpointSlice leads, by node name. */
  readonly onNodes?: readonly string[];
  /** For a service without selector: addresses outside the cluster. */
  readonly onAddresses?: readonly string[];
  readonly externalTrafficPolicy?: 'Cluster' | 'Local';
  readonly internalTrafficPolicy?: 'Cluster' | 'Local';
  readonly healthCheckNodePort?: number;
  readonly externalIps?: readonly string[];
  readonly loadBalancer?: { readonly ip: string; readonly sourceRanges?: readonly string[] };
  /** Session affinity by client address. */
  readonly affinitySeconds?: number;
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
  /** Absent: outside the cluster. */
  readonly node?: string;
  readonly pod?: PodSpec;
}

/** The addresses behind a service, as the endpoint slice controller finds them. */
export function endpointsOf(service: ServiceSpec, cluster: ClusterSpec): readonly EndpointAddress[] {
  const { selector, onNodes = [], onAddresses = [] } = service;
  if (selector === undefined)
    return [
      ...onNodes.map((name) => ({ address: nodeOf(name, cluster).address, node: name })),
      ...onAddresses.map((address) => ({ address })),
    ];
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

/** The pods that have a network namespace of their own on a node. */
export function podsOf(node: NodeSpec, { pods }: ClusterSpec): readonly PodSpec[] {
  return pods.filter((pod) => pod.node === node.name && pod.hostNetwork !== true);
}

/** `10.244.1.0/24` -> `10.244.1.1`. */
export function gatewayOf(podCidr: string): string {
  return podCidr.replace(/0\/24$/, '1');
}
