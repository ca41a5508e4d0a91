import { formatIp, type Place } from '#libs/model';
import {
  egress,
  ingress,
  receive,
  receiveLoopback,
  selectSource,
  type NamespaceRun,
  type Link,
  type NetNamespace,
  type Outcome,
  type Skb,
  icmpError,
} from '#libs/netstack';
import { arpFiltered } from './arp-frames.js';
import { bridgeForward, crossVeth } from './bridge.js';
import { isUp } from './fabric.js';
import { obstacle, runIn, type FlightContext, type Next } from './flight-context.js';
import type { Transmit } from './segment.js';
import { linkEvidence, resolveNeighbour, segmentAnswers, uncollectedEnd, unreachableHost } from './segment.js';
import { decapsulateIp, decapsulateVxlan, encapsulateIp, encapsulateVxlan, encapsulateWireguard } from './tunnel.js';
import { arriveFromOutside, byDestination, crossUnderlay } from './underlay.js';

/** More visits than any sane path has; beyond it the packet is in a loop or the model is wrong. */
const MAX_VISITS = 80;

export type FlightEnd =
  | { readonly kind: 'delivered'; readonly ns: NetNamespace; readonly iif: string; readonly skb: Skb }
  | { readonly kind: 'exits'; readonly skb: Skb }
  | { readonly kind: 'lost'; readonly skb: Skb };

/** A packet that a host makes: through its own namespace and on, until it is delivered, lost or out of sight. */
export function flyFrom(context: FlightContext, ns: NetNamespace, start: (run: NamespaceRun) => Outcome): FlightEnd {
  context.recorder.enter(ns.place);
  return fly(context, ns, start(runIn(context, ns)));
}

/** A packet that comes from a host outside that has no dump. */
export function flyFromOutside(context: FlightContext, skb: Skb): FlightEnd {
  context.recorder.enter({ kind: 'network', name: 'underlay' });
  return follow(context, undefined, byDestination(context, undefined, '', skb, 'from outside'));
}

function fly(context: FlightContext, ns: NetNamespace, outcome: Outcome): FlightEnd {
  switch (outcome.kind) {
    case 'deliver': {
      if (outcome.skb.inner === undefined) return { kind: 'delivered', ns, iif: outcome.iif, skb: outcome.skb };
      const next = (outcome.skb.tunnel === 'vxlan' ? decapsulateVxlan : decapsulateIp)(context, ns, outcome.skb);
      return next === undefined ? { kind: 'lost', skb: outcome.skb } : follow(context, ns, next);
    }
    case 'stop':
      return follow(context, ns, { kind: 'lost', skb: outcome.skb });
    case 'transmit':
      return follow(context, ns, transmit(context, ns, outcome));
  }
}

function follow(context: FlightContext, at: NetNamespace | undefined, next: Next): FlightEnd {
  const { recorder } = context;
  switch (next.kind) {
    case 'exits':
      return next;
    case 'again':
      return at === undefined ? { kind: 'lost', skb: next.outcome.skb } : fly(context, at, next.outcome);
    case 'loopback': {
      if (at === undefined) return { kind: 'lost', skb: next.skb };
      recorder.receive('lo', next.skb);
      return fly(context, at, receiveLoopback(runIn(context, at), next.skb));
    }
    case 'arrive': {
      // What would happen past an obstacle is worth telling until it repeats itself.
      if (recorder.stopped && recorder.circles(next.ns.place)) return { kind: 'lost', skb: next.skb };
      // Nor does the network outside send a host its own packets back.
      if (recorder.stopped && next.ns === at && next.link?.type === 'infra') return { kind: 'lost', skb: next.skb };
      if (recorder.hops.length > MAX_VISITS) return loop(context, next.ns.place, next.skb);
      if (next.ns !== at || next.link !== undefined) {
        if (recorder.hops.at(-1)?.at !== next.ns.place || next.link !== undefined) recorder.enter(next.ns.place);
        if (next.link !== undefined) recorder.link(next.link, next.skb);
      }
      recorder.receive(next.iif, next.skb);
      ingress(runIn(context, next.ns), next.iif, next.skb, next.ns.link(next.iif)?.mac ?? '');
      return fly(context, next.ns, receive(runIn(context, next.ns), next.iif, next.skb, next.prerouted));
    }
    case 'lost': {
      const past = at === undefined ? undefined : pastObstacle(context, at, next.skb);
      return past === undefined ? next : follow(context, at, past);
    }
  }
}

function loop(context: FlightContext, place: Place, skb: Skb): FlightEnd {
  obstacle(
    context,
    {
      code: 'ROUTING_LOOP',
      subject: place,
      evidence: [
        {
          kind: 'route',
          at: place,
          locator: `route/${formatIp(skb.dst)}`,
          text: `the packet has made ${MAX_VISITS} visits`,
        },
      ],
      details: { destination: formatIp(skb.dst) },
    },
    'loop',
    skb,
    icmpError(skb.family, 'hop-limit'),
  );
  return { kind: 'lost', skb };
}

