import { formatIp, type Evidence, type Ip } from '#libs/model';
import { type Answer, type Link, type Skb, icmpError } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { isUp, SHARES_PARENT, type Port } from './fabric.js';
import { obstacle, type FlightContext, type Next } from './flight-context.js';
import type { Transmit } from './segment.js';
import { arpSender, hasValidEntry, linkEvidence, ownAddress, unreachableHost, wrongMac } from './segment.js';

/** Who answers ARP for the next hop; undefined: a gateway that is not in the snapshot. */
export function resolveOutside(
  context: FlightContext,
  from: Port,
  out: Transmit,
  owner: Port | undefined,
): Port | 'stopped' | undefined {
  const { fabric, cluster } = context.world;
  const sender = arpSender(from.ns, from.link, out);
  if (owner?.ns === from.ns) {
    obstacle(context, ownAddress(from, out), 'neighbor-unreachable', out.skb, unreachableHost(out));
    return 'stopped';
  }
  if (owner !== undefined && fabric.answersOutside(owner, out.nextHop, sender, context.chooser)) return owner;
  if (owner !== undefined && isLearned(from, out, owner)) return owner;
  const other = fabric.otherHolder(from.ns, out.nextHop, sender, context.chooser);
  if (other !== undefined) return other;
  if (owner !== undefined) {
    deafOwner(context, from, out, owner);
    return 'stopped';
  }
  const node = cluster.nodeAt(out.nextHop);
  if (node === undefined) return undefined;
  absentAddress(context, out.skb, node.name, out.nextHop, unreachableHost(out));
  return 'stopped';
}

/** Its own requests have taught the sender who it is, though it answers none (neigh_event_ns()). */
function isLearned(from: Port, out: Transmit, { link }: Port): boolean {
  const entry = from.ns.neighbour(from.link.name, out.nextHop);
  return hasValidEntry(entry) && entry?.mac === link.mac && isUp(link) && link.flags.has('LOWER_UP');
}

/** Nobody answers for the next hop because its own interface is down: the sender's ARP fails. */
function deafOwner(context: FlightContext, from: Port, out: Transmit, owner: Port): Next {
  const entry = from.ns.neighbour(from.link.name, out.nextHop);
  const answer = entry?.states.includes('PERMANENT') ? { kind: 'silence' as const } : unreachableHost(out);
  return deaf(context, out.skb, owner, answer, out.nextHop);
}

function deaf(context: FlightContext, skb: Skb, owner: Port, answer: Answer, asked = skb.dst): Next {
  const { link, ns } = owner;
  const code = whyDeaf(link) ?? 'NEIGH_FAILED';
  obstacle(
    context,
    {
      code,
      subject: { ...ns.place, interface: link.name },
      evidence: [linkEvidence(owner)],
      details: { interface: link.name, destination: formatIp(asked) },
    },
    code === 'IFACE_DOWN' || code === 'CARRIER_DOWN' ? 'interface-down' : 'neighbor-unreachable',
    skb,
    answer,
  );
  return { kind: 'lost', skb };
}

function whyDeaf(link: Link): 'IFACE_DOWN' | 'ARP_OFF' | 'CARRIER_DOWN' | undefined {
  if (!isUp(link)) return 'IFACE_DOWN';
  if (link.flags.has('NOARP')) return 'ARP_OFF';
  return link.flags.has('LOWER_UP') ? undefined : 'CARRIER_DOWN';
}

/** The last router outside asks for a host that cannot hear it, and tells the sender: host unreachable. True after an obstacle. */
export function lastRouterFails(context: FlightContext, skb: Skb, target: Port): boolean {
  const answer: Answer = { ...icmpError(skb.family, 'host-unreachable'), outside: true };
  if (whyDeaf(target.link) !== undefined) {
    deaf(context, skb, target, answer);
    return true;
  }
  const asked = target.ns.owns(skb.dst) === target.link ? skb.dst : target.link.addresses[0]?.ip;
  const silence = asked === undefined ? undefined : context.world.fabric.silentToRouter(target, asked, context.chooser);
  if (silence === undefined) return false;
  const subject = { ...target.ns.place, interface: target.link.name };
  const details = {
    interface: target.link.name,
    destination: formatIp(asked ?? skb.dst),
    key: silence.evidence[0]?.locator ?? '',
    ...silence.details,
  };
  obstacle(context, { ...silence, subject, details }, 'neighbor-unreachable', skb, answer);
  return true;
}

