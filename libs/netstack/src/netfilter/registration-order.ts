import type { NetNamespace } from '../namespace.js';
import type { RuleChain } from './hook-plan.js';
import type { Ruleset } from './ruleset.js';

/** A base chain at its hook. */
export interface Registered {
  readonly priority: number;
  readonly order: RegistrationOrder;
  readonly chain: RuleChain;
}

/** When a chain was registered: handles count up in a namespace (tables) and in a table (chains). */
interface RegistrationOrder {
  readonly table: number;
  readonly chain: number;
  /** false: the dump does not say, `table` is a guess. */
  readonly isKnown: boolean;
}

/** Legacy tables have no handles: nothing tells when they were made. */
const LEGACY: RegistrationOrder = { table: -1, chain: 0, isKnown: false };

/**
 * When a table of iptables was made. Where the dump does not list its handle it has one that no native table has: the lowest is
 * taken, so all that is certain is that tables below it are older.
 */
export function tableOrder(ns: NetNamespace, { backend, family }: Ruleset, name: string): RegistrationOrder {
  if (backend === 'legacy') return LEGACY;
  const handle = ns.nftHandles.get(`${family === 4 ? 'ip' : 'ip6'} ${name}`);
  if (handle !== undefined) return { table: handle, chain: 0, isKnown: true };
  const taken = new Set(ns.nftHandles.values());
  let free = 1;
  while (taken.has(free)) free += 1;
  return { table: free, chain: 0, isKnown: false };
}

/** nf_hook_entries_grow(): by priority; among equals what was registered later stands, and runs, before what was there. */
export function inOrder(chains: readonly Registered[]): Registered[] {
  return chains.toSorted(
    (a, b) => a.priority - b.priority || b.order.table - a.order.table || b.order.chain - a.order.chain,
  );
}

/** Chains of equal priority of which the dump does not say which was registered later stand in one group. */
export function orderedGroups(chains: readonly Registered[]): RuleChain[][] {
  const groups: Registered[][] = [];
  for (const one of inOrder(chains)) {
    const from = groups.findIndex((group) => group.some((other) => isUnsure(other, one)));
    const joined = from < 0 ? [] : groups.splice(from).flat();
    groups.push([...joined, one]);
  }
  return groups.map((group) => group.map(({ chain }) => chain));
}

function isUnsure(first: Registered, second: Registered): boolean {
  return first.priority === second.priority && !isCertain(first, second);
}

/** `first` runs before `second` for sure. An unknown table is younger than those below it, whatever its handle. */
function isCertain(first: Registered, second: Registered): boolean {
  return first.order.isKnown ? second.order.isKnown : second.order.isKnown && first.order.table > 0;
}
