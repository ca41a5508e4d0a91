import { arpDrop, type ArpMessage, type Link, type NetNamespace, type Obstacle } from '#libs/netstack';
import { ports, type Port } from './fabric.js';
import { obstacle, type FlightContext } from './flight-context.js';
import { arpSender, hasValidEntry, unreachableHost, type Transmit } from './segment.js';

/** One device that a frame passes, and in which direction. */
interface Crossing {
  readonly ns: NetNamespace;
  readonly dev: string;
  readonly direction: 'ingress' | 'egress';
}

/**
 * ARP messages are frames too: traffic control drops them like any other, and then no packet is sent at all.
 * True after an obstacle. What no filter concerns costs one look.
 */
export function arpFiltered(context: FlightContext, ns: NetNamespace, link: Link, out: Transmit): boolean {
  const { fabric, filtersFrames } = context.world;
  const { nextHop, skb } = out;
  if (!filtersFrames || typeof nextHop !== 'number' || link.kind === 'vxlan' || link.flags.has('NOARP')) return false;
  if (link.mac === '' || out.dev === 'lo') return false;
  if (hasValidEntry(ns.neighbour(link.name, nextHop))) return false;
  const sender = arpSender(ns, link, out);
  if (typeof sender !== 'number') return false;
  const [answer] = fabric.arp(ns, link, nextHop, sender, context.chooser).answers;
  const owner = answer ?? fabric.outsideOwner(nextHop);
  const target: Port | undefined = owner?.ns === ns ? undefined : owner;
  const way = target === undefined ? [leaving({ ns, link })] : wayTo(context, { ns, link }, target);
  const answerer = target?.link.mac ?? '00:00:00:00:00:00';
  const dropped =
    firstDrop(way, { operation: 'request', srcMac: link.mac, dstMac: '', sender, target: nextHop }) ??
    firstDrop(way.toReversed().map(back), {
      operation: 'reply',
      srcMac: answerer,
      dstMac: link.mac,
      sender: nextHop,
      target: sender,
    });
  if (dropped === undefined) return false;
  obstacle(context, dropped, 'neighbor-unreachable', skb, unreachableHost(out));
  return true;
}

function firstDrop(way: readonly Crossing[], message: ArpMessage): Obstacle['facts'] | undefined {
  for (const { ns, dev, direction } of way) {
    const drop = arpDrop(ns, dev, direction, message);
    if (drop !== undefined) return drop;
  }
  return undefined;
}

function leaving({ ns, link }: Port): Crossing {
  return { ns, dev: link.name, direction: 'egress' };
}

function entering({ ns, link }: Port): Crossing {
  return { ns, dev: link.name, direction: 'ingress' };
}

function back({ ns, dev, direction }: Crossing): Crossing {
  return { ns, dev, direction: direction === 'egress' ? 'ingress' : 'egress' };
}

/** The devices between two stations of a segment; where the network outside lies between them, both ends of it. */
function wayTo(context: FlightContext, from: Port, to: Port): Crossing[] {
  return search(context, from, to, new Set()) ?? [...outwards(from), ...outwards(to).toReversed().map(back)];
}

function search(context: FlightContext, from: Port, to: Port, seen: Set<Link>): Crossing[] | undefined {
  if (seen.has(from.link)) return undefined;
  seen.add(from.link);
  const own = leaving(from);
  if (from.link.kind === 'bridge') {
    for (const link of ports(from.ns, from.link)) {
      const way = search(context, { ns: from.ns, link }, to, seen);
      if (way !== undefined) return [own, ...way];
    }
    return undefined;
  }
  const peer = context.world.fabric.peer(from.ns, from.link);
  if (peer.kind !== 'port') return undefined;
  const here = [own, entering(peer)];
  if (peer.link === to.link) return here;
  const bridge = peer.link.master === undefined ? undefined : peer.ns.link(peer.link.master);
  if (bridge === undefined) return undefined;
  if (bridge === to.link) return [...here, entering({ ns: peer.ns, link: bridge })];
  for (const link of ports(peer.ns, bridge)) {
    const way = link === peer.link ? undefined : search(context, { ns: peer.ns, link }, to, seen);
    if (way !== undefined) return [...here, ...way];
  }
  return undefined;
}

/** From a host's device to the network outside: a bridge passes its uplink too. */
function outwards({ ns, link }: Port): Crossing[] {
  if (link.kind !== 'bridge') return [leaving({ ns, link })];
  return [
    leaving({ ns, link }),
    ...ports(ns, link)
      .slice(0, 1)
      .map((port) => leaving({ ns, link: port })),
  ];
}
