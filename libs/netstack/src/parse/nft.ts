import { z } from 'zod';
import { DumpError } from './dump-file.js';

/** A native nftables table as nft prints it: everything in nft.json that is not one of iptables-nft's. */
export interface NativeTable {
  readonly family: string;
  readonly name: string;
  /** Counted up with each table that is made in the namespace. */
  readonly handle?: number;
  readonly chains: ReadonlyMap<string, NativeChain>;
  readonly sets: ReadonlyMap<string, NativeSet>;
}

export interface NativeChain {
  readonly name: string;
  /** Counted up with each chain that is made in the table. */
  readonly handle?: number;
  /** Present on base chains. */
  readonly base?: {
    readonly type: string;
    readonly hook: string;
    readonly priority: number;
    readonly policy: string;
    /** Of families netdev and inet (ingress, egress); nft 1.0.6 leaves them out. */
    readonly devices?: readonly string[];
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
  /** How long an element stays, where the set says so. */
  readonly timeoutSeconds?: number;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What JSON.parse() gave is JSON; only its depth is not to be trusted (checked where rules are read). */
const AnyJson = z.custom<Json>((value) => !isDeeper(value, 40), 'is nested too deeply');

const Named = z.looseObject({ family: z.string(), name: z.string(), table: z.string(), handle: z.number().optional() });
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
  expr: z.array(AnyJson),
  comment: z.string().optional(),
});
const TypeName = z.union([z.string(), z.array(z.string()), z.looseObject({ typeof: AnyJson })]);
const SetShape = Named.extend({
  type: TypeName.optional(),
  map: AnyJson.optional(),
  elem: z.array(AnyJson).optional(),
  timeout: z.number().optional(),
});
const TableShape = z.looseObject({ family: z.string(), name: z.string(), handle: z.number().optional() });

interface Draft {
  readonly family: string;
  readonly name: string;
  handle?: number;
  readonly chains: Map<string, NativeChain & { readonly rules: NativeRule[] }>;
  readonly sets: Map<string, NativeSet>;
}

const IPTABLES_TABLES = new Set(['raw', 'mangle', 'nat', 'filter', 'security', 'broute']);
const IPTABLES_CHAINS = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']);

/** Documents of `nft -j list table` or one of `list ruleset`. Tables that iptables-nft made are left out: they come from the save files. */
export function parseNativeTables(text: string): readonly NativeTable[] {
  return parseNft(text).tables;
}

/** What nft.json says. */
export interface NftDump {
  readonly tables: readonly NativeTable[];
  /** Handles by `family name`, also of tables of iptables-nft where they are listed: which was made first. */
  readonly handles: ReadonlyMap<string, number>;
  /** Handles of chains by name, by table as above, for the tables that are left out. */
  readonly chainHandles: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export function parseNft(text: string): NftDump {
  const items = documents(text).flatMap(entries);
  // Decided first: the rules of iptables-nft's tables are most of a large dump and are not read at all.
  const skipped = iptablesTables(items);
  const tables = new Map<string, Draft>();
  for (const item of items) if (!skipped.has(tableKey(item.body))) addItem(tables, item);
  return { tables: [...tables.values()], handles: handlesOf(items), chainHandles: chainHandlesOf(items, skipped) };
}

function chainHandlesOf(
  items: readonly Item[],
  tables: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const handles = new Map<string, Map<string, number>>();
  for (const { body } of items) {
    const chain = record(body.chain);
    const key = tableKey(body);
    if (typeof chain?.handle !== 'number' || !tables.has(key)) continue;
    const own = handles.get(key) ?? new Map<string, number>();
    handles.set(key, own.set(plain(chain.name), chain.handle));
  }
  return handles;
}

function handlesOf(items: readonly Item[]): ReadonlyMap<string, number> {
  const handles = new Map<string, number>();
  for (const { body } of items) {
    const handle = record(body.table)?.handle;
    if (typeof handle === 'number') handles.set(tableKey(body), handle);
  }
  return handles;
}

function addItem(tables: Map<string, Draft>, { at, body: item }: Item): void {
  if (item.table !== undefined) {
    const table = read(TableShape, item.table, at, 'table');
    tableOf(tables, table.family, table.name).handle ??= table.handle;
  } else if (item.chain !== undefined) {
    const chain = read(Chain, item.chain, at, 'chain');
    const { type, hook, prio, policy, dev } = chain;
    const base =
      hook === undefined
        ? undefined
        : {
            type: type ?? 'filter',
            hook,
            priority: prio ?? 0,
            policy: policy ?? 'accept',
            devices: typeof dev === 'string' ? [dev] : dev,
          };
    const { name, handle } = chain;
    tableOf(tables, chain.family, chain.table).chains.set(name, { name, handle, base, rules: [] });
  } else if (item.rule !== undefined) {
    const rule = read(Rule, item.rule, at, 'rule');
    const chain = tableOf(tables, rule.family, rule.table).chains.get(rule.chain);
    if (chain === undefined)
      throw new DumpError(
        at.file,
        `${at.pointer}: rule ${rule.handle} is in chain ${rule.chain.slice(0, 60)}, which is not declared`,
      );
    chain.rules.push({ handle: rule.handle, statements: rule.expr, comment: rule.comment });
  } else if (item.set !== undefined || item.map !== undefined) {
    const set = read(SetShape, item.set ?? item.map, at, 'set');
    tableOf(tables, set.family, set.table).sets.set(set.name, {
      name: set.name,
      type: typeof set.type === 'string' ? [set.type] : Array.isArray(set.type) ? set.type : [],
      map: typeof set.map === 'string' ? set.map : undefined,
      elements: set.elem ?? [],
      ...(set.timeout === undefined ? {} : { timeoutSeconds: set.timeout }),
    });
  }
}

function read<T extends z.ZodType>(shape: T, value: unknown, at: At, what: string): z.output<T> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = [at.pointer, what, ...(issue?.path.map(String) ?? [])].join('/');
  throw new DumpError(at.file, `${path}: ${issue?.message ?? 'has a wrong shape'}`);
}

