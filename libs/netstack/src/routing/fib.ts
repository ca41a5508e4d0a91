import { cidrContains, maskIp, type Family, type Ip } from '#libs/model';
import type { Route } from '../parse/routes.js';

/** One routing table: longest prefix first, then lowest metric. A hash per prefix length, so a look-up costs the same for any size. */
export class Fib {
  /** Longest first. */
  private readonly byLength: readonly PrefixesOfLength[];
  /** Lists of routes that were put together, by the longer prefix's list and then the shorter's: there are few. */
  private readonly joined = new Map<readonly Route[], Map<readonly Route[], readonly Route[]>>();

  constructor(routes: readonly Route[]) {
    const byLength = new Map<number, Map<Ip | number, Route[]>>();
    for (const route of routes) {
      let prefixes = byLength.get(route.dst.length);
      if (prefixes === undefined) byLength.set(route.dst.length, (prefixes = new Map()));
      const key = keyOf(route.dst.net);
      const same = prefixes.get(key);
      if (same === undefined) prefixes.set(key, [route]);
      else same.push(route);
    }
    for (const prefixes of byLength.values())
      for (const same of prefixes.values()) if (same.length > 1) same.sort(byPreference);
    this.byLength = [...byLength]
      .map(([length, prefixes]) => ({ length, prefixes }))
      .toSorted((a, b) => b.length - a.length);
  }

  *all(): Iterable<Route> {
    for (const { prefixes } of this.byLength) for (const same of prefixes.values()) yield* same;
  }

  /** Routes that contain `ip`, best first. The caller takes the first that is usable. */
  matches(ip: Ip): readonly Route[] {
    let found: readonly Route[] = NONE;
    for (let i = 0; i < this.byLength.length; i++) {
      const one = this.byLength[i];
      const same = one?.prefixes.get(keyOf(maskIp(ip, one.length)));
      if (same !== undefined) found = found.length === 0 ? same : this.join(found, same);
    }
    return found;
  }

  private join(longer: readonly Route[], shorter: readonly Route[]): readonly Route[] {
    let known = this.joined.get(longer);
    if (known === undefined) this.joined.set(longer, (known = new Map()));
    let both = known.get(shorter);
    if (both === undefined) known.set(shorter, (both = [...longer, ...shorter]));
    return both;
  }
}

interface PrefixesOfLength {
  readonly length: number;
  readonly prefixes: ReadonlyMap<Ip | number, readonly Route[]>;
}

const NONE: readonly Route[] = [];

/** Addresses above 128.0.0.0 are doubles, which make slow keys: as signed numbers they are small integers. */
function keyOf(ip: Ip): Ip | number {
  return typeof ip === 'number' ? ip | 0 : ip;
}

/** Table local first where both tables are in one trie (fib_find_alias()). */
function byPreference(a: Route, b: Route): number {
  const ofLocal = Number(b.table === 'local') - Number(a.table === 'local');
  return ofLocal || b.tos - a.tos || a.metric - b.metric;
}

/** All tables of one family. */
export interface Fibs {
  readonly family: Family;
  readonly tables: ReadonlyMap<string, Fib>;
  /** Tables local and main in one, where that makes a difference (see mergeLocalAndMain()). */
  readonly merged?: Fib;
}

export function buildFibs(family: Family, routes: readonly Route[]): Fibs {
  const byTable = new Map<string, Route[]>();
  for (const route of routes) {
    const table = byTable.get(route.table);
    if (table === undefined) byTable.set(route.table, [route]);
    else table.push(route);
  }
  return {
    family,
    tables: new Map([...byTable].map(([name, rows]) => [name, new Fib(rows)])),
    merged: family === 4 ? mergeLocalAndMain(byTable.get('local') ?? [], byTable.get('main') ?? []) : undefined,
  };
}

/**
 * Until a host gets its first policy rule, IPv4's tables local and main are one trie (fib_trie_alias() of fib_trie.c): the
 * longest prefix of both wins, table local's where they are equal. It is seen only where table main is more specific than
 * table local, or has addresses of the host itself.
 */
function mergeLocalAndMain(local: readonly Route[], main: readonly Route[]): Fib | undefined {
  const wide = local.filter(({ dst }) => dst.length < 32);
  const differs = main.some(
    ({ type, dst }) =>
      type === 'local' || wide.some((other) => other.dst.length < dst.length && cidrContains(other.dst, dst.net)),
  );
  return differs ? new Fib([...local, ...main]) : undefined;
}
