import type { ClusterIndex, NodeObject } from '#libs/cluster';
import {
  bridgeNetfilterFinding,
  deviceMtuFindings,
  directWay,
  forwardingFindings,
  hostCidr,
  hostEndOf,
  linkStateFinding,
  localRouteProblem,
  masqueradeMissing,
  masqueradeUnexpected,
  objectEvidence,
  prefixOf,
  routeMtuFinding,
  routeProblem,
  someAddress,
  uplinkFindings,
  uplinkOf,
  type RoutePromise,
} from '#libs/cni/checks';
import { cidrContains, type Cidr, type Ip } from '#libs/model';
import type { Link, NetNamespace } from '#libs/netstack';
import type { Finding, NodeNamespaces } from '#libs/provider-kit';
import type { RoutedKind } from './routed-kind.js';

export interface RoutedFacts {
  readonly cluster: ClusterIndex;
  readonly kind: RoutedKind;
  readonly namespaces: NodeNamespaces;
}

/** What the agent has to have made on a node: routes to the others, and (kindnet) the masquerade. */
export function inspectRoutedNode(ns: NetNamespace, own: NodeObject, facts: RoutedFacts): Finding[] {
  const { cluster, kind, namespaces } = facts;
  const uplink = uplinkOf(ns, own.internalIps);
  const peers = [...cluster.nodes.values()].filter(({ name }) => name !== own.name);
  const bridge = podBridge(ns, own);
  return [
    ...uplinkFindings(ns, namespaces, {
      addresses: own.internalIps,
      networks: [...cluster.podCidrs, ...cluster.serviceCidrs],
      others: new Map(peers.map((peer) => [peer.name, peer.internalIps])),
    }),
    ...bridgeFindings(ns, bridge, uplink?.link),
    ...peers.flatMap((peer) => peerRouteFindings(ns, own, peer, kind)),
    ...forwardingFindings(
      ns,
      [uplink?.link.name, bridge?.name].filter((name) => name !== undefined),
    ),
    ...(kind.agent === 'kindnet' && uplink !== undefined ? masqueradeFindings(ns, own, peers, uplink.link) : []),
  ];
}

/** The bridge that has an address of the node's pod network, where pods are on one. */
export function podBridge(ns: NetNamespace, node: NodeObject | undefined): Link | undefined {
  for (const link of ns.links?.values() ?? [])
    if (link.kind === 'bridge' && link.addresses.some(({ ip }) => isOwnPodAddress(node, ip))) return link;
  return undefined;
}

function isOwnPodAddress(node: NodeObject | undefined, ip: Ip): boolean {
  return node?.podCidrs.some((cidr) => cidrContains(cidr, ip)) ?? false;
}

function bridgeFindings(ns: NetNamespace, bridge: Link | undefined, uplink: Link | undefined): Finding[] {
  if (bridge === undefined) return [];
  return [
    linkStateFinding(ns, bridge),
    bridgeNetfilterFinding(ns, bridge.name),
    ...(uplink === undefined ? [] : deviceMtuFindings(ns, uplink, bridge, 0)),
  ].filter((found) => found !== undefined);
}

function peerRouteFindings(ns: NetNamespace, own: NodeObject, peer: NodeObject, kind: RoutedKind): Finding[] {
  return peer.podCidrs.flatMap((cidr) => {
    const dst = someAddress(cidr);
    const promise = dst === undefined ? undefined : remotePromise(ns, { own, other: peer }, cidr, kind);
    if (dst === undefined || promise === undefined) return [];
    const found = routeProblem(ns, promise, dst) ?? routeMtuFinding(ns, promise, dst);
    return found === undefined ? [] : [found];
  });
}

/** Via the other node where it is on the own segment; what is beyond only kindnet would try. */
export function remotePromise(
  ns: NetNamespace,
  { own, other }: { readonly own: NodeObject | undefined; readonly other: NodeObject },
  cidr: Cidr,
  { agent, inUnderlay }: RoutedKind,
): RoutePromise | undefined {
  const gateway = other.internalIps.find((ip) => typeof ip === typeof cidr.net);
  if (inUnderlay || gateway === undefined) return undefined;
  if (agent !== 'kindnet' && !isOnSegment(ns, gateway)) return undefined;
  return { destination: cidr, owner: other.name, ways: [directWay(ns, gateway, own?.internalIps ?? [])] };
}

function isOnSegment(ns: NetNamespace, ip: Ip): boolean {
  for (const link of ns.links?.values() ?? [])
    for (const address of link.addresses)
      if (typeof address.ip === typeof ip && cidrContains(prefixOf(address), ip)) return true;
  return false;
}

/** A pod of the node itself: by a route of its own, or on the segment of a bridge. */
export function ownRouteFinding(
  ns: NetNamespace,
  { cluster, kind }: Omit<RoutedFacts, 'namespaces'>,
  { own, cidr }: { readonly own: NodeObject; readonly cidr: Cidr },
  dst: Ip,
): Finding | undefined {
  // Cilium hands packets over in eBPF, whatever the routes say.
  if (kind.agent === 'cilium') return undefined;
  const bridge = podBridge(ns, own)?.name;
  const dev = bridge ?? hostEndOf(cluster, ns, dst);
  const uplink = uplinkOf(ns, own.internalIps)?.link.name;
  return localRouteProblem(
    ns,
    {
      destination: bridge === undefined ? hostCidr(dst) : cidr,
      accepts: (name) => (dev === undefined ? name !== uplink : name === dev),
      device: dev ?? "the node's end of the pod",
    },
    dst,
  );
}

function masqueradeFindings(ns: NetNamespace, own: NodeObject, peers: readonly NodeObject[], uplink: Link): Finding[] {
  const cidr = own.podCidrs.find(({ net }) => typeof net === 'number');
  if (cidr === undefined) return [];
  const missing = masqueradeMissing(ns, cidr, uplink.name, {
    why: objectEvidence(
      { kind: 'cluster', name: 'kindnet' },
      'DaemonSet/kindnet',
      'kindnetd masquerades what leaves the pod network',
    ),
    remedy: 'Restart kindnet on the node: its masquerade agent writes the rules again.',
  });
  const other = peers.flatMap(({ podCidrs }) => podCidrs).find(({ net }) => typeof net === 'number');
  const unexpected =
    other === undefined ? undefined : masqueradeUnexpected(ns, cidr, { cidr: other, oif: uplink.name });
  return [missing, unexpected].filter((found) => found !== undefined);
}
