import { formatIp, type Evidence, type Ip } from '#libs/model';
import {
  selectSource,
  unknowable,
  type Answer,
  type FdbEntry,
  type Link,
  type Neighbour,
  type NetNamespace,
  type Outcome,
  type Skb,
  icmpError,
} from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { type Port } from './fabric.js';
import { localRouteMissing } from './own-address.js';
import { obstacle, runIn, type FlightContext, type Next } from './flight-context.js';

export type Transmit = Extract<Outcome, { kind: 'transmit' }>;

/** The MAC address that the frame gets; undefined after an obstacle: nobody answers, and the frame is never sent. */
export function resolveNeighbour(
  context: FlightContext,
  ns: NetNamespace,
  link: Link,
  out: Transmit,
): string | undefined {
  const { nextHop, skb } = out;
  if (link.flags.has('NOARP')) {
    arpOff(context, { ns, link }, skb);
    return undefined;
  }
  const entry = ns.neighbour(link.name, nextHop);
  const bound = entry?.states.some((state) => state === 'PERMANENT' || state === 'NOARP') ?? false;
  if (bound && entry?.mac !== undefined) {
    noteMisled(context, { ns, link }, entry, nextHop);
    return entry.mac;
  }
  const stray = hasValidEntry(entry) ? undefined : context.world.fabric.strayAnswers(ns, link);
  if (stray !== undefined) {
    obstacle(context, strayFinding(stray), 'neighbor-unreachable', skb, unreachableHost(out));
    return entry?.mac;
  }
  const { answers, uncollected, silent } = context.world.fabric.arp(
    ns,
    link,
    nextHop,
    arpSender(ns, link, out),
    context.chooser,
  );
  const macs = [...new Set(answers.map((answer) => answer.mac))];
  // An entry that works but belongs to nobody here, or to somebody else, binds until it ages.
  if (entry?.states.includes('REACHABLE') && entry.mac !== undefined && !macs.includes(entry.mac) && !uncollected)
    return entry.mac;
  if (macs.length > 0) {
    if (macs.length === 1) return macs[0];
    return macs[
      context.chooser.pick(
        `arp ${ns.id} ${link.name} ${nextHop}`,
        macs.map(() => 1),
      )
    ];
  }
  // Who does not answer may have asked: its own requests have taught this host its address (neigh_event_ns()).
  if (hasValidEntry(entry) && silent.some(({ code, port }) => code === 'ARP_IGNORED' && port.link.mac === entry?.mac))
    return entry?.mac;
  if (uncollected) {
    uncollectedEnd(
      context,
      ns,
      skb,
      `whether ${formatIp(nextHop)} answers on ${link.name} of ${ns.id} (a pod of this segment was not collected)`,
    );
    return undefined;
  }
  if (ns.owns(nextHop) !== undefined) {
    obstacle(context, ownAddress({ ns, link }, out), 'neighbor-unreachable', skb, unreachableHost(out));
    return undefined;
  }
  const failing = entry?.states.find((state) => state === 'FAILED' || state === 'INCOMPLETE');
  const evidence: Evidence[] = [
    entry !== undefined && failing !== undefined
      ? { kind: 'neighbour', at: ns.place, locator: `neigh/${link.name}/${formatIp(nextHop)}`, text: entry.text }
      : {
          kind: 'neighbour',
          at: ns.place,
          locator: `neigh/${link.name}/${formatIp(nextHop)}`,
          text: `nobody on the segment of ${link.name} answers for ${formatIp(nextHop)}`,
        },
  ];
  const [reason] = silent;
  if (reason !== undefined) evidence.unshift(...reason.evidence);
  obstacle(
    context,
    {
      code: reason?.code ?? 'NEIGH_FAILED',
      subject:
        reason === undefined
          ? { ...ns.place, interface: link.name }
          : { ...reason.port.ns.place, interface: reason.port.link.name },
      evidence,
      details: {
        destination: formatIp(nextHop),
        interface: link.name,
        key: reason?.evidence[0]?.locator ?? '',
        ...reason?.details,
      },
    },
    'neighbor-unreachable',
    skb,
    unreachableHost(out),
  );
  return undefined;
}

