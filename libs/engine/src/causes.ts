import { formatIp, placeKey, suspect, type Ip, type Place, type Suspicion } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { explains } from './explains.js';
import { concerns } from './inspection.js';
import type { RecordedObstacle } from './trace-recorder.js';
import type { World } from './world.js';

/**
 * An obstacle as the findings that a person has to deal with: what it follows from first, then itself, linked to its cause.
 * The walk says that the packet stops; the expectations say why. What they know of the obstacle itself is added to it.
 */
export function explainObstacle(
  world: World,
  recorded: RecordedObstacle,
  addresses: readonly Ip[],
  more: readonly Finding[] = [],
): Suspicion[] {
  const { obstacle } = recorded;
  if (obstacle.ready !== undefined) return [obstacle.ready];
  const facts = obstacle.facts;
  const known = candidates(world, recorded, addresses);
  const same = known.find((finding) => finding.code === facts.code && samePlace(finding.subject, facts.subject));
  const own = same === undefined ? facts : { ...facts, ...same, evidence: [...same.evidence, ...facts.evidence] };
  const causes = [...more, ...mostFundamental(facts.code, known)].map((finding) =>
    suspect({ ...finding, blocking: true }),
  );
  const [first] = causes;
  return [
    ...causes,
    suspect({ ...own, blocking: true, ...(first === undefined ? {} : { because: first.fingerprint }) }),
  ];
}

function mostFundamental(code: Finding['code'], known: readonly Finding[]): readonly Finding[] {
  let best = Infinity;
  let found: Finding[] = [];
  for (const finding of known) {
    const rank = explains(code, finding.code);
    if (rank === undefined || rank > best) continue;
    if (rank < best) found = [];
    best = rank;
    found.push(finding);
  }
  return found;
}

/** What is not in order where the packet stopped, at the ends of its way, and on their nodes; the place of the obstacle first. */
function candidates(world: World, recorded: RecordedObstacle, addresses: readonly Ip[]): Finding[] {
  const { obstacle, at } = recorded;
  const { src, dst } = obstacle.skb;
  const ends = [src, dst, ...addresses];
  const here = namespaceAt(world, at);
  const found: Finding[] = obstacle.cause === undefined ? [] : [obstacle.cause];
  const diversion = here === undefined ? undefined : diverted(here, recorded);
  if (diversion !== undefined) found.push(diversion);
  if (here?.place.kind === 'node')
    for (const ip of [dst, src]) {
      const finding = world.cni.routeFinding(here, ip);
      if (finding !== undefined) found.push(finding);
    }
  for (const ns of relevant(world, [here, namespaceAt(world, obstacle.facts.subject)], [dst, src]))
    found.push(...world.inspection.of(ns).filter((finding) => concerns(finding, ends)));
  return found;
}

/** A policy rule that led the packet to the route by which it came to nothing. */
function diverted(ns: NetNamespace, { route, obstacle }: RecordedObstacle): Finding | undefined {
  const table = route?.locator.split('/')[0] ?? 'main';
  if (route === undefined || ORDINARY.has(table)) return undefined;
  const rules = ns.routing(obstacle.skb.family)?.rules ?? [];
  const rule = rules.find((one) => one.action === 'lookup' && one.table === table);
  if (rule === undefined) return undefined;
  return {
    code: 'RULE_DIVERTS',
    subject: ns.place,
    evidence: [{ kind: 'policy-rule', at: ns.place, locator: `rule/${rule.priority}`, text: rule.text }, route],
    details: { destination: formatIp(obstacle.skb.dst), table },
  };
}

const ORDINARY = new Set(['local', 'main', 'default']);

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

function namespaceAt(world: World, { kind, namespace, name }: Place): NetNamespace | undefined {
  return world.namespaces.get(namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`);
}

function samePlace(a: Place, b: Place): boolean {
  return placeKey(a) === placeKey(b);
}
