import type { Evidence, Skipped } from '#libs/model';
import { formatIp, type SuspicionCode } from '#libs/model';
import type { Finding } from '#libs/provider-kit';
import { dataplaneOf, enforces } from './enforcers.js';
import { formatPolicyRef, type Direction, type PolicyFamily } from './policy-ref.js';
import type { FlowEnd, PolicyFlow } from './flow.js';
import type { PolicyIndex } from './policy-index.js';
import { suggestAllowance } from './suggest-allowance.js';
import type { DirectionVerdict, PolicyVerdict, SelectingPolicy } from './verdict.js';

/** What the walk saw of one direction: the fact that the intent is held against. */
export type WalkFact =
  /** It got past the place where policies of this direction are enforced. */
  | 'passed'
  /** A rule that belongs to a policy engine dropped it. */
  | 'dropped-by-policy'
  /** It never got so far, or the walk cannot tell. */
  | 'unknown';

/** A fact, with the rule that shows it where there is one: what dropped the packet. */
export interface WalkWitness {
  readonly fact: WalkFact;
  readonly evidence?: Evidence;
}

/**
 * What is to be said of a flow, intent and fact held together. A direction that policies deny and that the walk saw pass is either not
 * enforced or not programmed; one that they allow and a policy engine's rule dropped is stale. Of an engine that the walk cannot see
 * (eBPF, user space, Open vSwitch) the intent is all there is.
 */
export function policyFindings(
  index: PolicyIndex,
  flow: PolicyFlow,
  verdict: PolicyVerdict,
  facts: Readonly<Partial<Record<Direction, WalkWitness>>> = {},
): readonly Finding[] {
  return [verdict.egress, verdict.ingress, ...verdict.hosts].flatMap((direction) => {
    const finding = directionFinding(index, flow, direction, facts[direction.direction] ?? { fact: 'unknown' });
    return finding === undefined ? [] : [finding];
  });
}

/** What could not be evaluated, for the result's list of skipped checks. */
export function policySkipped(verdict: PolicyVerdict): readonly Skipped[] {
  return [verdict.egress, verdict.ingress, ...verdict.hosts].flatMap(({ direction, reason, subject }) =>
    reason.kind === 'undecided'
      ? reason.causes.map((cause) => ({
          code: 'POLICY_UNDECIDED',
          reason: `${direction} policy is not decided: ${cause}`,
          at: subject,
        }))
      : [],
  );
}

function directionFinding(
  index: PolicyIndex,
  flow: PolicyFlow,
  verdict: DirectionVerdict,
  { fact, evidence }: WalkWitness,
): Finding | undefined {
  if (verdict.subject === undefined) return undefined;
  if (verdict.decision === 'allow')
    return fact === 'dropped-by-policy' ? stale(index, flow, verdict, evidence) : undefined;
  if (verdict.decision === 'unknown') return undefined;
  const denying = denyingPolicies(verdict);
  const family = familyOf(denying);
  const enforced = enforces(index.enforcement, family);
  if (enforced === 'no' || (enforced === 'unknown' && fact === 'passed'))
    return { ...finding(index, flow, verdict, 'POLICY_NOT_ENFORCED'), remedy: NOT_ENFORCED };
  if (enforced === 'yes' && fact === 'passed' && dataplaneOf(index.enforcement, family) === 'netfilter')
    return { ...finding(index, flow, verdict, 'POLICY_NOT_PROGRAMMED'), remedy: notProgrammed(index, verdict) };
  return {
    ...finding(index, flow, verdict, denialCode(family, verdict.direction)),
    remedy: suggestAllowance(index, flow, verdict),
  };
}

const NOT_ENFORCED =
  'Nothing blocks this connection now. Install a CNI plugin or an agent that enforces network policies, or remove the policies.';

function finding(index: PolicyIndex, flow: PolicyFlow, verdict: DirectionVerdict, code: SuspicionCode): Finding {
  const denying = denyingPolicies(verdict);
  const evidence = denying.map((policy) => evidenceOf(policy, verdict));
  const about = code === 'POLICY_NOT_ENFORCED' ? index.enforcement.reasons.map(enforcementEvidence) : [];
  return {
    code,
    subject: verdict.subject ?? { kind: 'pod', name: '?' },
    evidence: [...evidence, ...about],
    details: {
      policies: howPoliciesDeny(verdict),
      source: describeEnd(index, flow.source),
      destination: describeEnd(index, flow.destination),
      direction: verdict.direction,
      protocol: flow.protocol,
      port: flow.port ?? '-',
    },
  };
}

