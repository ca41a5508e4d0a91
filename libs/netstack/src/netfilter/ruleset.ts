import type { Family } from '#libs/model';
import { parseIptablesSave, type SavedChain, type SavedTable } from '../parse/iptables-save.js';
import { indexRules, type ChainIndex } from './chain-index.js';
import { compileRule, type Rule } from './rule.js';

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
  /** Present on long chains. */
  readonly index?: ChainIndex;
}

export function compileRuleset(file: string, text: string, backend: 'nft' | 'legacy', family: Family): Ruleset {
  const tables = new Map<string, Table>();
  for (const table of parseIptablesSave(file, text)) tables.set(table.name, compileTable(table));
  return { backend, family, tables };
}

function compileTable(table: SavedTable): Table {
  const chains = new Map<string, Chain>();
  for (const [name, chain] of table.chains) chains.set(name, new LazyChain(chain));
  return { name: table.name, chains };
}

/** Compiled when a packet first comes by: most chains of a large node are never visited. */
class LazyChain implements Chain {
  readonly name: string;
  readonly policy: string | undefined;
  private compiled: readonly Rule[] | undefined;
  private indexed: ChainIndex | undefined;

  constructor(private readonly saved: SavedChain) {
    this.name = saved.name;
    this.policy = saved.policy;
  }

  get rules(): readonly Rule[] {
    return this.compiled ?? this.compile();
  }

  get index(): ChainIndex | undefined {
    if (this.compiled === undefined) this.compile();
    return this.indexed;
  }

  private compile(): readonly Rule[] {
    const rules = this.saved.rules.map((rule) => compileRule(rule, this.saved));
    this.compiled = rules;
    this.indexed = indexRules(rules);
    return rules;
  }
}
