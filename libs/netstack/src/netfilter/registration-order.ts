import type { NetNamespace } from '../namespace.js';
import type { RuleChain } from './hook-plan.js';
import type { Program, ProgramChain } from './nft/program.js';
import type { Hook, Ruleset } from './ruleset.js';

/** A base chain at its hook. */
export interface Registered {
  readonly priority: number;
  readonly order: RegistrationOrder;
  readonly chain: RuleChain;
}

/**
 * When a chain was registered. Handles count up in a namespace (tables) and in a table (chains and rules), so those of two tables
 * tell which table is older, and of a chain only that it is not older than its table.
 */
interface RegistrationOrder {
  readonly table: number;
  readonly chain: number;
  /** false: the dump does not say, `table` is a guess. */
  readonly isKnown: boolean;
  /** The chain may have come long after its table. */
  readonly isLate: boolean;
}

/** Legacy tables have no handles: nothing tells when they were made. */
const LEGACY: RegistrationOrder = { table: -1, chain: 0, isKnown: false, isLate: true };

/**
 * When a chain of iptables was made. iptables-nft makes a base chain when the first rule or policy needs it
 * (nft_xt_builtin_init() of its sources), in a table that may be there for long; `nft list chains` tells its handle. Where the dump does not list its handle it has one that no native table has: the lowest is
 * taken, so all that is certain is that tables below it are older.
 */
export function tableOrder(
  ns: NetNamespace,
  { backend, family }: Ruleset,
  name: string,
  hook: Hook,
): RegistrationOrder {
  if (backend === 'legacy') return LEGACY;
  const key = `${family === 4 ? 'ip' : 'ip6'} ${name}`;
  const handle = ns.nftHandles.get(key);
  if (handle !== undefined) {
    const chains = ns.nftChainHandles.get(key);
    return { table: handle, chain: 0, isKnown: true, isLate: !isAmongFirst(chains, chains?.get(hook)) };
  }
  const taken = new Set(ns.nftHandles.values());
  let free = 1;
  while (taken.has(free)) free += 1;
  return { table: free, chain: 0, isKnown: false, isLate: true };
}

/** Chains and rules of a table share one counter: where all handles below are of chains, the chain was there before any rule. */
function isAmongFirst(chains: ReadonlyMap<string, number> | undefined, handle: number | undefined): boolean {
  if (chains === undefined || handle === undefined) return false;
  let below = 0;
  for (const other of chains.values()) if (other < handle) below += 1;
  return below === handle - 1;
}

/**
 * When a native chain was made. Who loads a table loads its base chains with it (kube-proxy, firewalld, `nft -f`); one with a
 * handle above that of a rule was added by another command.
 */
export function chainOrder(
  ns: NetNamespace,
  { family, name, firstRule }: Program,
  chain: ProgramChain,
): RegistrationOrder {
  const handle = chain.handle ?? 0;
  return {
    table: ns.nftHandles.get(`${family} ${name}`) ?? 0,
    chain: handle,
    isKnown: true,
    isLate: handle > firstRule,
  };
}

/** nf_hook_entries_grow(): by priority; among equals what was registered later stands, and runs, before what was there. */
function inOrder(chains: readonly Registered[]): Registered[] {
  return chains.toSorted(
    (a, b) => a.priority - b.priority || b.order.table - a.order.table || b.order.chain - a.order.chain,
  );
}

/** Chains of equal priority of which the dump does not say which was registered later stand in one group. */
export function orderedGroups(chains: readonly Registered[]): { priority: number; chains: RuleChain[] }[] {
  const groups: Registered[][] = [];
  for (const one of inOrder(chains)) {
    const from = groups.findIndex((group) => group.some((other) => isUnsure(other, one)));
    const joined = from < 0 ? [] : groups.splice(from).flat();
    groups.push([...joined, one]);
  }
  return groups.map((group) => ({
    priority: group[0]?.priority ?? 0,
    chains: group.map(({ chain }) => chain),
  }));
}

function isUnsure(first: Registered, second: Registered): boolean {
  return first.priority === second.priority && !isCertain(first, second);
}

/**
 * `first` runs before `second` for sure: it is of the same table and younger, or of a younger table while `second` is as old as its
 * own. An unknown table is younger than those below it, whatever its handle.
 */
function isCertain({ order: first }: Registered, { order: second }: Registered): boolean {
  if (first.isKnown && second.isKnown && first.table === second.table) return true;
  if (!second.isKnown || second.isLate) return false;
  return first.isKnown || first.table > 0;
}