function stale(index: PolicyIndex, flow: PolicyFlow, verdict: DirectionVerdict, drop: Evidence | undefined): Finding {
  const { reason, selecting } = verdict;
  const evidence =
    reason.kind === 'rule'
      ? [evidenceOf(reason.rule, verdict)]
      : selecting.map((policy) => evidenceOf(policy, verdict));
  return {
    code: 'POLICY_STALE',
    subject: verdict.subject ?? { kind: 'pod', name: '?' },
    // The rule first: it is what is there and should not be.
    evidence: drop === undefined ? evidence : [drop, ...evidence],
    details: {
      policies: selecting.map(({ ref }) => formatPolicyRef(ref)).join(', ') || 'none',
      source: describeEnd(index, flow.source),
      destination: describeEnd(index, flow.destination),
      direction: verdict.direction,
    },
    remedy: notProgrammed(index, verdict),
  };
}

function notProgrammed({ enforcement }: PolicyIndex, { subject }: DirectionVerdict): string {
  const names = enforcement.enforcers.map(({ name }) => name).join(', ');
  return `Look at the logs of ${names === '' ? 'the policy agent' : names} on node ${subject?.node ?? '?'}: it has not brought its rules up to date.`;
}

/** The rule that denies, or all policies that select the pod and let nothing through. */
export function denyingPolicies({ reason, selecting }: DirectionVerdict): readonly SelectingPolicy[] {
  if (reason.kind === 'rule') return [reason.rule];
  return reason.kind === 'default-deny' ? reason.policies : selecting;
}

/** `NetworkPolicy/prod/db (selects it, no rule allows this)` or `AdminNetworkPolicy/a (spec.ingress[0] denies)`. */
export function howPoliciesDeny(verdict: DirectionVerdict): string {
  const { reason } = verdict;
  const how = reason.kind === 'rule' ? `${reason.rule.path} denies` : 'selects it, no rule allows this';
  return denyingPolicies(verdict)
    .map(({ ref }) => `${formatPolicyRef(ref)} (${how})`)
    .join(', ');
}

/** Beside Calico's own policies in the default tier a NetworkPolicy is one of Calico's. */
function familyOf(policies: readonly SelectingPolicy[]): PolicyFamily {
  if (policies.some(({ family }) => family === 'calico')) return 'calico';
  return policies[0]?.family ?? 'kubernetes';
}

function denialCode(family: PolicyFamily, direction: Direction): SuspicionCode {
  if (family === 'calico') return 'CALICO_POLICY_DENIED';
  if (family === 'admin') return 'ADMIN_POLICY_DENIED';
  return direction === 'ingress' ? 'POLICY_DENIED_INGRESS' : 'POLICY_DENIED_EGRESS';
}

function evidenceOf({ ref, spec }: SelectingPolicy, { reason, direction }: DirectionVerdict): Evidence {
  const path = reason.kind === 'rule' && reason.rule.ref === ref ? reason.rule.path : `spec.${direction}`;
  const { namespace, name } = ref;
  return {
    kind: 'object',
    at: { kind: ref.kind.slice(ref.kind.indexOf('/') + 1).toLowerCase(), namespace, name },
    locator: `${formatPolicyRef(ref)}:${path}`,
    text: fieldText(spec, path, direction),
  };
}

function enforcementEvidence(reason: string): Evidence {
  return { kind: 'object', at: { kind: 'cluster', name: 'cluster' }, locator: 'DaemonSet', text: reason };
}

/** The field of the object at a path such as `spec.ingress[0].from[1]`, as one line of JSON. */
export function fieldText(spec: unknown, path: string, direction: Direction): string {
  let value: unknown = { spec };
  for (const step of path.match(/\w+/g) ?? [])
    value =
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([key]) => key === step)?.[1]
        : undefined;
  return value === undefined ? `no ${direction} rules` : JSON.stringify(value);
}

/** `pod prod/db (10.244.1.7)`, `node node1 (10.0.0.1)` or the address. */
export function describeEnd(index: PolicyIndex, end: FlowEnd): string {
  const ip = formatIp(end.ip);
  const names = index.podsOf(end).map(({ namespace, name }) => `${namespace}/${name}`);
  if (names.length > 0) return `pod ${names.join(' or ')} (${ip})`;
  return end.node === undefined ? ip : `node ${end.node} (${ip})`;
}
