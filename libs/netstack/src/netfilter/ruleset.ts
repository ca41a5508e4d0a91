import type { Family } from '#libs/model';
import { parseIptablesSave, type SavedChain, type SavedTable } from '../parse/iptables-save.js';
import { indexRules, type ChainIndex } from './chain-index.js';
import { addMatch, compileRule, type LinkableRule, type Rule } from './rule.js';

export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** The rules of one namespace and family, of one iptables back end. */
export interface Ruleset {
  readonly backend: 'nft' | 'legacy';
  readonly family: Family;
  readonly tables: ReadonlyMap<string, Table>;
}

export interface Table {
  readonly name: string;
  readonly chains: ReadonlyMap<string, Chain>;
}

export interface Chain {
  readonly name: string;
  readonly policy?: string;
  readonly rules: readonly Rule[];
  /** The first of the rules; each knows the next. */
  readonly first: Rule | undefined;
  /** Present on long chains. */
  readonly index: ChainIndex | undefined;
}

/** For tests: production looks rules up and watches none. */
export interface CompileOptions {
  /** false: all rules of a chain are looked at, however many. */
  readonly indexed?: boolean;
  /** Told of each rule whose matches are all true, as the kernel's counters are. */
  readonly onMatch?: (table: string, chain: string, position: number) => void;
}

export function compileRuleset(
  file: string,
  text: string,
  backend: 'nft' | 'legacy',
  family: Family,
  options: CompileOptions = {},
): Ruleset {
  const tables = new Map<string, Table>();
  for (const table of parseIptablesSave(file, text)) tables.set(table.name, compileTable(table, options));
  return { backend, family, tables };
}

function compileTable({ name, chains }: SavedTable, options: CompileOptions): Table {
  const table = { name, chains: new Map<string, Chain>() };
  for (const chain of chains.values()) table.chains.set(chain.name, new LazyChain(chain, table, options));
  return table;
}

/** Compiled when a packet first comes by: most chains of a large node are never visited. */
class LazyChain implements Chain {
  readonly name: string;
  readonly policy: string | undefined;
  private compiled: readonly Rule[] | undefined;
  private head: Rule | undefined;
  private lookup: ChainIndex | undefined;

  constructor(
    private readonly saved: SavedChain,
    private readonly table: Table,
    private readonly options: CompileOptions,
  ) {
    this.name = saved.name;
    this.policy = saved.policy;
  }

  get rules(): readonly Rule[] {
    return this.compiled ?? this.compile();
  }

  get first(): Rule | undefined {
    if (this.compiled === undefined) this.compile();
    return this.head;
  }

  get index(): ChainIndex | undefined {
    if (this.compiled === undefined) this.compile();
    return this.lookup;
  }

  private compile(): readonly Rule[] {
    const rules = this.saved.rules.map((rule) => this.link(compileRule(rule, this.saved)));
    for (const [at, rule] of rules.entries()) rule.next = rules[at + 1];
    this.compiled = rules;
    this.head = rules[0];
    this.lookup = this.options.indexed === false ? undefined : indexRules(rules);
    return rules;
  }

  private link(rule: LinkableRule): LinkableRule {
    const { target, position } = rule;
    if (target.kind === 'jump') {
      rule.jump = this.table.chains.get(target.chain);
      if (rule.jump === undefined) rule.target = { kind: 'unknown', name: target.chain };
    }
    const { onMatch } = this.options;
    if (onMatch !== undefined)
      addMatch(rule, () => {
        onMatch(this.table.name, this.name, position);
        return true;
      });
    return rule;
  }
}
