import { familyOf, formatIp, parseIp, type Evidence, type Ip, type Suspicion } from '#libs/model';
import {
  showSkb,
  unknowable,
  tupleKey,
  tupleOf,
  reverseTuple,
  type Answer,
  type NetNamespace,
  type Outcome,
  type Skb,
} from '#libs/netstack';
import type { Finding, InfraAnswer, InfraQuestion, NodeRef } from '#libs/provider-kit';
import { isUp, SHARES_PARENT, type Port } from './fabric.js';
import { leave, obstacle, runIn, type FlightContext, type Next } from './flight-context.js';
import { lostFinding } from './lost.js';
import { arpOff, arpSender, linkEvidence, uncollectedEnd, unreachableHost } from './segment.js';
import { MissingFact } from './world.js';

type Transmit = Extract<Outcome, { kind: 'transmit' }>;

/** A frame leaves a host towards the network outside. Decided in this order: who owns the next hop, who owns the destination, what the InfraShim says, what the objects imply (docs/explanation/packet-walk.md). */
export function crossUnderlay(context: FlightContext, from: Port, out: Transmit): Next {
  const { world } = context;
  const hidden = world.fabric.uncollectedNode(out.nextHop) ?? world.fabric.uncollectedNode(out.skb.dst);
  if (hidden !== undefined) return hiddenNode(context, from.ns, out.skb, hidden);
  if (from.link.flags.has('NOARP') && from.link.mac !== '') {
    arpOff(context, from, out.skb);
    return { kind: 'lost', skb: out.skb };
  }
  const owner = world.fabric.outsideOwner(out.nextHop);
  const bound = boundNeighbour(context, from, out, owner);
  if (bound === 'stopped') return { kind: 'lost', skb: out.skb };
  const resolved = bound ?? resolveOutside(context, from, out, owner);
  if (resolved === 'stopped') return { kind: 'lost', skb: out.skb };
  if (resolved !== undefined && isOwnParent(from, resolved)) {
    obstacle(context, parentFinding(from, out), 'neighbor-unreachable', out.skb, unreachableHost(out));
    return { kind: 'lost', skb: out.skb };
  }
  if (resolved !== undefined && resolved.ns !== from.ns)
    return toHost(context, from, out.skb, resolved, 'on the same network');
  return byDestination(context, from.ns, from.link.name, out.skb, out.route);
}

/** Who answers ARP for the next hop; undefined: a gateway that is not in the snapshot. */
function resolveOutside(
  context: FlightContext,
  from: Port,
  out: Transmit,
  owner: Port | undefined,
): Port | 'stopped' | undefined {
  const { fabric, cluster } = context.world;
  const sender = arpSender(from.ns, from.link, out);
  if (owner?.ns === from.ns) return owner;
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
  const works = entry?.states.some((state) => ['REACHABLE', 'STALE', 'DELAY', 'PROBE'].includes(state)) ?? false;
  return works && entry?.mac === link.mac && isUp(link) && link.flags.has('LOWER_UP');
}

function hiddenNode(context: FlightContext, from: NetNamespace, skb: Skb, name: string): Next {
  const reason =
    context.world.cluster.snapshot.nodes.get(name)?.error ?? 'its dump is not there or has no links and addresses';
  const what = `what node ${name} does with the packet (${reason})`;
  const stop = unknowable(runIn(context, from), skb, what);
  context.recorder.obstacle({
    ...stop,
    facts: { ...stop.facts, code: 'NODE_NOT_COLLECTED', subject: { kind: 'node', name }, details: { reason } },
  });
  return { kind: 'lost', skb };
}

/** A host outside that was dumped without its addresses: any of them may be the one. */
function hiddenHost(context: FlightContext): string | undefined {
  for (const ns of context.world.namespaces.values())
    if (ns.place.kind === 'external' && ns.links === undefined) return ns.place.name;
  return undefined;
}

/** Nobody answers for the next hop because its own interface is down: the sender's ARP fails. */
function deafOwner(context: FlightContext, from: Port, out: Transmit, owner: Port): Next {
  const { link, ns } = owner;
  const code = !isUp(link)
    ? 'IFACE_DOWN'
    : link.flags.has('NOARP')
      ? 'ARP_OFF'
      : link.flags.has('LOWER_UP')
        ? 'NEIGH_FAILED'
        : 'CARRIER_DOWN';
  const entry = from.ns.neighbour(from.link.name, out.nextHop);
  const answer = entry?.states.includes('PERMANENT') ? { kind: 'silence' as const } : unreachableHost(out);
  obstacle(
    context,
    {
      code,
      subject: { ...ns.place, interface: link.name },
      evidence: [linkEvidence(owner)],
      details: { interface: link.name },
    },
    code === 'IFACE_DOWN' || code === 'CARRIER_DOWN' ? 'interface-down' : 'neighbor-unreachable',
    out.skb,
    answer,
  );
  return { kind: 'lost', skb: out.skb };
}

