import type { RuleChain } from './hook-plan.js';
import type { RulesRun } from './traverse.js';

type Ask = (run: RulesRun, chain: RuleChain) => boolean;

/**
 * Of nat chains whose order is not known the first that decides wins. Only when more than one would decide is it asked which comes
 * first: both answers are tried then. `ask` runs the rules of a chain and tells whether they decided.
 */
export function orderFor(run: RulesRun, chains: readonly RuleChain[], ask: Ask): readonly RuleChain[] {
  if (chains.length < 2) return chains;
  const deciding = chains.filter((chain) => mayDecide(run, chain, ask));
  if (deciding.length < 2) return chains;
  const ordered: RuleChain[] = [];
  for (const chain of deciding) {
    const at = ordered.findIndex((other) => !comesFirst(run, other, chain));
    ordered.splice(at < 0 ? ordered.length : at, 0, chain);
  }
  return ordered;
}

/** On a copy of the packet; what stops it or would have to be asked counts as decided. */
function mayDecide(run: RulesRun, chain: RuleChain, ask: Ask): boolean {
  let asked = false;
  const chooser = {
    pick: () => {
      asked = true;
      return 0;
    },
    guess: () => {
      asked = true;
      return false;
    },
  };
  const observer = {
    records: false,
    step: () => undefined,
    stopped: () => {
      asked = true;
    },
  };
  const { ct } = run.skb;
  const skb = { ...run.skb, ct: ct === undefined ? undefined : { ...ct, conn: { ...ct.conn } } };
  return ask({ ...run, skb, chooser, observer }, chain) || asked;
}

function comesFirst({ ns, hook, chooser }: RulesRun, first: RuleChain, second: RuleChain): boolean {
  return chooser.guess(
    `whether ${nameOf(first)} translates before ${nameOf(second)} at ${hook} of ${ns.id} (of equal priorities the chain that was registered later; the dump does not say which)`,
  );
}

function nameOf(rules: RuleChain): string {
  return rules.kind === 'native'
    ? `chain ${rules.program.name}/${rules.chain.name}`
    : `table ${rules.table.name} of iptables-${rules.backend}`;
}
