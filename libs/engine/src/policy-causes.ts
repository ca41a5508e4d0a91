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
import { sourceAtDestination, targetAtSource } from './policy-view.js';
import type { RecordedObstacle } from './trace-recorder.js';
import { namespaceAt, type World } from './world.js';

/** What of an exchange is the policies' business. */
interface PolicyQuestion {
  readonly source: Endpoint;
  readonly dst: Ip;
  readonly port: number;
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
  const flows = flowsOf(world, question, exchange);
  if (flows === undefined) return NO_OPINION;
  // Without any policy there is nothing to say, unless a rule of one is still there.
  if (!policies.hasPolicies && exchange.obstacles.every(({ obstacle }) => recognise(world, obstacle) === undefined))
    return NO_OPINION;
  const verdict: PolicyVerdict = {
    ...policies.verdict(flows.ingress),
    egress: policies.egress(flows.egress),
  };
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
    .flatMap((direction) =>
      policyFindings(policies, flows[direction], only(verdict, direction), { [direction]: { fact } }),
    );
  return {
    causesOf: (recorded) => {
      const direction = drops.get(recorded);
      const [evidence] = recorded.obstacle.facts.evidence;
      if (direction === undefined) return [];
      const first = [
        ...(direction === 'ingress' ? changedSource(world, flows, verdict, exchange, recorded) : []),
        ...staleSets(policies, namespaceAt(world, recorded.at), recorded.obstacle.skb, verdict[direction]),
      ];
      const witness = { fact: 'dropped-by-policy' as const, ...(evidence === undefined ? {} : { evidence }) };
      return [
        ...first,
        ...policyFindings(policies, flows[direction], only(verdict, direction), { [direction]: witness }),
      ];
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

/** The packet as the policies of each end see it. */
interface Flows {
  readonly egress: PolicyFlow;
  readonly ingress: PolicyFlow;
  /** With the sender as it is, whoever the destination sees. */
  readonly untranslated: PolicyFlow;
}

function flowsOf(
  { policies, cluster }: World,
  { source, dst, port, protocol }: PolicyQuestion,
  exchange: Exchange,
): Flows | undefined {
  const { target, sender } = exchange;
  // A service address that nobody translated is nothing that a policy knows.
  if (sender === undefined || cluster.isServiceAddress(target.ip)) return undefined;
  // A host that has no route to the destination has chosen no source: then it is the address that was asked for.
  const own = sender === 0 || sender === 0n ? parseIp(source.ip ?? '') : sender;
  if (own === undefined) return undefined;
  const end = sourceEnd(policies, source, own);
  const first = targetAtSource(exchange, { ip: dst, port });
  const hairpins = exchange.forward.hops.some(({ at }) => at.kind === 'node');
  const untranslated = { source: end, destination: policies.endAt(target.ip), protocol, port: target.port, hairpins };
  const seen = sourceAtDestination(exchange, own);
  return {
    egress: { source: end, destination: policies.endAt(first.ip), protocol, port: first.port, hairpins },
    ingress: seen === own ? untranslated : { ...untranslated, source: policies.endAt(seen) },
    untranslated,
  };
}

function sourceEnd(policies: World['policies'], { kind, namespace, name }: Endpoint, ip: Ip): FlowEnd {
  if (kind === 'pod' && namespace !== undefined && name !== undefined) return policies.endOfPod(namespace, name, ip);
  return kind === 'node' && name !== undefined ? policies.endOfNode(name, ip) : policies.endAt(ip);
}

/** Policies would let the sender in, but a rule by hand has hidden it behind another address. */
function changedSource(
  { policies }: World,
  { ingress: seen, untranslated }: Flows,
  { ingress }: PolicyVerdict,
  exchange: Exchange,
  { obstacle: { skb } }: RecordedObstacle,
): readonly Finding[] {
  if (ingress.decision !== 'deny' || seen === untranslated) return [];
  return policies.ingress(untranslated).decision === 'allow' ? sourceRules(exchange, skb.family) : [];
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
