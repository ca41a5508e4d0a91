import { either, MAYBE, NO, YES, both, type Match } from './match.js';
import { formatPolicyRef, type Direction, type PolicyRef } from './policy-ref.js';
import type { PolicyFlow } from './flow.js';
import type { Policy, Rule, Tier } from './rules.js';
import type { PolicyDecision, PolicyReason, SelectingPolicy } from './verdict.js';

/** The policies of one tier that select one subject in one direction, their rules in the order in which they are asked. */
export interface SubjectTier {
  readonly tier: Tier;
  readonly policies: readonly Policy[];
  readonly rules: readonly SubjectRule[];
  /** False when it cannot be told of any of the policies that it selects the subject. */
  readonly sure: boolean;
  /** What it comes to when no rule matches and the tier ends in deny; made once, it is the most frequent answer of all. */
  readonly denied: Outcome;
}

interface SubjectRule {
  readonly rule: Rule;
  readonly policy: Policy;
  /** False when it cannot be told whether the policy selects the subject. */
  readonly sure: boolean;
}

export interface Outcome {
  readonly decision: PolicyDecision;
  readonly reason: PolicyReason;
}

/** What stands after the last tier. */
export type End = (flow: PolicyFlow) => Outcome;

/** Puts the policies that select a subject into their tiers. Sorted by tier, then order, then name; given as [policy, sure]. */
export function subjectTiers(
  direction: Direction,
  tiers: ReadonlyMap<string, Tier>,
  selecting: readonly (readonly [Policy, boolean])[],
): readonly SubjectTier[] {
  const groups = new Map<Tier, (readonly [Policy, boolean])[]>();
  for (const entry of selecting) {
    const tier = tiers.get(entry[0].tier);
    if (tier === undefined) throw new Error(`the policy ${formatPolicyRef(entry[0].ref)} names no known tier`);
    const group = groups.get(tier);
    if (group === undefined) groups.set(tier, [entry]);
    else group.push(entry);
  }
  return [...groups]
    .toSorted(([a], [b]) => a.order - b.order || compare(a.name, b.name))
    .map(([tier, group]) => {
      const ordered = group.toSorted(([a], [b]) => a.order - b.order || compareRefs(a.ref, b.ref));
      const policies = ordered.map(([policy]) => policy);
      return {
        tier,
        policies,
        rules: ordered.flatMap(([policy, sure]) =>
          (policy.rules[direction] ?? []).map((rule) => ({ rule, policy, sure })),
        ),
        sure: ordered.some(([, sure]) => sure),
        denied: defaultDeny(tier, policies),
      };
    });
}

/** Asks the tiers in order. A rule of which it is not known whether it matches splits the question; both answers must agree. */
export function evaluate(tiers: readonly SubjectTier[], flow: PolicyFlow, end: End): Outcome {
  const starts: Outcome[] = [];
  const start = (index: number): Outcome => {
    const known = starts[index];
    if (known !== undefined) return known;
    const outcome = walk(index, 0);
    starts[index] = outcome;
    return outcome;
  };
  const follow = (index: number, { rule, policy }: SubjectRule, asked: PolicyFlow): Outcome =>
    rule.action === 'pass' ? start(index + 1) : decidedBy(rule, policy, asked);
  const walk = (index: number, from: number): Outcome => {
    const at = tiers[index];
    if (at === undefined) return end(flow);
    for (let i = from; i < at.rules.length; i++) {
      const entry = at.rules[i];
      if (entry === undefined || entry.rule.action === 'log') continue;
      const match = matchRule(entry.rule, flow);
      if (match === NO) continue;
      const outcome = follow(index, entry, flow);
      if (match === MAYBE || !entry.sure) return combine(outcome, walk(index, i + 1), doubts(entry, flow));
      if (!at.tier.tiesUndefined) return outcome;
      return findRivals(at, i, flow).reduce(
        (so, rival) => combine(so, follow(index, rival, flow), [tie(entry.policy, rival.policy)]),
        outcome,
      );
    }
    if (at.tier.otherwise === 'pass') return start(index + 1);
    if (at.sure) return at.denied;
    return combine(at.denied, start(index + 1), [`whether ${names(at.policies)} selects it`]);
  };
  return start(0);
}

