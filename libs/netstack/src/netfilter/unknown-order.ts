import type { RuleChain } from './hook-plan.js';
import type { HookObserver, RulesRun } from './traverse.js';

type Ask = (run: RulesRun, chain: RuleChain) => boolean;

/**
 * Of nat chains whose order is not known the first that decides wins. Only when more than one would decide is it asked which comes
 * first: both answers are tried then. `ask` runs the rules of a chain and tells whether they decided.
 */
export function orderFor(run: RulesRun, chains: readonly RuleChain[], ask: Ask): readonly RuleChain[] {
  if (chains.length < 2) return chains;
  const deciding = chains.filter((chain) => mayDecide(run, chain, ask));
  return deciding.length < 2 ? chains : sort(deciding, (a, b) => comesFirst(run, 'translates', a, b));
}

/**
 * Filter chains whose order is not known: a packet that only one of them stops is stopped by that one, whatever the order. When
 * several stop it in different ways (one drops, the other rejects) it is asked which comes first.
 */
export function runUnordered(
  run: RulesRun,
  chains: readonly RuleChain[],
  ask: (run: RulesRun, chain: RuleChain) => void,
): void {
  const told = new Map(chains.map((chain) => [chain, listen(run, chain, ask)]));
  const stopping = chains.filter((chain) => told.get(chain)?.way !== undefined);
  const ways = new Set(stopping.map((chain) => told.get(chain)?.way));
  const ordered = ways.size < 2 ? stopping : sort(stopping, (a, b) => comesFirst(run, 'stops packets', a, b));
  const others = chains.filter((chain) => !stopping.includes(chain));
  for (const chain of [...others, ...ordered]) for (const tell of told.get(chain)?.events ?? []) tell(run.observer);
}

/** What a chain does to the packet, to be told later, and in which way it stops it first. */
function listen(
  run: RulesRun,
  chain: RuleChain,
  ask: (run: RulesRun, chain: RuleChain) => void,
): { events: readonly ((observer: HookObserver) => void)[]; way: string | undefined } {
  const events: ((observer: HookObserver) => void)[] = [];
  let way: string | undefined;
  const observer: HookObserver = {
    records: run.observer.records !== false,
    step: (step) => events.push((to) => to.step(step)),
    stopped: (stop) => {
      way ??= `${stop.verdict} ${stop.rejectWith ?? ''}`;
      events.push((to) => to.stopped(stop));
    },
  };
  ask({ ...run, observer }, chain);
  return { events, way };
}

function sort<T>(items: readonly T[], isBefore: (first: T, second: T) => boolean): readonly T[] {
  const ordered: T[] = [];
  for (const item of items) {
    const at = ordered.findIndex((other) => !isBefore(other, item));
    ordered.splice(at < 0 ? ordered.length : at, 0, item);
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

function comesFirst({ ns, hook, chooser }: RulesRun, does: string, first: RuleChain, second: RuleChain): boolean {
  return chooser.guess(
    `whether ${nameOf(first)} ${does} before ${nameOf(second)} at ${hook} of ${ns.id} (of equal priorities the chain that was registered later; the dump does not say which)`,
  );
}

function nameOf(rules: RuleChain): string {
  return rules.kind === 'native'
    ? `chain ${rules.program.name}/${rules.chain.name}`
    : `table ${rules.table.name} of iptables-${rules.backend}`;
}
