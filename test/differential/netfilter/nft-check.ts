import { shrinkList } from '../shrink.js';
import type { Router } from '../world/router.js';
import { describeFlow } from './flow.js';
import { compareWithKernel, type CheckResult } from './compare-with-kernel.js';
import { dumpTable, loadTable, printTable, readRuleCounters, unloadTable, type NftCase } from './nft-case.js';
import { predict } from './prediction.js';

/** As checkIptables(), for a native table. */
export async function checkNft(router: Router, one: NftCase): Promise<CheckResult> {
  const refused = loadTable(one);
  if (refused !== undefined) return { differences: [], traversals: 0, refused };
  try {
    const prediction = predict(dumpTable(router, one), one.flows);
    return await compareWithKernel(router, prediction, (tally) => readRuleCounters(one, tally));
  } finally {
    unloadTable(one);
  }
}

export async function shrinkNft(
  one: NftCase,
  withRouter: <T>(act: (router: Router) => Promise<T>) => Promise<T>,
): Promise<NftCase> {
  const fails = (candidate: NftCase): Promise<boolean> =>
    withRouter(async (router) => (await checkNft(router, candidate)).differences.length > 0);
  let best = one;
  best = { ...best, flows: await shrinkList(best.flows, (flows) => fails({ ...best, flows })) };
  best = { ...best, rules: await shrinkList(best.rules, (rules) => fails({ ...best, rules })) };
  for (const [index, rule] of best.rules.entries()) {
    const withMatches = (matches: readonly string[]): NftCase => ({
      ...best,
      rules: best.rules.map((other, at) => (at === index ? { ...rule, matches } : other)),
    });
    best = withMatches(await shrinkList(rule.matches, (matches) => fails(withMatches(matches))));
  }
  best = { ...best, chains: await shrinkList(best.chains, (chains) => fails({ ...best, chains })) };
  return { ...best, sets: await shrinkList(best.sets, (sets) => fails({ ...best, sets })) };
}

export function describeNft(one: NftCase): string {
  return [printTable(one), ...one.flows.map(describeFlow)].join('\n');
}
