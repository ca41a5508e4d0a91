import type { Family, NamespaceDump } from '#libs/model';
import { NetNamespace } from '#libs/netstack';
import { compileRuleset } from '../../../libs/netstack/src/netfilter/ruleset.js';

type Program = NonNullable<NetNamespace['native']>[number];
type ProgramChain = Program['chains'] extends ReadonlyMap<string, infer C> ? C : never;

/** Told of each rule whose matches are all true; a native rule where its `counter` stands. */
export type RuleWatcher = (rule: string) => void;

/**
 * A namespace whose rules tell when they match, as the kernel's counters do: the rules are compiled with one match more, the last one.
 * It is a class of its own (and not a wrapper), because that is what a walk takes.
 */
export class WatchedNamespace extends NetNamespace {
  override readonly native: readonly Program[] | undefined;
  private readonly watched: Readonly<Record<Family, ReturnType<NetNamespace['iptables']>>>;

  constructor(dump: NamespaceDump, watcher: RuleWatcher) {
    super(dump);
    this.watched = { 4: watchRulesets(dump, 4, watcher), 6: watchRulesets(dump, 6, watcher) };
    this.native = this.native?.map((program) => watchProgram(program, watcher));
  }

  override iptables(family: Family): ReturnType<NetNamespace['iptables']> {
    return this.watched[family];
  }
}

function watchRulesets(
  dump: NamespaceDump,
  family: Family,
  watcher: RuleWatcher,
): ReturnType<NetNamespace['iptables']> {
  return (['nft', 'legacy'] as const).map((backend) => {
    const file = `${family === 4 ? 'iptables' : 'ip6tables'}-${backend}-save.txt`;
    const text = dump.files.get(file);
    if (text === undefined) return undefined;
    return compileRuleset(file, text, backend, family, {
      onMatch: (table, chain, position) => watcher(ruleKey(table, chain, position)),
    });
  });
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