function transmit(context: FlightContext, ns: NetNamespace, out: Transmit): Next {
  const link = ns.link(out.dev);
  const { skb } = out;
  context.state.leftBy = { ns, dev: out.dev, nextHop: out.nextHop };
  // A translation that failed left no address to go on to.
  if (context.recorder.stopped && (skb.dst === 0 || skb.dst === 0n)) return { kind: 'lost', skb };
  if (link === undefined || !isUp(link)) {
    const evidence =
      link === undefined
        ? { kind: 'route' as const, at: ns.place, locator: `link/${out.dev}`, text: out.route }
        : linkEvidence({ ns, link });
    obstacle(
      context,
      {
        code: link === undefined ? 'IFACE_MISSING' : 'IFACE_DOWN',
        subject: { ...ns.place, interface: out.dev },
        evidence: [evidence],
        details: { interface: out.dev },
      },
      'interface-down',
      skb,
    );
    return { kind: 'lost', skb };
  }
  if (out.dev === 'lo') return { kind: 'loopback', skb };
  if (!link.flags.has('LOWER_UP')) noCarrier(context, ns, link, out);
  skb.srcMac = link.mac;
  context.state.smallestMtu = Math.min(context.state.smallestMtu, link.mtu);
  if (arpFiltered(context, ns, link, out)) return { kind: 'lost', skb };
  context.recorder.transmit(out.dev, skb);
  egress(runIn(context, ns), out.dev, skb, '');
  if (link.kind === 'bridge') return fromBridge(context, ns, out);
  if (link.kind === 'vxlan') return encapsulateVxlan(context, ns, link, out);
  if (link.kind === 'ipip') return encapsulateIp(context, ns, link, out);
  const guarded = link.kind === 'wireguard' ? encapsulateWireguard(context, ns, link, out) : undefined;
  if (guarded !== undefined) return guarded;
  if (UNMODELLED.has(link.kind)) return unmodelled(context, ns, link.kind, out);
  const peer = context.world.fabric.peer(ns, link);
  if (peer.kind === 'outside') return crossUnderlay(context, { ns, link }, out);
  if (peer.kind === 'uncollected')
    return uncollectedEnd(
      context,
      ns,
      skb,
      `what is behind ${link.name} of ${ns.id} (its namespace was not collected)`,
    );
  const mac = resolveNeighbour(context, ns, link, out);
  if (mac === undefined) return { kind: 'lost', skb };
  return crossVeth(context, { ns, link }, peer, skb, mac);
}

/** Without a carrier the queue of the device drops everything, ARP requests first. */
function noCarrier(context: FlightContext, ns: NetNamespace, link: Link, out: Transmit): void {
  const bound = ns.neighbour(link.name, out.nextHop)?.states.includes('PERMANENT') ?? false;
  obstacle(
    context,
    {
      code: 'CARRIER_DOWN',
      subject: { ...ns.place, interface: link.name },
      evidence: [linkEvidence({ ns, link })],
      details: { interface: link.name },
    },
    'interface-down',
    out.skb,
    bound || link.flags.has('NOARP') ? { kind: 'silence' } : unreachableHost(out),
  );
}

/** Devices whose other end is not modelled yet: what comes of the packet cannot be told. */
const UNMODELLED = new Set(['sit', 'gre', 'gretap', 'geneve', 'wireguard', 'tun', 'xfrm', 'vti', 'dummy']);

function unmodelled(context: FlightContext, ns: NetNamespace, kind: string, out: Transmit): Next {
  return uncollectedEnd(
    context,
    ns,
    out.skb,
    `where ${kind} device ${out.dev} of ${ns.id} sends the packet (${kind} is not modelled)`,
  );
}

/** The host itself sends out of its bridge: a port, or the network outside when the bridge has an uplink that leads there. */
function fromBridge(context: FlightContext, ns: NetNamespace, out: Transmit): Next {
  const bridge = ns.link(out.dev);
  if (bridge === undefined) return { kind: 'lost', skb: out.skb };
  const { fabric } = context.world;
  if (fabric.leadsOutside(ns, bridge) && !segmentAnswers(context, ns, bridge, out))
    return crossUnderlay(context, { ns, link: bridge }, out);
  const mac = resolveNeighbour(context, ns, bridge, out);
  if (mac === undefined) return { kind: 'lost', skb: out.skb };
  return bridgeForward(context, ns, bridge, undefined, out.skb, mac, false);
}

