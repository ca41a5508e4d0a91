import type { ClusterIndex, PodObject } from '#libs/cluster';
import {
  agentSettings,
  asRoute,
  daemonSetReasons,
  hostEndOf,
  intendedHop,
  isReplaced,
  podFindings,
  podOwner,
  PrefixConflicts,
  uniqueFindings,
  uplinkOf,
  type PodPromise,
  type RoutePromise,
} from '#libs/cni/checks';
import type { Ip } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type {
  CniNetwork,
  CniPlugin,
  Detection,
  Finding,
  IntendedNextHop,
  IntendedRoute,
  NodeNamespaces,
} from '#libs/provider-kit';
import { calicoConfig, isCalicoDaemon, type CalicoConfig } from './calico-config.js';
import { inspectCalicoNode } from './calico-node.js';
import {
  blockEvidence,
  IPIP_DEVICE,
  localFinding,
  ownerOf,
  remoteFinding,
  remotePromise,
  transport,
  VXLAN_DEVICE,
  type Transport,
} from './calico-routes.js';

/** Calico's own network, with BGP, IP-in-IP or VXLAN between the nodes. As a policy engine on another network it is not this. */
export const calico: CniPlugin = {
  name: 'calico',
  detect,
  forCluster: (cluster) => new CalicoNetwork(cluster, calicoConfig(cluster)),
};

function detect(cluster: ClusterIndex): Detection {
  const pools = cluster.all('IPPool').map(({ metadata }) => `IPPool ${metadata.name}`);
  const nodes = [...cluster.nodes.values()]
    .filter(({ annotations }) => annotations['projectcalico.org/IPv4Address'] !== undefined)
    .map(({ name }) => `annotations of node ${name}`);
  const reasons = [...daemonSetReasons(cluster, isCalicoDaemon), ...pools, ...nodes];
  const other = isReplaced(cluster, isCalicoDaemon) || policyOnly(cluster);
  return { detected: reasons.length > 0 && !other, reasons: other ? [] : reasons };
}

/** Canal, and Calico policies on the network of a cloud: somebody else connects the pods. */
function policyOnly(cluster: ClusterIndex): boolean {
  const env = agentSettings(cluster, isCalicoDaemon)?.env;
  return (
    env?.get('CALICO_NETWORKING_BACKEND') === 'none' ||
    cluster.configMap('kube-system', 'calico-config')?.calico_backend === 'none'
  );
}

class CalicoNetwork implements CniNetwork {
  readonly plugin = 'calico';
  readonly podRoutesInUnderlay = false;
  private readonly conflicts: PrefixConflicts;

  constructor(
    private readonly cluster: ClusterIndex,
    private readonly config: CalicoConfig,
  ) {
    this.conflicts = new PrefixConflicts(
      config.allBlocks.map((block) => ({ cidr: block.cidr, node: block.node, evidence: blockEvidence(block) })),
    );
  }

  routeFinding(ns: NetNamespace, dst: Ip): Finding | undefined {
    const { cluster, config } = this;
    const owner = ownerOf(cluster, config, dst);
    if (owner === undefined) return undefined;
    if (owner === ns.place.name)
      return cluster.podsAt(dst).length === 0 ? undefined : localFinding(ns, { cluster, config }, dst);
    const promise = this.remotePromise(ns, owner, dst);
    return promise === undefined ? undefined : remoteFinding(ns, config, promise, dst);
  }

  intendedRoute(ns: NetNamespace, dst: Ip): IntendedRoute | undefined {
    const owner = ownerOf(this.cluster, this.config, dst);
    if (owner === undefined) return undefined;
    if (owner === ns.place.name) {
      const dev = hostEndOf(this.cluster, ns, dst);
      return dev === undefined ? undefined : { dev };
    }
    const promise = this.remotePromise(ns, owner, dst);
    return promise === undefined ? undefined : asRoute(ns, promise);
  }

  private remotePromise(ns: NetNamespace, owner: string, dst: Ip): RoutePromise | undefined {
    const own = this.config.nodes.get(ns.place.name);
    const other = this.config.nodes.get(owner);
    if (own === undefined || other === undefined) return undefined;
    return remotePromise(ns, this.config, { own, other }, dst);
  }

  intendedNextHop(node: string, dst: Ip): IntendedNextHop | undefined {
    return intendedHop(this.cluster, (ip) => this.config.blocks.lookup(ip)?.value.node, node, dst);
  }

  /** natOutgoing of the pod's pool, for what lies in no pool (felix/rules/nat.go); a pool may stand for a network outside. */
  masquerades(pod: Ip, dst: Ip): boolean | undefined {
    const { pools } = this.config;
    const pool = pools.lookup(pod)?.value;
    return pool === undefined ? undefined : pool.natOutgoing && pools.lookup(dst) === undefined;
  }

  inspectNode(ns: NetNamespace, namespaces: NodeNamespaces): readonly Finding[] {
    const { cluster, config } = this;
    const own = config.nodes.get(ns.place.name);
    if (own === undefined) return [];
    return uniqueFindings([
      ...inspectCalicoNode(ns, own, { cluster, config, namespaces }),
      ...this.conflicts.of(own.name, ns.place),
    ]);
  }

  inspectPod(pod: NetNamespace, node: NetNamespace | undefined): readonly Finding[] {
    const object = this.cluster.pods.get(`${pod.place.namespace ?? ''}/${pod.place.name}`);
    if (object === undefined || object.hostNetwork || object.phase !== 'Running') return [];
    const promise: PodPromise = {
      pod: object,
      otherOwner: podOwner(this.cluster),
      prefixLength: 32,
      proxyArp: true,
      checkRoute: !this.config.felix.bpf,
      ...this.carrier(object, node),
    };
    return podFindings(pod, node, promise);
  }

  /** The smallest device that packets of the pod may have to pass. */
  private carrier(pod: PodObject, node: NetNamespace | undefined): Pick<PodPromise, 'carrier'> {
    const [ip] = pod.ips;
    const own = node === undefined ? undefined : this.config.nodes.get(node.place.name);
    const pool = ip === undefined ? undefined : this.config.pools.lookup(ip)?.value;
    if (node === undefined || own === undefined || pool === undefined) return {};
    const ways = new Set<Transport | undefined>();
    for (const other of this.config.nodes.values()) if (other.name !== own.name) ways.add(transport(pool, own, other));
    const device = ways.has('vxlan') ? VXLAN_DEVICE[4] : ways.has('ipip') ? IPIP_DEVICE : undefined;
    const link = device === undefined ? uplinkOf(node, own.addresses)?.link : node.link(device);
    return link === undefined ? {} : { carrier: { ns: node, link, tunnel: device !== undefined, bytes: link.mtu } };
  }
}
