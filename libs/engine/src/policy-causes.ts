import { parseIp, type Endpoint, type Evidence, type Ip, type Skipped } from '#libs/model';
import {
  blocksDns,
  policyFindings,
  policySkipped,
  recogniseDrop,
  type PolicyDrop,
  type FlowEnd,
  type PolicyFlow,
  type PolicyVerdict,
} from '#libs/policy';
import type { Finding } from '#libs/provider-kit';
import type { Exchange } from './exchange.js';
import { sourceRules } from './foreign-rules.js';
import { staleSets } from './policy-sets.js';
import type { RecordedObstacle } from './trace-recorder.js';
import { namespaceAt, type World } from './world.js';

/** What of an exchange is the policies' business. */
interface PolicyQuestion {
  readonly source: Endpoint;
  readonly protocol: 'tcp' | 'udp';
}

type Direction = 'egress' | 'ingress';

/** What policies say of one exchange: causes of drops by a policy engine, notes on what is not as they want it, and what is not decided. */
export interface PolicyOpinion {
  /** Of the obstacle that a policy engine's rule is. */
  causesOf(recorded: RecordedObstacle): readonly Finding[];
  readonly notes: readonly Finding[];
  readonly skipped: readonly Skipped[];
}

const NO_OPINION: PolicyOpinion = { causesOf: () => [], notes: [], skipped: [] };

/** The intent of the policy objects held against what the walk saw. The walk decides; the opinion explains or objects. */
export function policyOpinion(world: World, question: PolicyQuestion, exchange: Exchange): PolicyOpinion {
  const { policies } = world;
  const flow = flowOf(world, question, exchange);
  if (flow === undefined) return NO_OPINION;
  // Without any policy there is nothing to say, unless a rule of one is still there.
  if (!policies.hasPolicies && exchange.obstacles.every(({ obstacle }) => recognise(world, obstacle) === undefined))
    return NO_OPINION;
  const verdict = verdictOf(world, flow, exchange);
  const drops = new Map<RecordedObstacle, Direction>();
  for (const recorded of exchange.obstacles) {
    const direction = dropDirection(world, recorded, verdict);
    if (direction !== undefined) drops.set(recorded, direction);
  }
  const passed = exchange.obstacles.length === 0 && exchange.arrival !== undefined;
  const fact = passed ? ('passed' as const) : ('unknown' as const);
  const dropped = new Set(drops.values());
  const notes = (['egress', 'ingress'] as const)
    .filter((direction) => !dropped.has(direction))
    .flatMap((direction) => policyFindings(policies, flow, only(verdict, direction), { [direction]: { fact } }));
  return {
    causesOf: (recorded) => {
      const direction = drops.get(recorded);
      const [evidence] = recorded.obstacle.facts.evidence;
      if (direction === undefined) return [];
      const first = [
        ...(direction === 'ingress' ? changedSource(world, flow, verdict, exchange, recorded) : []),
        ...staleSets(policies, namespaceAt(world, recorded.at), recorded.obstacle.skb, verdict[direction]),
      ];
      const witness = { fact: 'dropped-by-policy' as const, ...(evidence === undefined ? {} : { evidence }) };
      return [...first, ...policyFindings(policies, flow, only(verdict, direction), { [direction]: witness })];
    },
    notes: [...notes, ...dnsFindings(world, question.source)],
    skipped: policySkipped(verdict),
  };
}

function only(verdict: PolicyVerdict, direction: Direction): PolicyVerdict {
  const silent = { decision: 'allow' as const, reason: { kind: 'no-subject' as const }, selecting: [] };
  return {
    ...verdict,
    hosts: [],
    egress: direction === 'egress' ? verdict.egress : { direction: 'egress', ...silent },
    ingress: direction === 'ingress' ? verdict.ingress : { direction: 'ingress', ...silent },
  };
}

/** The packet as policies see it: after service translation, at the address where it arrived or was on its way to. */
function flowOf(
  { policies, cluster }: World,
  { source, protocol }: PolicyQuestion,
  exchange: Exchange,
): PolicyFlow | undefined {
  const { target, sender } = exchange;
  // A service address that nobody translated is nothing that a policy knows.
  if (sender === undefined || cluster.isServiceAddress(target.ip)) return undefined;
  // A host that has no route to the destination has chosen no source: then it is the address that was asked for.
  const own = sender === 0 || sender === 0n ? parseIp(source.ip ?? '') : sender;
  if (own === undefined) return undefined;
  return {
    source: sourceEnd(policies, source, own),
    destination: policies.endAt(target.ip),
    protocol,
    port: target.port,
  };
}

function sourceEnd(policies: World['policies'], { kind, namespace, name }: Endpoint, ip: Ip): FlowEnd {
  if (kind === 'pod' && namespace !== undefined && name !== undefined) return policies.endOfPod(namespace, name, ip);
  return kind === 'node' && name !== undefined ? policies.endOfNode(name, ip) : policies.endAt(ip);
}

/** Ingress is asked with the source that the destination sees, which may be a node's after masquerading. */
function verdictOf({ policies }: World, flow: PolicyFlow, { arrival }: Exchange): PolicyVerdict {
  const verdict = policies.verdict(flow);
  if (arrival === undefined || arrival.src === flow.source.ip) return verdict;
  return { ...verdict, ingress: policies.ingress({ ...flow, source: policies.endAt(arrival.src) }) };
}

/** Policies would let the sender in, but a rule by hand has hidden it behind another address. */
function changedSource(
  { policies }: World,
  flow: PolicyFlow,
  { ingress }: PolicyVerdict,
  exchange: Exchange,
  { obstacle: { skb } }: RecordedObstacle,
): readonly Finding[] {
  if (ingress.decision !== 'deny' || skb.src === flow.source.ip) return [];
  return policies.verdict(flow).ingress.decision === 'allow' ? sourceRules(exchange, skb.family) : [];
}

/** The direction of the policies whose rule stopped the packet; undefined: it was no policy engine's. */
function dropDirection(world: World, { obstacle }: RecordedObstacle, verdict: PolicyVerdict): Direction | undefined {
  const drop = recognise(world, obstacle);
  return drop && (drop.direction ?? (verdict.ingress.decision === 'deny' ? 'ingress' : 'egress'));
}

/** The drop that a policy engine ordered; undefined: it is none, or the engine's own protection. */
function recognise({ policies }: World, { facts }: RecordedObstacle['obstacle']): PolicyDrop | undefined {
  const [evidence] = facts.evidence;
  if (evidence === undefined || (evidence.kind !== 'rule' && evidence.kind !== 'chain')) return undefined;
  const drop = recogniseDrop(placeOfRule(evidence), policies.refs);
  return drop?.kind === 'guard' ? undefined : drop;
}

/** `filter/FORWARD/3`, `inet filter/forward/12`. */
function placeOfRule({ kind, locator, text }: Evidence): { table: string; chain: string; rule?: string } {
  const [table = '', chain = ''] = locator.split('/');
  return { table, chain, ...(kind === 'rule' ? { rule: text } : {}) };
}

function dnsFindings(world: World, { kind, namespace, name }: Endpoint): readonly Finding[] {
  if (kind !== 'pod' || namespace === undefined || name === undefined) return [];
  const answer = blocksDns(world.policies, world.cluster, namespace, name);
  return answer.kind === 'blocked' ? [answer.finding] : [];
}
