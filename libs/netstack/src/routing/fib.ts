import { maskIp, type Family, type Ip } from '#libs/model';
import type { Route } from '../parse/routes.js';

/** One routing table: longest prefix first, then lowest metric. A hash per prefix length, so a look-up costs the same for any size. */
class Fib {
  private readonly lengths: number[];
  private readonly byLength = new Map<number, Map<Ip, Route[]>>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      let prefixes = this.byLength.get(route.dst.length);
      if (prefixes === undefined) this.byLength.set(route.dst.length, (prefixes = new Map()));
      const same = prefixes.get(route.dst.net);
      if (same === undefined) prefixes.set(route.dst.net, [route]);
      else same.push(route);
    }
    for (const prefixes of this.byLength.values())
      for (const same of prefixes.values())
        if (same.length > 1) same.sort((a, b) => b.tos - a.tos || a.metric - b.metric);
    this.lengths = [...this.byLength.keys()].toSorted((a, b) => b - a);
  }

  /** Routes that contain `ip`, best first. The caller takes the first that is usable. */
  *matches(ip: Ip): Iterable<Route> {
    for (const length of this.lengths) {
      const same = this.byLength.get(length)?.get(maskIp(ip, length));
      if (same !== undefined) yield* same;
    }
  }
}

/** All tables of one family. */
export interface Fibs {
  readonly family: Family;
  readonly tables: ReadonlyMap<string, Fib>;
}

export function buildFibs(family: Family, routes: readonly Route[]): Fibs {
  const byTable = new Map<string, Route[]>();
  for (const route of routes) {
    const table = byTable.get(route.table);
    if (table === undefined) byTable.set(route.table, [route]);
    else table.push(route);
  }
  return { family, tables: new Map([...byTable].map(([name, rows]) => [name, new Fib(rows)])) };
}
