import { familyOf, formatIp, parseIp, type Ip, type Skipped, type Suspicion } from '#libs/model';
import { showSkb, tupleKey, tupleOf, reverseTuple, type NetNamespace, type Skb } from '#libs/netstack';
import type { InfraAnswer, InfraQuestion, NodeRef } from '#libs/provider-kit';
import { type Port } from './fabric.js';
import { type FlightContext } from './flight-context.js';
import { MissingFact } from './world.js';

/** The nodes that a load balancer or an external IP may send to. */
export function loadBalancerNodes(context: FlightContext, skb: Skb): string[] {
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

export function hostQuestion(
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

export function externalQuestion(
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

export function ask(context: FlightContext, question: InfraQuestion): InfraAnswer {
  if (question.kind !== 'nodeToNode') context.state.asksOutside = true;
  const answer = context.world.infra(question);
  if (answer === undefined) throw new MissingFact(question);
  return answer;
}

/** Records what the shim said; true when it stops the packet. */
export function tellAnswer(context: FlightContext, answer: InfraAnswer, skb: Skb): boolean {
  for (const step of answer.steps) context.recorder.step(step);
  for (const skipped of answer.skipped) context.state.skipped.push(skipped);
  if (answer.suspicions.length === 0) return false;
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

export function notChecked(context: FlightContext, from: NetNamespace | undefined, oif: string, to: string): void {
  const { assumption, skipped } = crossingNotes(from, oif, to);
  context.state.assumptions.add(assumption);
  context.state.skipped.push(skipped);
}

interface CrossingNotes {
  readonly assumption: string;
  readonly skipped: Skipped;
}

const MAX_NOTES = 10_000;
const notesFrom = new WeakMap<NetNamespace, Map<string, CrossingNotes>>();

/** All packets between two hosts get the same. */
function crossingNotes(from: NetNamespace | undefined, oif: string, to: string): CrossingNotes {
  if (from === undefined) return makeNotes(from, oif, to);
  let known = notesFrom.get(from);
  if (known === undefined || known.size >= MAX_NOTES) notesFrom.set(from, (known = new Map()));
  const key = `${oif} ${to}`;
  let notes = known.get(key);
  if (notes === undefined) known.set(key, (notes = makeNotes(from, oif, to)));
  return notes;
}

function makeNotes(from: NetNamespace | undefined, oif: string, to: string): CrossingNotes {
  const sender = from?.place.name ?? 'the outside';
  return {
    assumption: `the network outside delivers from ${sender} to ${to}`,
    skipped: {
      code: 'INFRA_NOT_CHECKED',
      reason: `nothing is known of the network between ${sender} and ${to}; it is taken to deliver`,
      ...(from === undefined ? {} : { at: { ...from.place, interface: oif } }),
    },
  };
}

/** SNAT of the network outside; the answer is translated back by untranslate(). */
export function translated(context: FlightContext, skb: Skb, answer: InfraAnswer): Skb {
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

export function untranslate(context: FlightContext, skb: Skb): Skb {
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
