import type { Evaluation, Leaf } from '../programmed/evaluate.js';
import type { ProxyRules } from '../programmed/proxy-rules.js';
import type { ProxyRule } from '../programmed/rule.js';
import { callee, leafText, poolOf } from './leaf.js';

interface AffinityProblem {
  readonly problem: string;
  readonly rules: readonly ProxyRule[];
  /** Locator of the chain that lacks a rule. */
  readonly pool?: string;
}

/** Session affinity: every endpoint takes back the clients that it had, for as long as the service says. */
export function affinityProblems(
  rules: ProxyRules,
  seconds: number | undefined,
  leaves: readonly Leaf[],
  { affinity }: Evaluation,
): AffinityProblem[] {
  if (seconds === undefined)
    return affinity.map(({ rule }) => ({
      rules: [rule],
      problem: 'it keeps clients on one backend, which the service does not ask for',
    }));
  return leaves.flatMap((leaf): AffinityProblem[] => {
    const name = rememberedBy(rules, leaf);
    const back = affinity.find(({ rule }) => name !== undefined && rememberedTest(rule).name === name)?.rule;
    return back === undefined ? [neverBack(leaf, affinity)] : wrongBack(leaf, back, seconds);
  });
}

function neverBack(leaf: Leaf, affinity: Evaluation['affinity']): AffinityProblem {
  const backend = leafText(leaf);
  const stray = affinity.find(({ rule }) => callee(rule) === leaf.chain)?.rule;
  if (stray !== undefined)
    return { rules: [stray], problem: `it does not bring back the clients that ${backend} has noted` };
  return {
    rules: [leaf.rule],
    pool: poolOf(leaf),
    problem: `clients are not kept on ${backend} (sessionAffinity ClientIP)`,
  };
}

function wrongBack(leaf: Leaf, back: ProxyRule, seconds: number): AffinityProblem[] {
  const kept = rememberedTest(back).seconds;
  const to = callee(back);
  const problems = [
    ...(kept === undefined || kept === seconds
      ? []
      : [`it keeps clients for ${kept} seconds, the service says ${seconds}`]),
    ...(to === leaf.chain ? [] : [`it brings the clients of ${leafText(leaf)} to ${to ?? 'nowhere'}`]),
  ];
  return problems.map((problem) => ({ rules: [back], problem }));
}

/** The name under which the endpoint's chain notes clients. */
function rememberedBy(rules: ProxyRules, leaf: Leaf): string | undefined {
  for (const { tests, actions } of rules.all(leaf.chain) ?? []) {
    for (const test of tests) if (test.kind === 'remember') return test.name;
    for (const action of actions) if (action.kind === 'remember') return action.name;
  }
  return undefined;
}

function rememberedTest(rule: ProxyRule): { readonly name?: string; readonly seconds?: number } {
  for (const test of rule.tests) if (test.kind === 'remembered') return test;
  return {};
}