/** States in which the kernel sends without asking first (NUD_VALID of include/net/neighbour.h). */
const VALID = new Set(['PERMANENT', 'NOARP', 'REACHABLE', 'STALE', 'DELAY', 'PROBE']);

export function hasValidEntry(entry: Neighbour | undefined): boolean {
  return entry?.states.some((state) => VALID.has(state)) ?? false;
}

/** A permanent entry for an address of this segment that somebody with another MAC address has. */
function noteMisled({ world, state }: FlightContext, { ns, link }: Port, entry: Neighbour, nextHop: Ip): void {
  const owner = world.fabric.stationWith(ns, link, nextHop);
  if (owner !== undefined && owner.link.mac !== entry.mac) state.misled.push(wrongMac({ ns, link }, entry, nextHop));
}

/** A fixed entry that names another host's MAC address, or nobody's. */
export function wrongMac({ ns, link }: Port, { mac = '', text }: Neighbour, nextHop: Ip): Finding {
  const destination = formatIp(nextHop);
  return {
    code: 'NEIGH_WRONG_MAC',
    subject: { ...ns.place, interface: link.name },
    evidence: [{ kind: 'neighbour', at: ns.place, locator: `neigh/${link.name}/${destination}`, text }],
    details: { destination, interface: link.name, mac },
  };
}

function strayFinding({ ns, entry }: { readonly ns: NetNamespace; readonly entry: FdbEntry }): Finding {
  const { dev, mac, text } = entry;
  return {
    code: 'FDB_WRONG_PORT',
    subject: { ...ns.place, interface: entry.master ?? dev },
    evidence: [{ kind: 'fdb', at: ns.place, locator: `fdb/${dev}/${mac}`, text }],
    details: { mac, actual: dev, interface: entry.master ?? dev },
  };
}

/** The route leads to the network for an address that this host has itself: it asks, and does not answer itself. */
export function ownAddress(port: Port, out: Transmit): Finding {
  const missing = localRouteMissing(port, out.nextHop);
  const { place } = port.ns;
  const used: Evidence = { kind: 'route', at: place, locator: `route/${formatIp(out.nextHop)}`, text: out.route };
  return { ...missing, subject: place, evidence: [...missing.evidence, used] };
}

/** arp_constructor(): without ARP an Ethernet device writes its own address as the destination, so nobody takes the frame. */
export function arpOff(context: FlightContext, port: Port, skb: Skb): void {
  obstacle(
    context,
    {
      code: 'ARP_OFF',
      subject: { ...port.ns.place, interface: port.link.name },
      evidence: [linkEvidence(port)],
      details: { interface: port.link.name },
    },
    'neighbor-unreachable',
    skb,
  );
}

/** Whether somebody among the recorded namespaces of the segment owns the next hop. */
export function segmentAnswers(context: FlightContext, ns: NetNamespace, link: Link, out: Transmit): boolean {
  return context.world.fabric.arp(ns, link, out.nextHop, arpSender(ns, link, out), context.chooser).answers.length > 0;
}

/** arp_solicit(): the packet's source when it is this host's own, else an address of the interface. */
export function arpSender(ns: NetNamespace, link: Link, { skb, nextHop }: Transmit): Ip {
  if (ns.owns(skb.src) !== undefined) return skb.src;
  return selectSource(ns, link.name, nextHop, 253) ?? skb.src;
}

/** arp_error_report(), ndisc_error_report(): the sender gets an ICMP error, a socket of this very host too (over lo). */
export function unreachableHost({ skb }: Transmit): Extract<Answer, { kind: 'icmp' }> {
  return icmpError(skb.family, 'host-unreachable');
}

export function linkEvidence({ ns, link }: Port): Evidence {
  return {
    kind: 'link',
    at: ns.place,
    locator: `link/${link.name}`,
    text: `${link.index}: ${link.name}: <${[...link.flags].join(',')}> mtu ${link.mtu} ${link.mac}`,
  };
}

/** The frame goes where nobody has looked: it may arrive there, or not. */
export function uncollectedEnd(context: FlightContext, ns: NetNamespace, skb: Skb, what: string): Next {
  context.recorder.obstacle(unknowable(runIn(context, ns), skb, what));
  return { kind: 'lost', skb };
}