/** A node's object says that it has the address, and the node does not have it: nobody answers for it. */
export function absentAddress(context: FlightContext, skb: Skb, name: string, ip: Ip, answer: Answer): Next {
  const address = formatIp(ip);
  const subject = { kind: 'node', name };
  obstacle(
    context,
    {
      code: 'ADDRESS_MISSING',
      subject,
      evidence: [
        {
          kind: 'address',
          at: subject,
          locator: `address/${address}`,
          text: `no interface towards the network outside has ${address}`,
        },
      ],
      details: { address },
    },
    'neighbor-unreachable',
    skb,
    answer,
  );
  return { kind: 'lost', skb };
}

/** A macvlan or ipvlan device and its parent do not hear each other: the parent's host cannot be reached from its own pods. */
export function isOwnParent(a: Port, b: Port): boolean {
  const [child, parent] = SHARES_PARENT.has(a.link.kind) ? [a, b] : [b, a];
  if (!SHARES_PARENT.has(child.link.kind) || child.ns.place.node !== parent.ns.place.name) return false;
  return parent.ns.place.kind === 'node' && child.link.peerIndex === parent.link.index;
}

export function parentFinding({ ns, link }: Port, out: Transmit): Finding {
  const destination = formatIp(out.nextHop);
  const text = `${link.kind} devices and their parent do not reach each other`;
  return {
    code: 'NEIGH_FAILED',
    subject: { ...ns.place, interface: link.name },
    evidence: [{ kind: 'link', at: ns.place, locator: `link/${link.name}`, text }],
    details: { destination },
  };
}

/** Entries that bind (PERMANENT, NOARP), and failed ones for a next hop that nobody in the snapshot could answer for. */
export function boundNeighbour(
  context: FlightContext,
  from: Port,
  out: Transmit,
  owner: Port | undefined,
): Port | 'stopped' | undefined {
  const { ns, link } = from;
  const entry = ns.neighbour(link.name, out.nextHop);
  if (entry === undefined || link.flags.has('NOARP')) return undefined;
  const evidence: Evidence = {
    kind: 'neighbour',
    at: ns.place,
    locator: `neigh/${link.name}/${formatIp(out.nextHop)}`,
    text: entry.text,
  };
  const details = { destination: formatIp(out.nextHop), interface: link.name, mac: entry.mac ?? '' };
  const subject = { ...ns.place, interface: link.name };
  if (entry.states.includes('PERMANENT') && entry.mac !== undefined) {
    const byMac = context.world.fabric.outsideMac(entry.mac);
    // Of a gateway outside nobody knows the MAC address but the other hosts on its network.
    if (byMac !== undefined && owner !== undefined && byMac.ns !== owner.ns)
      context.state.misled.push(wrongMac(from, entry, out.nextHop));
    if (byMac !== undefined || (owner === undefined && !contradicted(context, from, out.nextHop, entry.mac)))
      return byMac;
    obstacle(context, { code: 'NEIGH_WRONG_MAC', subject, evidence: [evidence], details }, 'dropped', out.skb);
    return 'stopped';
  }
  const failing = entry.states.find((state) => state === 'FAILED' || state === 'INCOMPLETE');
  if (failing === undefined || owner !== undefined) return undefined;
  obstacle(
    context,
    { code: failing === 'FAILED' ? 'NEIGH_FAILED' : 'NEIGH_INCOMPLETE', subject, evidence: [evidence], details },
    'neighbor-unreachable',
    out.skb,
    unreachableHost(out),
  );
  return 'stopped';
}

/** Others have another MAC address for the same next hop, and none has this one. */
function contradicted(context: FlightContext, from: Port, nextHop: Ip, mac: string): boolean {
  let others = 0;
  for (const ns of context.world.namespaces.values()) {
    const port = ns === from.ns || ns.place.kind === 'pod' ? undefined : context.world.fabric.uplink(ns);
    const known = port === undefined ? undefined : ns.neighbour(port.link.name, nextHop)?.mac;
    if (known === mac) return false;
    if (known !== undefined) others += 1;
  }
  return others > 0;
}
