import type { Family, NamespaceDump } from '#libs/model';
import { NetNamespace } from '#libs/netstack';

type Ruleset = NonNullable<ReturnType<NetNamespace['iptables']>[number]>;
type Table = Ruleset['tables'] extends ReadonlyMap<string, infer T> ? T : never;
type Chain = Table['chains'] extends ReadonlyMap<string, infer C> ? C : never;
type Program = NonNullable<NetNamespace['native']>[number];
type ProgramChain = Program['chains'] extends ReadonlyMap<string, infer C> ? C : never;

/** Told of each rule whose matches are all true; a native rule where its `counter` stands. */
export type RuleWatcher = (rule: string) => void;

/**
 * A namespace whose rules tell when they match, as the kernel's counters do: the compiled rules get one match more, the last one.
 * It is a class of its own (and not a wrapper), because that is what a walk takes.
 */
export class WatchedNamespace extends NetNamespace {
  override readonly native: readonly Program[] | undefined;
  private readonly watched: Readonly<Record<Family, ReturnType<NetNamespace['iptables']>>>;

  constructor(dump: NamespaceDump, watcher: RuleWatcher) {
    super(dump);
    const watch = (family: Family) =>
      super.iptables(family).map((ruleset) => (ruleset === undefined ? undefined : watchRuleset(ruleset, watcher)));
    this.watched = { 4: watch(4), 6: watch(6) };
    this.native = this.native?.map((program) => watchProgram(program, watcher));
  }

  override iptables(family: Family): ReturnType<NetNamespace['iptables']> {
    return this.watched[family];
  }
}

function watchRuleset(ruleset: Ruleset, watcher: RuleWatcher): Ruleset {
  const tables = new Map<string, Table>();
  for (const [name, table] of ruleset.tables) {
    const chains = new Map<string, Chain>();
    for (const [chainName, chain] of table.chains) chains.set(chainName, watchChain(table, chain, watcher));
    tables.set(name, { ...table, chains });
  }
  return { ...ruleset, tables };
}

function watchChain(table: Table, chain: Chain, watcher: RuleWatcher): Chain {
  const rules = chain.rules.map((rule) => {
    const told = (): true => {
      watcher(ruleKey(table.name, chain.name, rule.position));
      return true;
    };
    return { ...rule, matches: [...rule.matches, told] };
  });
  return { ...chain, rules };
}

function watchProgram(program: Program, watcher: RuleWatcher): Program {
  const chains = new Map<string, ProgramChain>();
  for (const [name, chain] of program.chains)
    chains.set(name, { ...chain, rules: chain.rules.map((rule) => watchRule(program, chain, rule, watcher)) });
  return { ...program, chains };
}

function watchRule(
  program: Program,
  chain: ProgramChain,
  rule: ProgramChain['rules'][number],
  watcher: RuleWatcher,
): ProgramChain['rules'][number] {
  // The generator writes the counter before any other statement that only passes.
  const at = rule.statements.findIndex(({ kind }) => kind === 'pass');
  const test = (): true => {
    watcher(ruleKey(`${program.family} ${program.name}`, chain.name, rule.handle));
    return true;
  };
  const statements = rule.statements.map((statement, index) =>
    index === at ? ({ kind: 'match', test } as const) : statement,
  );
  return { ...rule, statements };
}

export function ruleKey(table: string, chain: string, position: number): string {
  return `rule ${table}/${chain}/${position}`;
}