/** Keys of the tables that iptables-nft made: its names, and no base chain but its own. */
function iptablesTables(items: readonly Item[]): ReadonlySet<string> {
  const ours = new Set<string>();
  const foreign = new Set<string>();
  for (const { body: item } of items) {
    const key = tableKey(item);
    const [family, name = ''] = key.split(' ');
    if ((family === 'ip' || family === 'ip6') && IPTABLES_TABLES.has(name)) ours.add(key);
    const chain = record(item.chain);
    if (chain?.hook !== undefined && !IPTABLES_CHAINS.has(plain(chain.name))) foreign.add(key);
  }
  return new Set([...ours].filter((key) => !foreign.has(key)));
}

/** Only text is a name; anything else is refused where the item is read. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `ip filter`: the table that an item is, or is in. */
function tableKey(item: Record<string, unknown>): string {
  const table = record(item.table);
  if (table !== undefined) return `${plain(table.family)} ${plain(table.name)}`;
  const [body] = Object.values(item);
  const inner = record(body);
  return `${plain(inner?.family)} ${plain(inner?.table)}`;
}

function tableOf(tables: Map<string, Draft>, family: string, name: string): Draft {
  const key = `${family} ${name}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const made: Draft = { name, family, chains: new Map(), sets: new Map() };
  tables.set(key, made);
  return made;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => isDeeper(child, levels - 1));
}

/** A document and the line that it starts on. */
interface Document {
  readonly value: unknown;
  readonly line: number;
}

function documents(text: string): Document[] {
  if (text.trim() === '') return [];
  try {
    return [{ value: JSON.parse(text), line: 1 }];
  } catch {
    // Not one document: one a line.
  }
  return text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }): Document => {
      try {
        return { value: JSON.parse(line), line: number };
      } catch (error) {
        throw new DumpError(`nft.json:${number}`, error instanceof Error ? error.message : 'not JSON');
      }
    });
}

/** File with line, and the JSON pointer within the document. */
interface At {
  readonly file: string;
  readonly pointer: string;
}

/** One object of a document, with the place where it stands for errors. */
interface Item {
  readonly at: At;
  readonly body: Record<string, unknown>;
}

function entries({ value, line }: Document): Item[] {
  const list = record(value)?.nftables;
  const file = `nft.json:${line}`;
  if (!Array.isArray(list)) throw new DumpError(file, 'has no "nftables" list');
  const items: Item[] = [];
  for (const [index, item] of (list as unknown[]).entries()) {
    const at: At = { file, pointer: `/nftables/${index}` };
    if (isDeeper(item, 60)) throw new DumpError(at.file, `${at.pointer}: is nested too deeply`);
    const body = record(item);
    if (body !== undefined) items.push({ at, body });
  }
  return items;
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
