import { createHash } from 'node:crypto';
import { netnsName } from '../netns/lab-namespaces.js';
import { addFlannelRules } from './flannel-iptables.js';
import { addKubeProxyRules } from './kube-proxy-iptables.js';
import { kubernetesObjects, podUid } from './kubernetes-objects.js';
import type { NamespacePlan } from './plan.js';
import { RuleSet } from './rule-set.js';
import type { Topology } from './topology.js';
import { gatewayOf, nodeOf, type ClusterSpec, type HostSpec, type NodeSpec, type PodSpec } from './spec.js';

const ROUTER = 'router';
const ROUTER_INSIDE = '10.10.0.1';
const ROUTER_OUTSIDE = '203.0.113.1';

// Rate-limited ICMP errors would turn refusals into time-outs at random.
const ICMP_SYSCTLS = { 'net.ipv4.icmp_ratelimit': 0, 'net.ipv4.icmp_ratemask': 0 };
const NODE_SYSCTLS = {
  ...ICMP_SYSCTLS,
  'net.ipv4.ip_forward': 1,
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.default.rp_filter': 2,
  'net.ipv4.conf.all.route_localnet': 1,
  'net.bridge.bridge-nf-call-iptables': 1,
  'net.bridge.bridge-nf-call-ip6tables': 1,
};

/** Nodes on one segment behind a router, pods on bridges, routes to the pods of other nodes through their node. */
export const FLANNEL_HOST_GW: Topology = {
  name: 'flannel-host-gw.iptables',
  plan: planFlannelHostGw,
  objects: kubernetesObjects,
  // The router delivers, and loses without a word what it has no route for.
  underlay: { routes: [], snat: [], unknown: 'lost' },
};

function planFlannelHostGw(cluster: ClusterSpec): readonly NamespacePlan[] {
  return [
    planRouter(cluster),
    ...cluster.external.map(planHost),
    ...cluster.nodes.map((node) => planNode(node, cluster)),
    ...cluster.pods.map((pod) => planPod(pod, cluster)),
  ];
}

/** The underlay: a bridge that nodes hang on, and a leg to the outside. What it has no route for is lost without a word. */
function planRouter(cluster: ClusterSpec): NamespacePlan {
  const bridge = (name: string, address: string) => [
    `link add ${name} type bridge`,
    `address add ${address}/24 dev ${name}`,
    `link set ${name} up`,
  ];
  return {
    name: ROUTER,
    sysctls: { ...ICMP_SYSCTLS, 'net.ipv4.ip_forward': 1, 'net.bridge.bridge-nf-call-iptables': 0 },
    ip: [
      'link set lo up',
      ...bridge('inside', ROUTER_INSIDE),
      ...bridge('outside', ROUTER_OUTSIDE),
      'route add blackhole default',
    ],
    ipLater: [
      ...cluster.nodes.flatMap(({ name }) => [`link set ${name} master inside`, `link set ${name} up`]),
      ...cluster.external.flatMap(({ name }) => [`link set ${name} master outside`, `link set ${name} up`]),
    ],
    listens: [],
  };
}

function planHost(host: HostSpec): NamespacePlan {
  return {
    name: host.name,
    sysctls: ICMP_SYSCTLS,
    ip: [
      'link set lo up',
      uplink(host.name, host.address),
      `address add ${host.address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${ROUTER_OUTSIDE}`,
    ],
    listens: host.listens,
    address: host.address,
    dump: { kind: 'external', name: host.name },
  };
}

function planNode(node: NodeSpec, cluster: ClusterSpec): NamespacePlan {
  const others = cluster.nodes.filter((other) => other !== node);
  const pods = cluster.pods.filter((pod) => pod.node === node.name);
  const rules = new RuleSet();
  addKubeProxyRules(rules, cluster);
  addFlannelRules(rules, cluster.podNetwork, node.podCidr);
  const gateway = gatewayOf(node.podCidr);
  return {
    name: node.name,
    sysctls: NODE_SYSCTLS,
    ip: [
      'link set lo up',
      uplink(node.name, node.address),
      `address add ${node.address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${ROUTER_INSIDE} dev eth0`,
      `link add cni0 address ${macOf('0e:fe', gateway)} type bridge`,
      `address add ${gateway}/24 brd + dev cni0`,
      'link set cni0 up',
      ...others.map((other) => `route add ${other.podCidr} via ${other.address} dev eth0`),
    ],
    ipLater: pods.flatMap((pod) => {
      const veth = vethOf(pod);
      return [`link set ${veth} master cni0`, `link set ${veth} type bridge_slave hairpin on`, `link set ${veth} up`];
    }),
    iptables: rules.print(),
    listens: node.listens,
    address: node.address,
    dump: { kind: 'node', name: node.name },
  };
}

/** As the CNI plugin `bridge` with flannel's delegate leaves a pod. */
function planPod(pod: PodSpec, cluster: ClusterSpec): NamespacePlan {
  const gateway = gatewayOf(nodeOf(pod.node, cluster).podCidr);
  const mac = macOf('0a:58', pod.address);
  return {
    name: `pod-${pod.namespace}-${pod.name}`,
    sysctls: ICMP_SYSCTLS,
    ip: [
      'link set lo up',
      `link add eth0 address ${mac} type veth peer name ${vethOf(pod)} netns ${netnsName(pod.node)}`,
      `address add ${pod.address}/24 brd + dev eth0`,
      'link set eth0 up',
      `route add default via ${gateway} dev eth0`,
      `route add ${cluster.podNetwork} via ${gateway} dev eth0`,
    ],
    listens: pod.listens,
    address: pod.address,
    dump: { kind: 'pod', namespace: pod.namespace, name: pod.name, node: pod.node, uid: podUid(pod) },
  };
}

/** eth0, with its other end in the router, where it has the name of the host. */
function uplink(name: string, address: string): string {
  return `link add eth0 address ${macOf('02:42', address)} type veth peer name ${name} netns ${netnsName(ROUTER)}`;
}

function vethOf(pod: PodSpec): string {
  return `veth${createHash('sha256').update(`${pod.namespace}/${pod.name}`).digest('hex').slice(0, 8)}`;
}

/** A MAC that follows from the address, so that dumps of two runs can be compared. */
function macOf(prefix: string, address: string): string {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return `${prefix}:${octets.join(':')}`;
}
