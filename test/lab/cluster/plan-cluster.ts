import type { CniWiring } from '../cni/wiring.js';
import { netnsName } from '../netns/lab-namespaces.js';
import { addKubeProxyRules } from './kube-proxy-iptables.js';
import { kubeProxyNftables } from './kube-proxy-nftables.js';
import { addKubeletChains, addKubeletJumps } from './kubelet-iptables.js';
import { podUid } from './kubernetes-objects.js';
import { macOf, podNetnsName } from './names.js';
import type { NamespacePlan } from './plan.js';
import { RuleSet } from './rule-set.js';
import { mtuText, nodeOf, type ClusterSpec, type HostSpec, type NodeSpec, type PodSpec } from './spec.js';

/** `legacy`: all rules in the tables of iptables-legacy. */
export type ProxyMode = 'iptables' | 'legacy' | 'nftables';

const ROUTER = 'router';
const ROUTER_INSIDE = '10.10.0.1';
const ROUTER_OUTSIDE = '203.0.113.1';

const HOST_SYSCTLS = {
  // Rate-limited ICMP errors would turn refusals into time-outs at random.
  'net.ipv4.icmp_ratelimit': 0,
  'net.ipv4.icmp_ratemask': 0,
  // A redirect is state that no dump holds.
  'net.ipv4.conf.all.accept_redirects': 0,
  'net.ipv4.conf.default.accept_redirects': 0,
};
/** Per namespace since Linux 6.11, for all together before: errors for many probes that fail in one moment. */
const ICMP_LIMITS = { 'net.ipv4.icmp_msgs_per_sec': 100_000, 'net.ipv4.icmp_msgs_burst': 100_000 };
const NODE_SYSCTLS = {
  ...HOST_SYSCTLS,
  'net.ipv4.ip_forward': 1,
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.default.rp_filter': 2,
  'net.bridge.bridge-nf-call-iptables': 1,
  'net.bridge.bridge-nf-call-ip6tables': 1,
};

/** Nodes on one segment behind a router, pods as the CNI plugin wires them, hosts outside. */
export function planCluster(cluster: ClusterSpec, cni: CniWiring, mode: ProxyMode): readonly NamespacePlan[] {
  return withQuickArp([
    planRouter(cluster),
    ...cluster.external.map((host) => planHost(host, cluster)),
    ...cluster.nodes.map((node) => planNode(node, cluster, cni, mode)),
    ...cluster.pods.filter(({ hostNetwork }) => hostNetwork !== true).map((pod) => planPod(pod, cluster, cni)),
  ]);
}

/** An address that nobody has is given up after 3 tries: 0.6 s instead of 3 s, so that probes need not wait long. */
function withQuickArp(plans: readonly NamespacePlan[]): readonly NamespacePlan[] {
  const quick = (device: string) => `ntable change name arp_cache dev ${device} retrans 200`;
  return plans.map((plan) => {
    const own = plan.ip.flatMap((line) => /^link add (\S+)/.exec(line)?.[1] ?? []);
    const peers = plans
      .flatMap(({ ip }) => ip)
      .flatMap((line) => {
        const [, peer = '', netns] = / peer name (\S+)(?: .*)? netns (\S+)$/.exec(line) ?? [];
        return netns === netnsName(plan.name) ? [peer] : [];
      });
    return {
      ...plan,
      sysctlsIfThere: ICMP_LIMITS,
      ip: [...plan.ip, ...own.map(quick)],
      ipLater: [...peers.map(quick), ...(plan.ipLater ?? [])],
    };
  });
}

/** The underlay: a bridge that nodes hang on, and a leg to the outside. What it has no route for is lost without a word. */
function planRouter(cluster: ClusterSpec): NamespacePlan {
  const bridge = (name: string, address: string) => [
    `link add ${name} type bridge`,
    `address add ${address}/24 dev ${name}`,
    `link set ${name} up`,
  ];
  const inside = `${ROUTER_INSIDE.replace(/\d+$/, '0')}/24`;
  return {
    name: ROUTER,
    sysctls: {
      ...HOST_SYSCTLS,
      'net.ipv4.ip_forward': 1,
      'net.ipv4.conf.all.send_redirects': 0,
      'net.ipv4.conf.default.send_redirects': 0,
      'net.ipv4.conf.all.rp_filter': 0,
      'net.ipv4.conf.default.rp_filter': 0,
      'net.bridge.bridge-nf-call-iptables': 0,
    },
    ip: [
      'link set lo up',
      ...bridge('inside', ROUTER_INSIDE),
      ...bridge('outside', ROUTER_OUTSIDE),
      'route add blackhole default',
      ...(cluster.vips ?? []).map(({ address, via }) => `route add ${address}/32 via ${nodeOf(via, cluster).address}`),
    ],
    ipLater: [
      ...cluster.nodes.flatMap(({ name }) => [`link set ${name} master inside`, `link set ${name} up`]),
      ...cluster.external.flatMap(({ name }) => [`link set ${name} master outside`, `link set ${name} up`]),
    ],
    ...(cluster.snat === true
      ? {
          iptables: `*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -s ${inside} -o outside -j SNAT --to-source ${ROUTER_OUTSIDE}\nCOMMIT\n`,
        }
      : {}),
    listens: [],
  };
}

