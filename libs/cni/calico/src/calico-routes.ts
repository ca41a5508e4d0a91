import type { ClusterIndex } from '#libs/cluster';
import {
  directWay,
  hostCidr,
  hostEndOf,
  localRouteProblem,
  objectEvidence,
  routeProblem,
  routeTo,
  type RoutePromise,
  type Way,
} from '#libs/cni/checks';
import { cidrContains, formatCidr, formatIp, type Cidr, type Evidence, type Ip } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { addressFor, type CalicoConfig, type CalicoNode } from './calico-config.js';
import type { Pool } from './calico-resources.js';

export const VXLAN_DEVICE = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' } as const;
export const IPIP_DEVICE = 'tunl0';
const WIREGUARD_DEVICE = 'wireguard.cali';

export type Transport = 'direct' | 'ipip' | 'vxlan';

/** How packets to an address of the pool travel between two nodes; undefined: there is no pool, nothing is promised. */
export function transport(pool: Pool | undefined, own: CalicoNode, other: CalicoNode): Transport | undefined {
  if (pool === undefined) return undefined;
  const tunnel = pool.vxlan === 'Never' ? 'ipip' : 'vxlan';
  const mode = tunnel === 'vxlan' ? pool.vxlan : pool.ipip;
  if (mode === 'Never') return 'direct';
  if (mode === 'Always') return tunnel;
  const { subnet4 } = own;
  const peer = addressFor(other, 4);
  if (subnet4 === undefined || peer === undefined) return undefined;
  return cidrContains(subnet4, peer) ? 'direct' : tunnel;
}

/** The node to which an address belongs: that of its pod, else that of its block. */
export function ownerOf(cluster: ClusterIndex, config: CalicoConfig, dst: Ip): string | undefined {
  const [pod] = cluster.podsAt(dst);
  return pod?.node ?? config.blocks.lookup(dst)?.value.node;
}

/** The route from one node to an address of another; undefined where Calico promises none, or it cannot be told. */
export function remotePromise(
  ns: NetNamespace,
  config: CalicoConfig,
  { own, other }: { readonly own: CalicoNode; readonly other: CalicoNode },
  dst: Ip,
): RoutePromise | undefined {
  const block = config.blocks.lookup(dst);
  const pool = config.pools.lookup(dst)?.value;
  const how = transport(pool, own, other);
  if (how === undefined) return undefined;
  // A pod whose node took the address from the block of another node has a route of its own.
  const destination = block?.value.node === other.name ? block.cidr : hostCidr(dst);
  return { destination, owner: other.name, ...waysTo(ns, config, { own, other, how, dst }) };
}

interface Target {
  readonly own: CalicoNode;
  readonly other: CalicoNode;
  readonly how: Transport;
  readonly dst: Ip;
}

function waysTo(
  ns: NetNamespace,
  config: CalicoConfig,
  target: Target,
): Pick<RoutePromise, 'ways' | 'defaultSuffices'> {
  const { own, other, how, dst } = target;
  const family = typeof dst === 'number' ? 4 : 6;
  const peer = addressFor(other, family);
  const rest: Way[] =
    config.felix.wireguard || ns.link(WIREGUARD_DEVICE) !== undefined ? [{ dev: WIREGUARD_DEVICE }] : [];
  if (how === 'vxlan') {
    const tunnel = family === 4 ? other.vxlanTunnel4 : other.vxlanTunnel6;
    return {
      ways: [
        {
          gateway: tunnel ?? 'any',
          dev: VXLAN_DEVICE[family],
          onlink: true,
          kind: 'vxlan',
          source: family === 4 ? tunnelSource(own, 'vxlan') : undefined,
        },
        ...rest,
      ],
    };
  }
  if (how === 'ipip')
    return {
      ways: [
        { gateway: peer ?? 'any', dev: IPIP_DEVICE, onlink: true, kind: 'ipip', source: tunnelSource(own, 'ipip') },
        ...rest,
      ],
    };
  const found = peer === undefined ? undefined : routeTo(ns, peer);
  const hop = found?.kind === 'route' ? found.hop : undefined;
  const direct: Way = peer === undefined ? { gateway: 'any' } : directWay(ns, peer, own.addresses);
  // Between segments the routers' BGP gives the next hop; without the mesh it does so within a segment as well.
  if (!config.mesh) return { ways: [direct, { gateway: 'any' }, ...rest], defaultSuffices: true };
  return { ways: hop?.gateway === undefined ? [direct, ...rest] : [{ gateway: 'any' }, ...rest] };
}

const TUNNEL_ANNOTATION = { vxlan: 'IPv4VXLANTunnelAddr', ipip: 'IPv4IPIPTunnelAddr' } as const;

/** The address of the node's own end of the tunnel. */
export function tunnelSource(own: CalicoNode, kind: 'vxlan' | 'ipip'): Way['source'] {
  const ip = kind === 'vxlan' ? own.vxlanTunnel4 : own.ipipTunnel;
  if (ip === undefined) return undefined;
  return { ip, length: 32, evidence: annotationEvidence(own.name, TUNNEL_ANNOTATION[kind], formatIp(ip)) };
}

export function annotationEvidence(node: string, key: string, text: string): Evidence {
  return objectEvidence(
    { kind: 'node', name: node },
    `Node/${node}:metadata.annotations[projectcalico.org/${key}]`,
    text,
  );
}

/** Why a node does not send to a pod of another node as Calico means it to. */
export function remoteFinding(
  ns: NetNamespace,
  config: CalicoConfig,
  promise: RoutePromise,
  dst: Ip,
): Finding | undefined {
  const found = routeProblem(ns, promise, dst);
  if (found?.code !== 'ROUTE_BLACKHOLE') return found;
  // The agent's own blackhole for a block: the node takes it for its own.
  const [evidence] = found.evidence;
  const block = config.blocks.lookup(dst);
  if (evidence === undefined || block === undefined || !/ proto (bird|80)\b/.test(evidence.text)) return found;
  return {
    ...found,
    code: 'IPAM_BLOCK_MISMATCH',
    details: { destination: formatCidr(block.cidr), actual: block.value.node, expected: ns.place.name },
    evidence: [evidence, blockEvidence(block.value)],
    remedy: `Restart calico-node on ${ns.place.name}: it holds on to a block that it has no longer.`,
  };
}

export function blockEvidence({
  cidr,
  node,
  source,
}: {
  readonly cidr: Cidr;
  readonly node: string;
  readonly source: string;
}) {
  return {
    kind: 'object',
    at: { kind: 'node', name: node },
    locator: source,
    text: `${formatCidr(cidr)} belongs to ${node}`,
  } as const;
}

/** A pod of the node itself has a route to its cali interface: its own, where the pod was collected. */
export function localFinding(
  ns: NetNamespace,
  { cluster, config }: { readonly cluster: ClusterIndex; readonly config: CalicoConfig },
  dst: Ip,
): Finding | undefined {
  const { interfacePrefixes } = config.felix;
  const own = hostEndOf(cluster, ns, dst);
  const accepts = (dev: string): boolean =>
    own === undefined ? interfacePrefixes.some((prefix) => dev.startsWith(prefix)) : dev === own;
  const device = own ?? `the ${interfacePrefixes[0] ?? 'cali'} interface of the pod`;
  return localRouteProblem(ns, { destination: hostCidr(dst), accepts, device }, dst);
}