/** A node's object says that it has the address, and the node does not have it: nobody answers for it. */
function absentAddress(context: FlightContext, skb: Skb, name: string, ip: Ip, answer: Answer): Next {
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
      details: { address, interface: 'eth0' },
    },
    'neighbor-unreachable',
    skb,
    answer,
  );
  return { kind: 'lost', skb };
}

/** A macvlan or ipvlan device and its parent do not hear each other: the parent's host cannot be reached from its own pods. */
function isOwnParent(a: Port, b: Port): boolean {
  const [child, parent] = SHARES_PARENT.has(a.link.kind) ? [a, b] : [b, a];
  if (!SHARES_PARENT.has(child.link.kind) || child.ns.place.node !== parent.ns.place.name) return false;
  return parent.ns.place.kind === 'node' && child.link.peerIndex === parent.link.index;
}

function parentFinding({ ns, link }: Port, out: Transmit): Finding {
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
function boundNeighbour(
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

/** The network outside looks at the destination only: hosts, then what the InfraShim says, then what the objects imply. */
export function byDestination(
  context: FlightContext,
  from: NetNamespace | undefined,
  oif: string,
  packet: Skb,
  route: string,
): Next {
  const { world } = context;
  // The router between counts as a hop.
  const skb = { ...untranslate(context, packet), ttl: packet.ttl - 1 };
  if (skb.ttl < 1) {
    obstacle(context, hopLimit(from, skb), 'loop', skb, { kind: 'icmp', type: 11, code: 0, outside: true });
    return { kind: 'lost', skb };
  }
  const owner = world.fabric.outsideOwner(skb.dst);
  if (owner !== undefined && owner.ns !== from) return toHost(context, { ns: from, oif }, skb, owner, 'by destination');
  const node = owner === undefined ? world.cluster.nodeAt(skb.dst) : undefined;
  // The last router asks for the address, gets no answer, and says so.
  if (node !== undefined && world.namespaces.get(`node/${node.name}`)?.links !== undefined)
    return absentAddress(context, skb, node.name, skb.dst, { kind: 'icmp', type: 3, code: 1, outside: true });
  const blind = hiddenHost(context);
  if (blind !== undefined && from !== undefined)
    return uncollectedEnd(
      context,
      from,
      skb,
      `whether ${formatIp(skb.dst)} is ${blind} (its links and addresses were not collected)`,
    );
  const answer = ask(context, externalQuestion(context, from, oif, skb));
  if (tellAnswer(context, answer, skb)) return { kind: 'lost', skb };
  switch (answer.delivery.kind) {
    case 'node':
    case 'external': {
      const { name } = answer.delivery;
      const target = hostPort(context, 'node', name) ?? hostPort(context, 'external', name);
      if (target !== undefined) return arriveFromOutside(from, oif, translated(context, skb, answer), target);
      return exit(
        context,
        translated(context, skb, answer),
        `${answer.delivery.kind} ${answer.delivery.name} is not in the snapshot`,
      );
    }
    case 'exits':
      return implied(context, from, oif, translated(context, skb, answer), route, 'exits');
    case 'lost':
      return implied(context, from, oif, skb, route, 'lost');
    case 'unknown':
      notChecked(context, from, oif, formatIp(skb.dst));
      return implied(context, from, oif, skb, route, 'exits');
  }
}

function hopLimit(from: NetNamespace | undefined, skb: Skb): Finding {
  const subject = { kind: 'network', name: 'underlay' };
  const destination = formatIp(skb.dst);
  const evidence: Evidence = {
    kind: 'route',
    at: from?.place ?? subject,
    locator: `route/${destination}`,
    text: 'the hop limit of the packet ends at a router outside',
  };
  return { code: 'TTL_EXCEEDED', subject, evidence: [evidence], details: { destination } };
}

/** What becomes of a destination that the InfraShim leaves to its default: what the cluster's objects imply, else `otherwise`. */
function implied(
  context: FlightContext,
  from: NetNamespace | undefined,
  oif: string,
  skb: Skb,
  route: string,
  otherwise: 'exits' | 'lost',
): Next {
  const { world } = context;
  const { cluster, cni } = world;
  if (cluster.isPodAddress(skb.dst) && cni.podRoutesInUnderlay) {
    const owner = cluster.nodeOfPodAddress(skb.dst);
    const target = owner === undefined ? undefined : hostPort(context, 'node', owner.name);
    if (target !== undefined) {
      context.state.assumptions.add(
        `the network between the nodes routes ${formatIp(skb.dst)} to node ${owner?.name ?? ''}`,
      );
      return arriveFromOutside(from, oif, skb, target);
    }
  }
  const entries = loadBalancerNodes(context, skb);
  if (entries.length > 0 && otherwise === 'exits') {
    const name =
      entries[
        context.chooser.pick(
          `lb ${skb.dst} ${skb.dport}`,
          entries.map(() => 1),
        )
      ];
    const target = name === undefined ? undefined : hostPort(context, 'node', name);
    if (target !== undefined && name !== undefined) {
      context.state.assumptions.add(`${formatIp(skb.dst)} is delivered to a node of its load balancer`);
      return arriveFromOutside(from, oif, skb, target);
    }
  }
  // Past an obstacle a service address that nobody translated has nowhere to go, and that is no finding of its own.
  if (context.recorder.stopped && cluster.isServiceAddress(skb.dst)) return { kind: 'lost', skb };
  const inside = cluster.isPodAddress(skb.dst) || (cluster.isServiceAddress(skb.dst) && entries.length === 0);
  if (!inside && otherwise === 'exits') return exit(context, skb, 'leaves the snapshot');
  const finding = lostFinding(world, from, skb, route);
  obstacle(context, finding, 'no-route', skb);
  return { kind: 'lost', skb };
}

/** The nodes that a load balancer or an external IP may send to. */
function loadBalancerNodes(context: FlightContext, skb: Skb): string[] {
  const { cluster } = context.world;
  const service = cluster
    .servicesAt(skb.dst)
    .find((one) => !one.clusterIps.includes(skb.dst) && one.ports.some((port) => port.port === skb.dport));
  if (service === undefined) return [];
  if (service.externalTrafficPolicy !== 'Local')
    return [...cluster.nodes.values()].filter((node) => node.ready).map((node) => node.name);
  const nodes = new Set<string>();
  for (const slice of cluster.slices(service))
    for (const endpoint of slice.endpoints) if (endpoint.ready && endpoint.node !== undefined) nodes.add(endpoint.node);
  return [...nodes].toSorted();
}

function exit(context: FlightContext, skb: Skb, text: string): Next {
  context.recorder.enter({ kind: 'network', name: 'underlay' });
  context.recorder.step({ kind: 'infra', text, after: showSkb(skb) });
  return { kind: 'exits', skb };
}

interface Sender {
  readonly ns: NetNamespace | undefined;
  readonly oif: string;
}

function toHost(context: FlightContext, from: Port | Sender, skb: Skb, target: Port, why: string): Next {
  const oif = 'oif' in from ? from.oif : from.link.name;
  const answer = ask(context, hostQuestion(context, from.ns, oif, skb, target));
  if (tellAnswer(context, answer, skb)) return { kind: 'lost', skb };
  if (answer.delivery.kind === 'unknown') notChecked(context, from.ns, oif, target.ns.place.name);
  // An outside host that was dumped is on this network: only a finding of the shim keeps packets from it.
  if (answer.delivery.kind === 'lost' && target.ns.place.kind !== 'external') {
    obstacle(context, lostFinding(context.world, from.ns, skb, why), 'infra-denied', skb);
    return { kind: 'lost', skb };
  }
  return arriveFromOutside(from.ns, oif, translated(context, skb, answer), target);
}

export function arriveFromOutside(from: NetNamespace | undefined, oif: string, skb: Skb, target: Port): Next {
  const link = {
    from: from?.id ?? 'network/underlay',
    to: target.ns.id,
    type: 'infra' as const,
    fromInterface: oif === '' ? undefined : oif,
    toInterface: target.link.name,
  };
  return { kind: 'arrive', ns: target.ns, iif: target.link.name, skb: leave(skb), prerouted: false, link };
}

function hostPort(context: FlightContext, kind: 'node' | 'external', name: string): Port | undefined {
  const ns = context.world.namespaces.get(`${kind}/${name}`);
  return ns === undefined ? undefined : context.world.fabric.uplink(ns);
}

function hostQuestion(
  context: FlightContext,
  from: NetNamespace | undefined,
  oif: string,
  skb: Skb,
  target: Port,
): InfraQuestion {
  const packet = showSkb(skb);
  if (target.ns.place.kind === 'external') return externalQuestion(context, from, oif, skb);
  const destination = nodeRef(context, target.ns);
  if (from === undefined || from.place.kind === 'external') return { kind: 'externalToNode', destination, packet };
  return { kind: 'nodeToNode', source: nodeRef(context, from), oif, destination, packet };
}

function externalQuestion(
  context: FlightContext,
  from: NetNamespace | undefined,
  oif: string,
  skb: Skb,
): InfraQuestion {
  const packet = showSkb(skb);
  const { cluster } = context.world;
  const [service] = cluster.servicesAt(skb.dst);
  if ((from === undefined || from.place.kind === 'external') && service !== undefined)
    return {
      kind: 'externalToLoadBalancer',
      service: { namespace: service.namespace, name: service.name },
      packet,
      backends: loadBalancerNodes(context, skb),
    };
  return {
    kind: 'nodeToExternal',
    source: from === undefined ? { name: '', addresses: [] } : nodeRef(context, from),
    oif,
    packet,
  };
}

/** The node that a packet of the namespace leaves by. */
function nodeName(ns: NetNamespace): string {
  return ns.place.kind === 'pod' ? (ns.place.node ?? '') : ns.place.name;
}

function nodeRef(context: FlightContext, ns: NetNamespace): NodeRef {
  const name = nodeName(ns);
  const node = context.world.cluster.nodes.get(name);
  return { name, addresses: (node?.addresses ?? []).map((ip) => formatIp(ip)) };
}

function ask(context: FlightContext, question: InfraQuestion): InfraAnswer {
  const answer = context.world.infra(question);
  if (answer === undefined) throw new MissingFact(question);
  return answer;
}

/** Records what the shim said; true when it stops the packet. */
function tellAnswer(context: FlightContext, answer: InfraAnswer, skb: Skb): boolean {
  for (const step of answer.steps) context.recorder.step(step);
  for (const skipped of answer.skipped) context.state.skipped.push(skipped);
  const blocking = answer.suspicions.filter((suspicion) => suspicion.blocking);
  for (const suspicion of answer.suspicions) if (!suspicion.blocking) context.state.notes.push(suspicion);
  for (const suspicion of blocking) stopBySuspicion(context, suspicion, skb);
  return blocking.length > 0;
}

function stopBySuspicion(context: FlightContext, suspicion: Suspicion, skb: Skb): void {
  context.recorder.obstacle({
    facts: suspicion,
    ready: suspicion,
    disposition: 'infra-denied',
    answer: { kind: 'silence' },
    skb,
  });
}

function notChecked(context: FlightContext, from: NetNamespace | undefined, oif: string, to: string): void {
  context.state.assumptions.add(`the network outside delivers from ${from?.place.name ?? 'the outside'} to ${to}`);
  context.state.skipped.push({
    code: 'INFRA_NOT_CHECKED',
    reason: `nothing is known of the network between ${from?.place.name ?? 'the outside'} and ${to}; it is taken to deliver`,
    ...(from === undefined ? {} : { at: { ...from.place, interface: oif } }),
  });
}

/** SNAT of the network outside; the answer is translated back by untranslate(). */
function translated(context: FlightContext, skb: Skb, answer: InfraAnswer): Skb {
  const src = answer.translatedSource === undefined ? undefined : parseIp(answer.translatedSource);
  if (src === undefined || familyOf(src) !== skb.family || src === skb.src) return skb;
  // Only the first packet of a connection is asked about; an answer goes out as what it answers came in.
  if (context.state.underlayFlows.has(tupleKey(tupleOf(skb)))) return skb;
  const changed = { ...skb, src };
  context.recorder.step({
    kind: 'translate',
    text: `the network outside translates the source to ${formatIp(src)}`,
    before: showSkb(skb),
    after: showSkb(changed),
  });
  context.state.underlayNat.set(tupleKey(reverseTuple(tupleOf(changed))), skb.src);
  return changed;
}

function untranslate(context: FlightContext, skb: Skb): Skb {
  context.state.underlayFlows.add(tupleKey(reverseTuple(tupleOf(skb))));
  const original: Ip | undefined = context.state.underlayNat.get(tupleKey(tupleOf(skb)));
  if (original === undefined) return skb;
  const changed = { ...skb, dst: original };
  context.recorder.step({
    kind: 'translate',
    text: `the network outside translates back to ${formatIp(original)}`,
    before: showSkb(skb),
    after: showSkb(changed),
  });
  return changed;
}
