import { formatIp, placeKey, suspect, type Evidence, type Ip, type Place, type Suspicion } from '#libs/model';
import { diversionFacts, type NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { Exchange } from './exchange.js';
import { explains } from './explains.js';
import { foreignRules } from './foreign-rules.js';
import { concerns } from './inspection.js';
import type { RecordedObstacle } from './trace-recorder.js';
import { namespaceAt, type World } from './world.js';

/**
 * An obstacle as the findings that a person has to deal with: what it follows from first, then itself, linked to its cause.
 * The walk says that the packet stops; the expectations say why. What they know of the obstacle itself is added to it.
 */
export function explainObstacle(
  world: World,
  recorded: RecordedObstacle,
  exchange: Pick<Exchange, 'addresses' | 'forward' | 'reply' | 'misled'>,
  more: readonly Finding[] = [],
): Suspicion[] {
  const { obstacle } = recorded;
  if (obstacle.ready !== undefined) return [obstacle.ready];
  const facts = obstacle.facts;
  const known = [
    ...candidates(world, recorded, exchange.addresses),
    ...exchange.misled,
    ...foreignRules(exchange, obstacle.skb.family),
  ];
  const same = [...more, ...known].find((finding) => isSame(finding, facts));
  const either = eitherWay(world, recorded);
  const told =
    either === undefined ? facts : { ...facts, ...either, evidence: [...facts.evidence, ...either.evidence] };
  const own = same === undefined ? told : { ...told, ...same, evidence: joined(same.evidence, told.evidence) };
  const fundamental = mostFundamental(obstacle, known);
  const deeper = fundamental.filter(({ code }) => code === 'FOREIGN_RULE' || code === 'IPSET_STALE');
  const causes = chain(
    [...deeper, ...more, ...fundamental.filter((finding) => !deeper.includes(finding))].filter(
      (finding) => !isSame(finding, facts),
    ),
    more,
  );
  const small = smallHopLimit(world, recorded, exchange);
  const evidence = [...own.evidence, ...(small === undefined ? [] : [small.evidence])];
  const [first] = causes;
  return [
    ...causes,
    suspect({
      ...own,
      ...(small === undefined ? {} : { remedy: small.remedy }),
      evidence,
      blocking: true,
      ...(first === undefined ? {} : { because: first.fingerprint }),
    }),
  ];
}

/** What one has seen of a place need not be told again in the words of the other. */
function joined(first: readonly Evidence[], more: readonly Evidence[]): Evidence[] {
  const told = new Set(first.map(({ at, kind, locator }) => `${placeKey(at)} ${kind} ${locator}`));
  return [...first, ...more.filter(({ at, kind, locator }) => !told.has(`${placeKey(at)} ${kind} ${locator}`))];
}

/**
 * Causes as suspicions; one that another of the same place explains (not the other way round too) comes after it, and says so.
 * What services and policies say (`more`) is of one packet, wherever the places are.
 */
function chain(causes: readonly Finding[], more: readonly Finding[]): Suspicion[] {
  const follows = (finding: Finding, other: Finding): boolean =>
    (isSamePlace(finding, other) || (more.includes(finding) && more.includes(other))) &&
    explains(finding.code, other.code) !== undefined &&
    explains(other.code, finding.code) === undefined;
  const roots = causes.filter((finding) => causes.every((other) => !follows(finding, other)));
  const derived = causes.filter((finding) => !roots.includes(finding));
  const suspicions = new Map(roots.map((finding) => [finding, suspect({ ...finding, blocking: true })]));
  for (const finding of derived) {
    const root = roots.find((other) => follows(finding, other));
    const because = root === undefined ? undefined : suspicions.get(root)?.fingerprint;
    suspicions.set(finding, suspect({ ...finding, blocking: true, ...(because === undefined ? {} : { because }) }));
  }
  return [...suspicions.values()];
}

function isSamePlace(one: Finding, other: Finding): boolean {
  return placeKey(one.subject) === placeKey(other.subject);
}

/** What the kernel's own look-up tells of the obstacle explains it, whatever its kind. */
function mostFundamental(
  { facts, cause }: RecordedObstacle['obstacle'],
  known: readonly Finding[],
): readonly Finding[] {
  let best = Infinity;
  let found: Finding[] = [];
  for (const finding of known) {
    const rank = explains(facts.code, finding.code) ?? (finding === cause ? WITNESSED : undefined);
    if (rank === undefined || rank > best) continue;
    if (rank < best) found = [];
    best = rank;
    found.push(finding);
  }
  return found;
}

/** Behind all that explains obstacles of a kind. */
const WITNESSED = 100;

/** What is not in order where the packet stopped, at the ends of its way, and on their nodes; the place of the obstacle first. */
function candidates(world: World, recorded: RecordedObstacle, addresses: readonly Ip[]): Finding[] {
  const { obstacle, at } = recorded;
  const { src, dst, inner } = obstacle.skb;
  // What a tunnel carries may be an answer to the address of a tunnel's end: nobody asked for that one.
  const ends = [src, dst, ...(inner === undefined ? [] : [inner.src, inner.dst]), ...addresses];
  const here = namespaceAt(world, at);
  const found: Finding[] = obstacle.cause === undefined ? [] : [obstacle.cause];
  const diversion = here === undefined ? undefined : diverted(here, recorded);
  if (diversion !== undefined) found.push(diversion);
  if (here?.place.kind === 'node')
    for (const ip of [dst, src]) {
      const finding = world.cni.routeFinding(here, ip);
      if (finding !== undefined) found.push(finding);
    }
  for (const ns of relevant(world, [here, namespaceAt(world, obstacle.facts.subject)], ends))
    found.push(...world.inspection.of(ns).filter((finding) => concerns(finding, ends) && leaves(world, finding, ends)));
  const outside = podOutside(world, recorded);
  if (outside !== undefined && !found.some((finding) => isSame(finding, outside))) found.push(outside);
  return found;
}

/** Masquerading what leaves the cluster does not matter to packets that stay inside. */
function leaves({ cluster }: World, { code }: Finding, ends: readonly Ip[]): boolean {
  return (
    code !== 'MASQUERADE_MISSING' || ends.some((ip) => !cluster.isPodAddress(ip) && cluster.nodeAt(ip) === undefined)
  );
}

/**
 * A host outside that cannot answer a pod. Where the CNI plugin hides pods behind their nodes, the pod's address should not have left
 * its node; where pods are routed outside, the route that lacks there is all that is wrong.
 */
function podOutside(world: World, recorded: RecordedObstacle): Finding | undefined {
  const evidence = unmasqueraded(world, recorded);
  const { dst, src } = recorded.obstacle.skb;
  if (evidence === undefined || world.cni.masquerades?.(dst, src) !== true) return undefined;
  return {
    code: 'MASQUERADE_MISSING',
    subject: evidence.at,
    evidence: [evidence],
    details: { source: formatIp(dst), destination: formatIp(src) },
  };
}

/** That a pod's own address came to a host outside which has no way back to it. */
function unmasqueraded(world: World, { at, direction, obstacle }: RecordedObstacle): Evidence | undefined {
  const { dst, src } = obstacle.skb;
  if (direction !== 'reply' || at.kind !== 'external' || !world.cluster.isPodAddress(dst)) return undefined;
  const node = world.cluster.podsAt(dst)[0]?.node ?? world.cluster.nodeOfPodAddress(dst)?.name;
  if (node === undefined) return undefined;
  const place: Place = { kind: 'node', name: node };
  const text = `no rule masquerades ${formatIp(dst)} on its way to ${formatIp(src)}`;
  return { kind: 'chain', at: place, locator: 'nat/POSTROUTING', text };
}

/** Nobody said which of the two is meant: a route outside, or masquerading; then both are told. */
function eitherWay(world: World, recorded: RecordedObstacle): Pick<Finding, 'evidence' | 'remedy'> | undefined {
  const evidence = unmasqueraded(world, recorded);
  const { dst, src } = recorded.obstacle.skb;
  if (evidence === undefined || world.cni.masquerades?.(dst, src) !== undefined) return undefined;
  const pod = formatIp(dst);
  return {
    evidence: [evidence],
    remedy: `Add a route to ${pod} at ${formatIp(src)} (or at its gateway) if pods are to be seen there; else masquerade ${pod} on node ${evidence.at.name}.`,
  };
}

/** A policy rule that led the packet to the route by which it came to nothing. */
function diverted(ns: NetNamespace, { route, obstacle }: RecordedObstacle): Finding | undefined {
  const routing = ns.routing(obstacle.skb.family);
  const [table] = route?.locator.split('/') ?? [];
  if (route === undefined || routing === undefined || table === undefined) return undefined;
  return diversionFacts(ns.place, routing, table, route, obstacle.skb.dst);
}

/** Each namespace once: those given, the owners of the addresses by object or by interface, and the nodes of pods among them. */
function relevant(world: World, start: readonly (NetNamespace | undefined)[], ips: readonly Ip[]): Set<NetNamespace> {
  const all = new Set<NetNamespace>();
  const add = (ns: NetNamespace | undefined): void => {
    if (ns === undefined) return;
    all.add(ns);
    const node = world.inspection.nodeOf(ns);
    if (node !== undefined) all.add(node);
  };
  for (const ns of start) add(ns);
  for (const ip of ips) {
    for (const pod of world.cluster.podsAt(ip)) add(world.namespaces.get(`pod/${pod.namespace}/${pod.name}`));
    add(world.namespaces.get(world.ownerOf(ip) ?? ''));
    const node = world.cluster.nodeAt(ip) ?? world.cluster.nodeOfPodAddress(ip);
    add(world.namespaces.get(`node/${node?.name ?? ''}`));
  }
  return all;
}

/** One says more of the interface than the other, and they mean the same. */
function isSame(a: Pick<Finding, 'code' | 'subject'>, b: Pick<Finding, 'code' | 'subject'>): boolean {
  if (a.code !== b.code) return false;
  const { interface: one, ...first } = a.subject;
  const { interface: other, ...second } = b.subject;
  return placeKey(first) === placeKey(second) && (one === undefined || other === undefined || one === other);
}

/** Below this no sender starts on purpose. */
const SMALL_TTL = 32;

/** Where a hop limit ends, the one that its sender starts with, and what to set it to. */
function smallHopLimit(
  world: World,
  { obstacle, direction }: RecordedObstacle,
  { forward, reply }: Pick<Exchange, 'forward' | 'reply'>,
): { readonly evidence: Evidence; readonly remedy: string } | undefined {
  if (obstacle.facts.code !== 'TTL_EXCEEDED') return undefined;
  const [first] = direction === 'forward' ? forward.hops : (reply?.hops ?? []);
  const ns = first === undefined ? undefined : namespaceAt(world, first.at);
  const key = 'net.ipv4.ip_default_ttl';
  const value = ns?.sysctlNumber(key) ?? SMALL_TTL;
  if (ns === undefined || value >= SMALL_TTL) return undefined;
  const { kind, namespace, name } = ns.place;
  const sender = `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
  return {
    evidence: { kind: 'sysctl', at: ns.place, locator: key, text: `${key} = ${value}` },
    remedy: `At the sender, ${sender}: sysctl -w ${key}=64`,
  };
}
