import { cidrContains, maskIp, type Family, type Ip } from '#libs/model';
import type { Route } from '../parse/routes.js';

/** One routing table: longest prefix first, then lowest metric. A hash per prefix length, so a look-up costs the same for any size. */
export class Fib {
  private readonly lengths: number[];
  private readonly byLength = new Map<number, Map<Ip | number, Route[]>>();
  /** A bulk asks for the same few thousand addresses again and again. */
  private readonly remembered = new Map<Ip | number, readonly Route[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      let prefixes = this.byLength.get(route.dst.length);
      if (prefixes === undefined) this.byLength.set(route.dst.length, (prefixes = new Map()));
      const key = keyOf(route.dst.net);
      const same = prefixes.get(key);
      if (same === undefined) prefixes.set(key, [route]);
      else same.push(route);
    }
    for (const prefixes of this.byLength.values())
      for (const same of prefixes.values()) if (same.length > 1) same.sort(byPreference);
    this.lengths = [...this.byLength.keys()].toSorted((a, b) => b - a);
  }

  *all(): Iterable<Route> {
    for (const prefixes of this.byLength.values()) for (const same of prefixes.values()) yield* same;
  }

  /** Routes that contain `ip`, best first. The caller takes the first that is usable. */
  matches(ip: Ip): readonly Route[] {
    const key = keyOf(ip);
    let found = this.remembered.get(key);
    if (found === undefined) {
      if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
      this.remembered.set(key, (found = this.find(ip)));
    }
    return found;
  }

  private find(ip: Ip): readonly Route[] {
    let found: readonly Route[] = NONE;
    for (const length of this.lengths) {
      const same = this.byLength.get(length)?.get(keyOf(maskIp(ip, length)));
      if (same !== undefined) found = found.length === 0 ? same : [...found, ...same];
    }
    return found;
  }
}

const MAX_REMEMBERED = 4096;
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