/** Conditions are asked from the last to the first: ports and protocols stand last and cost least. */
function matchRule({ conditions }: Rule, flow: PolicyFlow): Match {
  let all: Match = YES;
  for (let i = conditions.length - 1; i >= 0; i--) {
    let any: Match = NO;
    for (const { test } of conditions[i] ?? []) {
      any = either(any, test(flow));
      if (any === YES) break;
    }
    if (any === NO) return NO;
    all = both(all, any);
  }
  return all;
}

export function selectingPolicy({ ref, family, spec }: Policy): SelectingPolicy {
  return { ref, family, spec };
}

function decidedBy(rule: Rule, policy: Policy, flow: PolicyFlow): Outcome {
  return {
    decision: rule.action === 'allow' ? 'allow' : 'deny',
    reason: {
      kind: 'rule',
      rule: { ...selectingPolicy(policy), action: rule.action, path: matchedPath(rule, flow), tier: policy.tier },
    },
  };
}

/** The path of the first condition that names the element which matched: the peer, else the port, else the rule. */
function matchedPath({ path, conditions }: Rule, flow: PolicyFlow): string {
  for (const condition of conditions)
    for (const { path: below, test } of condition) if (below !== '' && test(flow) !== NO) return path + below;
  return path;
}

function defaultDeny(tier: Tier, policies: readonly Policy[]): Outcome {
  return {
    decision: 'deny',
    reason: { kind: 'default-deny', tier: tier.name, policies: policies.map(selectingPolicy) },
  };
}

function combine(a: Outcome, b: Outcome, causes: readonly string[]): Outcome {
  if (a.decision === b.decision && a.decision !== 'unknown') return a;
  const known = [a, b].flatMap(({ reason }) => (reason.kind === 'undecided' ? reason.causes : []));
  return { decision: 'unknown', reason: { kind: 'undecided', causes: [...new Set([...causes, ...known])] } };
}

/** The first matching rules of other policies of the same order: which policy is asked first is for the implementation to choose. */
function findRivals({ rules }: SubjectTier, index: number, flow: PolicyFlow): readonly SubjectRule[] {
  const first = rules[index];
  if (first === undefined) return [];
  const heard = new Set([first.policy]);
  const rivals: SubjectRule[] = [];
  for (let i = index + 1; i < rules.length; i++) {
    const entry = rules[i];
    if (entry === undefined || entry.policy.order !== first.policy.order) break;
    if (heard.has(entry.policy)) continue;
    const match = matchRule(entry.rule, flow);
    if (match === NO) continue;
    if (entry.rule.action !== first.rule.action) rivals.push(entry);
    // A rule that perhaps matches leaves the word to the next one of its policy too.
    if (match === YES && entry.sure) heard.add(entry.policy);
  }
  return rivals;
}

function tie(a: Policy, b: Policy): string {
  return `${names([a, b])} have the same priority and disagree`;
}

function doubts({ rule, policy, sure }: SubjectRule, flow: PolicyFlow): readonly string[] {
  const head = `${formatPolicyRef(policy.ref)}:${rule.path}`;
  const causes = rule.conditions.flatMap((condition) =>
    condition.flatMap(({ path, test, why }) => (test(flow) === MAYBE ? [`${head}${path}: ${why ?? 'not known'}`] : [])),
  );
  return sure ? causes : [`whether ${formatPolicyRef(policy.ref)} selects it`, ...causes];
}

function names(policies: readonly Policy[]): string {
  return policies.map(({ ref }) => formatPolicyRef(ref)).join(', ');
}

function compareRefs(a: PolicyRef, b: PolicyRef): number {
  return compare(a.namespace ?? '', b.namespace ?? '') || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
