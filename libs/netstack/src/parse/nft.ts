import { DumpError } from './dump-file.js';

/** A native nftables table: everything in nft.json that is not one of iptables-nft's. */
export interface NativeTable {
  readonly family: string;
  readonly name: string;
  /** Base chains: where the table takes part. */
  readonly baseChains: readonly {
    readonly name: string;
    readonly hook: string;
    readonly priority: number;
    readonly type: string;
  }[];
}

interface Draft {
  readonly name: string;
  readonly family: string;
  readonly base: NativeTable['baseChains'][number][];
}

const IPTABLES_TABLES = new Set(['raw', 'mangle', 'nat', 'filter', 'security', 'broute']);
const IPTABLES_CHAINS = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']);

/** Documents of `nft -j list table` or one of `list ruleset`. Tables that iptables-nft made are left out: they come from the save files. */
export function parseNativeTables(text: string): NativeTable[] {
  const chains = new Map<string, Draft>();
  for (const item of documents(text).flatMap(entries)) {
    const table = record(item.table);
    if (table !== undefined) tableOf(chains, table.family, table.name);
    const chain = record(item.chain);
    if (chain === undefined) continue;
    const target = tableOf(chains, chain.family, chain.table);
    if (typeof chain.hook === 'string')
      target.base.push({
        name: String(chain.name),
        hook: chain.hook,
        priority: Number(chain.prio ?? 0),
        type: String(chain.type ?? 'filter'),
      });
  }
  return [...chains.values()]
    .filter((table) => !isIptables(table))
    .map(({ name, family, base }) => ({ name, family, baseChains: base }));
}

function isIptables(table: { name: string; family: string; base: readonly { name: string }[] }): boolean {
  if (table.family !== 'ip' && table.family !== 'ip6') return false;
  return IPTABLES_TABLES.has(table.name) && table.base.every((chain) => IPTABLES_CHAINS.has(chain.name));
}

function tableOf(tables: Map<string, Draft>, family: unknown, name: unknown): Draft {
  const key = `${String(family)} ${String(name)}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const made: Draft = { name: String(name), family: String(family), base: [] };
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
