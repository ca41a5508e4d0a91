import { shrinkList } from '../shrink.js';
import type { Router } from '../world/router.js';
import { compareWithKernel, type CheckResult } from './compare-with-kernel.js';
import { describeFlow } from './flow.js';
import { dumpRules, loadRules, printRules, readCounters, unloadRules, type IptablesCase } from './iptables-case.js';
import { predict } from './prediction.js';

/** Sends the flows of a case through the kernel and through hopscope, and compares everything that was counted. */
export async function checkIptables(router: Router, one: IptablesCase): Promise<CheckResult> {
  const refused = loadRules(one);
  if (refused !== undefined) return { differences: [], traversals: 0, refused };
  try {
    const prediction = predict(dumpRules(router, one), one.flows);
    return await compareWithKernel(router, prediction, (tally) => readCounters(one, tally));
  } finally {
    unloadRules(one);
  }
}

/**
 * The smallest case that still differs. Each try gets a world of its own: connections of the last one must not be seen.
 * `withRouter` builds it.
 */
export async function shrinkIptables(
  one: IptablesCase,
  withRouter: <T>(act: (router: Router) => Promise<T>) => Promise<T>,
): Promise<IptablesCase> {
  const fails = (candidate: IptablesCase): Promise<boolean> =>
    withRouter(async (router) => (await checkIptables(router, candidate)).differences.length > 0);
  let best = one;
  const flows = await shrinkList(best.flows, (kept) => fails({ ...best, flows: kept }));
  best = { ...best, flows };
  const rules = await shrinkList(best.rules, (kept) => fails({ ...best, rules: kept }));
  best = { ...best, rules };
  for (const [index, rule] of best.rules.entries()) {
    const withMatches = (matches: readonly string[]): IptablesCase => ({
      ...best,
      rules: best.rules.map((other, at) => (at === index ? { ...rule, matches } : other)),
    });
    const matches = await shrinkList(rule.matches, (kept) => fails(withMatches(kept)));
    best = withMatches(matches);
  }
  const chains = await shrinkList(best.chains, (kept) => fails({ ...best, chains: kept }));
  return { ...best, chains };
}

export function describeIptables(one: IptablesCase): string {
  const rules = printRules(one)
    .split('\n')
    .filter((line) => line.startsWith('-A') || line.startsWith('*') || / (DROP|-)$/.test(line));
  const used = one.rules.flatMap(({ matches }) => matches).join(' ');
  const sets = one.ipsets.filter((line) => used.includes(` ${line.split(' ')[1]} `));
  return [...sets, ...rules, ...one.flows.map(describeFlow)].join('\n');
}