/** underlay.json: what the router does, as an operator would describe it. */
export function underlayOf(cluster: ClusterSpec): unknown {
  return {
    routes: (cluster.vips ?? []).map(({ address, via }) => ({ destination: `${address}/32`, via })),
    snat: cluster.snat === true ? [{ source: '10.10.0.0/24', to: ROUTER_OUTSIDE }] : [],
    // The router delivers, and loses without a word what it has no route for.
    unknown: 'lost',
  };
}

function planHost(host: HostSpec, cluster: ClusterSpec): NamespacePlan {
  const known = ['10.10.0.0/24', ...(cluster.vips ?? []).map(({ address }) => `${address}/32`)];
  return {
    name: host.name,
    sysctls: HOST_SYSCTLS,
    ip: [
      'link set lo up',
      uplink(host.name, host.address, cluster),
      `address add ${host.address}/24 dev eth0`,
      'link set eth0 up',
      ...(cluster.snat === true ? known : ['default']).map((to) => `route add ${to} via ${ROUTER_OUTSIDE}`),
    ],
    listens: host.listens,
    address: host.address,
    dump: { kind: 'external', name: host.name },
  };
}

function planNode(node: NodeSpec, cluster: ClusterSpec, cni: CniWiring, mode: ProxyMode): NamespacePlan {
  const rules = new RuleSet();
  const calico = cluster.calicoInNftables === true && cni.nftables !== undefined ? new RuleSet() : undefined;
  cni.addRules(calico ?? rules, node, cluster, () => {
    if (mode !== 'nftables') return addKubeProxyRules(rules, cluster, node);
    addKubeletChains(rules);
    addKubeletJumps(rules);
  });
  const wiring = cni.node(node, cluster);
  const { bridge, sysctlsLater, ipset } = wiring;
  const tables = [
    ...(mode === 'nftables' ? [kubeProxyNftables(cluster, node)] : []),
    ...(calico === undefined ? [] : (cni.nftables?.(calico, node, cluster) ?? [])),
  ];
  return {
    name: node.name,
    // Only iptables mode opens node ports on 127.0.0.1.
    sysctls: { ...NODE_SYSCTLS, 'net.ipv4.conf.all.route_localnet': mode === 'nftables' ? 0 : 1 },
    ip: [
      'link set lo up',
      uplink(node.name, node.address, cluster),
      `address add ${node.address}/24 brd + dev eth0`,
      'link set eth0 up',
      `route add default via ${ROUTER_INSIDE} dev eth0`,
      ...wiring.ip,
    ],
    ipLater: wiring.ipLater,
    ...(bridge === undefined ? {} : { bridge }),
    ...(sysctlsLater === undefined ? {} : { sysctlsLater }),
    ...(ipset === undefined ? {} : { ipset }),
    ...(mode === 'legacy' ? { legacyIptables: rules.print() } : { iptables: rules.print() }),
    ...(tables.length === 0 ? {} : { nft: tables.join('') }),
    listens: node.listens,
    address: node.address,
    dump: { kind: 'node', name: node.name },
  };
}

function planPod(pod: PodSpec, cluster: ClusterSpec, cni: CniWiring): NamespacePlan {
  return {
    name: podNetnsName(pod),
    sysctls: HOST_SYSCTLS,
    ip: ['link set lo up', ...cni.pod(pod, cluster)],
    listens: pod.listens,
    address: pod.address,
    dump: { kind: 'pod', namespace: pod.namespace, name: pod.name, node: pod.node, uid: podUid(pod) },
  };
}

/** eth0, with its other end in the router, where it has the name of the host. */
function uplink(name: string, address: string, cluster: ClusterSpec): string {
  const mtu = mtuText(cluster);
  const mac = macOf('02:42', address);
  return `link add eth0 address ${mac}${mtu} type veth peer name ${name}${mtu} netns ${netnsName(ROUTER)}`;
}
