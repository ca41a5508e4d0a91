import { z } from 'zod';
import { DumpError } from './dump-file.js';

/** A native nftables table as nft prints it: everything in nft.json that is not one of iptables-nft's. */
export interface NativeTable {
  readonly family: string;
  readonly name: string;
  readonly chains: ReadonlyMap<string, NativeChain>;
  readonly sets: ReadonlyMap<string, NativeSet>;
}

export interface NativeChain {
  readonly name: string;
  /** Present on base chains. */
  readonly base?: {
    readonly type: string;
    readonly hook: string;
    readonly priority: number;
    readonly policy: string;
    readonly dev?: string;
  };
  readonly rules: readonly NativeRule[];
}

export interface NativeRule {
  readonly handle: number;
  readonly statements: readonly Json[];
  readonly comment?: string;
}

/** A named set or map (maps have `map`). */
export interface NativeSet {
  readonly name: string;
  readonly type: readonly string[];
  readonly map?: string;
  readonly elements: readonly Json[];
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const Named = z.looseObject({ family: z.string(), name: z.string(), table: z.string() });
const Chain = Named.extend({
  type: z.string().optional(),
  hook: z.string().optional(),
  prio: z.number().optional(),
  policy: z.string().optional(),
  dev: z.union([z.string(), z.array(z.string())]).optional(),
});
const Rule = z.looseObject({
  family: z.string(),
  table: z.string(),
  chain: z.string(),
  handle: z.number(),
  expr: z.array(z.json()),
  comment: z.string().optional(),
});
const TypeName = z.union([z.string(), z.array(z.string()), z.looseObject({ typeof: z.json() })]);
const SetShape = Named.extend({
  type: TypeName.optional(),
  map: z.json().optional(),
  elem: z.array(z.json()).optional(),
});
const TableShape = z.looseObject({ family: z.string(), name: z.string() });

interface Draft {
  readonly family: string;
  readonly name: string;
  readonly chains: Map<string, { name: string; base?: NativeChain['base']; rules: NativeRule[] }>;
  readonly sets: Map<string, NativeSet>;
}

const IPTABLES_TABLES = new Set(['raw', 'mangle', 'nat', 'filter', 'security', 'broute']);
const IPTABLES_CHAINS = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']);

/** Documents of `nft -j list table` or one of `list ruleset`. Tables that iptables-nft made are left out: they come from the save files. */
export function parseNativeTables(text: string): NativeTable[] {
  const tables = new Map<string, Draft>();
  for (const item of documents(text).flatMap(entries)) addItem(tables, item);
  return [...tables.values()].filter((table) => !isIptables(table));
}

function addItem(tables: Map<string, Draft>, item: Record<string, unknown>): void {
  if (item.table !== undefined) {
    const table = read(TableShape, item.table, 'table');
    tableOf(tables, table.family, table.name);
  } else if (item.chain !== undefined) {
    const chain = read(Chain, item.chain, 'chain');
    const { type, hook, prio, policy, dev } = chain;
    const base =
      hook === undefined
        ? undefined
        : {
            type: type ?? 'filter',
            hook,
            priority: prio ?? 0,
            policy: policy ?? 'accept',
            dev: typeof dev === 'string' ? dev : dev?.[0],
          };
    tableOf(tables, chain.family, chain.table).chains.set(chain.name, { name: chain.name, base, rules: [] });
  } else if (item.rule !== undefined) {
    const rule = read(Rule, item.rule, 'rule');
    const chain = tableOf(tables, rule.family, rule.table).chains.get(rule.chain);
    if (chain === undefined)
      throw new DumpError(
        'nft.json',
        `rule ${rule.handle} is in chain ${rule.chain.slice(0, 60)}, which is not declared`,
      );
    chain.rules.push({ handle: rule.handle, statements: rule.expr, comment: rule.comment });
  } else if (item.set !== undefined || item.map !== undefined) {
    const set = read(SetShape, item.set ?? item.map, 'set');
    tableOf(tables, set.family, set.table).sets.set(set.name, {
      name: set.name,
      type: typeof set.type === 'string' ? [set.type] : Array.isArray(set.type) ? set.type : [],
      map: typeof set.map === 'string' ? set.map : undefined,
      elements: set.elem ?? [],
    });
  }
}

function read<T extends z.ZodType>(shape: T, value: unknown, what: string): z.output<T> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DumpError(
    'nft.json',
    `a ${what} has a wrong ${issue?.path.map(String).join('/') ?? 'shape'}: ${issue?.message ?? ''}`,
  );
}

function isIptables({ family, name, chains }: Draft): boolean {
  if ((family !== 'ip' && family !== 'ip6') || !IPTABLES_TABLES.has(name)) return false;
  return [...chains.values()].every((chain) => chain.base === undefined || IPTABLES_CHAINS.has(chain.name));
}

function tableOf(tables: Map<string, Draft>, family: string, name: string): Draft {
  const key = `${family} ${name}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const made: Draft = { name, family, chains: new Map(), sets: new Map() };
  tables.set(key, made);
  return made;
}

function documents(text: string): unknown[] {
  if (text.trim() === '') return [];
  try {
    return [JSON.parse(text)];
  } catch {
    // Not one document: one a line.
  }
  return text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }): unknown => {
      try {
        return JSON.parse(line);
      } catch (error) {
        throw new DumpError(`nft.json:${number}`, error instanceof Error ? error.message : 'not JSON');
      }
    });
}

function entries(document: unknown): Record<string, unknown>[] {
  const list = record(document)?.nftables;
  if (!Array.isArray(list)) throw new DumpError('nft.json', 'has no "nftables" list');
  const items: Record<string, unknown>[] = [];
  for (const item of list as unknown[]) {
    const entry = record(item);
    if (entry !== undefined) items.push(entry);
  }
  return items;
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
