import { formatIp, type Evidence } from '#libs/model';
import { icmpError, makeSkb, showSkb, unknowable, type Answer, type NetNamespace, type Skb } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { type Port } from './fabric.js';
import { leave, obstacle, runIn, type FlightContext, type Next } from './flight-context.js';
import {
  ask,
  externalQuestion,
  hostQuestion,
  loadBalancerNodes,
  notChecked,
  tellAnswer,
  translated,
  untranslate,
} from './infra-crossing.js';
import { lostFinding } from './lost.js';
import type { Transmit } from './segment.js';
import { arpOff, uncollectedEnd, unreachableHost } from './segment.js';
import {
  absentAddress,
  boundNeighbour,
  isOwnParent,
  lastRouterFails,
  parentFinding,
  resolveOutside,
} from './underlay-neighbour.js';

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
  return byDestination(context, from.ns, from.link.name, out.skb, out.route, onSegment(from, out));
}

/** What stops a packet to an address of the own segment that nobody has: no gateway takes it, its sender asks for it in vain. */
function onSegment(from: Port, out: Transmit): Stop | undefined {
  if (out.nextHop !== out.skb.dst) return undefined;
  const destination = formatIp(out.nextHop);
  return {
    facts: {
      code: 'NEIGH_FAILED',
      subject: { ...from.ns.place, interface: from.link.name },
      evidence: [{ kind: 'route', at: from.ns.place, locator: `route/${destination}`, text: out.route }],
      details: { destination, interface: from.link.name },
    },
    answer: unreachableHost(out),
  };
}

interface Stop {
  readonly facts: Finding;
  readonly answer: Answer;
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

/** The network outside looks at the destination only: hosts, then what the InfraShim says, then what the objects imply. */
export function byDestination(
  context: FlightContext,
  from: NetNamespace | undefined,
  oif: string,
  packet: Skb,
  route: string,
  alone?: Stop,
): Next {
  const { world } = context;
  // The router between counts as a hop.
  const skb = makeSkb(untranslate(context, packet));
  skb.ttl = packet.ttl - 1;
  if (skb.ttl < 1) {
    obstacle(context, hopLimit(from, skb), 'loop', skb, { ...icmpError(skb.family, 'hop-limit'), outside: true });
    return { kind: 'lost', skb };
  }
  const owner = world.fabric.outsideOwner(skb.dst);
  if (owner !== undefined && owner.ns !== from) {
    if (lastRouterFails(context, skb, owner)) return { kind: 'lost', skb };
    return toHost(context, { ns: from, oif }, skb, owner, 'by destination');
  }
  const node = owner === undefined ? world.cluster.nodeAt(skb.dst) : undefined;
  // The last router asks for the address, gets no answer, and says so.
  if (node !== undefined && world.namespaces.get(`node/${node.name}`)?.links !== undefined)
    return absentAddress(context, skb, node.name, skb.dst, {
      ...icmpError(skb.family, 'host-unreachable'),
      outside: true,
    });
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
      if (target !== undefined) {
        if (lastRouterFails(context, skb, target)) return { kind: 'lost', skb };
        return arriveFromOutside(from, oif, translated(context, skb, answer), target);
      }
      return exit(
        context,
        translated(context, skb, answer),
        `${answer.delivery.kind} ${answer.delivery.name} is not in the snapshot`,
      );
    }
    case 'exits':
      return implied(context, from, oif, translated(context, skb, answer), route, 'exits');
    case 'lost':
      if (alone !== undefined && !world.cluster.isPodAddress(skb.dst) && !world.cluster.isServiceAddress(skb.dst)) {
        obstacle(context, alone.facts, 'neighbor-unreachable', packet, alone.answer);
        return { kind: 'lost', skb };
      }
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