/** The way past an obstacle: where the objects and the CNI plugin mean the packet to go. */
function pastObstacle(context: FlightContext, at: NetNamespace, skb: Skb): Next | undefined {
  const { world, recorder } = context;
  if (recorder.hops.filter((hop) => hop.hypothetical).length > 6) return undefined;
  if (skb.inner !== undefined) return at.place.kind === 'node' ? pastTunnel(context, at, skb) : undefined;
  if (at.place.kind === 'pod') {
    const node = at.place.node === undefined ? undefined : world.namespaces.get(`node/${at.place.node}`);
    const port = node === undefined ? undefined : podPort(context, at);
    if (node === undefined || port === undefined) return undefined;
    return {
      kind: 'arrive',
      ns: node,
      iif: port,
      skb: { ...skb, ct: undefined, mark: 0 },
      prerouted: false,
      link: { from: at.id, to: node.id, type: 'veth' },
    };
  }
  if (at.place.kind === 'external') return pastOutsideHost(context, at, skb);
  if (at.place.kind !== 'node') return undefined;
  const intended = world.cni.intendedNextHop(at.place.name, skb.dst);
  const owner = world.cluster.nodeAt(skb.dst);
  const name = intended?.kind === 'node' ? intended.name : owner?.name;
  if (intended?.kind === 'pod') {
    const pod = world.namespaces.get(`pod/${intended.namespace}/${intended.name}`);
    const link = pod?.owns(skb.dst);
    if (pod === undefined || link === undefined) return undefined;
    return {
      kind: 'arrive',
      ns: pod,
      iif: link.name,
      skb: { ...skb, ct: undefined, mark: 0 },
      prerouted: false,
      link: { from: at.id, to: pod.id, type: 'veth', toInterface: link.name },
    };
  }
  if (intended?.kind === 'node') {
    const way = byIntendedRoute(context, at, skb);
    if (way !== undefined) return way;
  }
  return name === undefined ? undefined : arriveAtNode(context, at, skb, name);
}

function arriveAtNode({ world }: FlightContext, at: NetNamespace, skb: Skb, name: string): Next | undefined {
  const node = name === at.place.name ? undefined : world.namespaces.get(`node/${name}`);
  const uplink = node === undefined ? undefined : world.fabric.uplink(node);
  return uplink === undefined ? undefined : arriveFromOutside(at, '', skb, uplink);
}

/** A host outside that does not find the way would have to send it to the node that has the address, or the pod. */
function pastOutsideHost(context: FlightContext, at: NetNamespace, skb: Skb): Next | undefined {
  const { cluster } = context.world;
  const name = cluster.podsAt(skb.dst)[0]?.node ?? cluster.nodeAt(skb.dst)?.name;
  const isNobody = skb.src === 0 || skb.src === 0n;
  const src = isNobody ? selectSource(at, undefined, skb.dst) : skb.src;
  return name === undefined || src === undefined ? undefined : arriveAtNode(context, at, { ...skb, src }, name);
}

/** A packet that left by another way than the one that is meant: what stands on that one is in its way too. */
function byIntendedRoute(context: FlightContext, at: NetNamespace, skb: Skb): Next | undefined {
  const { leftBy } = context.state;
  const meant = context.world.cni.intendedRoute(at, skb.dst);
  if (meant === undefined || leftBy === undefined || leftBy.ns !== at) return undefined;
  const nextHop = meant.gateway ?? skb.dst;
  if (leftBy.dev === meant.dev && leftBy.nextHop === nextHop) return undefined;
  const route = `${formatIp(skb.dst)} via ${formatIp(nextHop)} dev ${meant.dev}`;
  return transmit(context, at, { kind: 'transmit', dev: meant.dev, nextHop, skb: { ...skb }, route, local: false });
}

/** A tunnel's packet goes on to the host that it is for; where that is nobody's, to the one that what it carries is for. */
function pastTunnel(context: FlightContext, at: NetNamespace, skb: Skb): Next | undefined {
  const { cluster, cni } = context.world;
  const owner = cluster.nodeAt(skb.dst);
  if (owner !== undefined) return arriveAtNode(context, at, skb, owner.name);
  const meant = skb.inner === undefined ? undefined : cni.intendedNextHop(at.place.name, skb.inner.dst);
  const node = meant?.kind === 'node' ? cluster.nodes.get(meant.name) : undefined;
  const dst = node?.internalIps.find((ip) => typeof ip === typeof skb.dst);
  return node === undefined || dst === undefined ? undefined : arriveAtNode(context, at, { ...skb, dst }, node.name);
}

/** The node's interface that the pod's packets come in by. */
function podPort(context: FlightContext, pod: NetNamespace): string | undefined {
  for (const link of pod.links?.values() ?? []) {
    if (link.kind !== 'veth') continue;
    const peer = context.world.fabric.peer(pod, link);
    if (peer.kind === 'port') return peer.link.master ?? peer.link.name;
  }
  return undefined;
}
