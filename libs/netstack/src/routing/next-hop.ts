import type { Chooser } from '../chooser.js';
import type { NextHop, Route } from '../parse/routes.js';
import type { Flow, RoutingState } from './lookup.js';

/** Routes of a device that is down are gone, all but those to its own addresses: they lead over lo. */
export function isUsable(state: RoutingState, route: Route, hop: NextHop): boolean {
  if (hop.dead) return false;
  const up = hop.dev !== undefined && state.links.get(hop.dev)?.flags.has('UP') === true;
  if (!up && route.type !== 'local') return false;
  return !(hop.linkdown && hop.dev !== undefined && state.ignoresLinkdown(hop.dev));
}

/** Those of a route that isUsable(). Nearly every route has one: then no list is made. */
export function usableHops(state: RoutingState, route: Route): readonly NextHop[] {
  const { nextHops } = route;
  const [first] = nextHops;
  if (nextHops.length === 1 && first !== undefined) return isUsable(state, route, first) ? nextHops : NONE;
  return nextHops.filter((hop) => isUsable(state, route, hop));
}

const NONE: readonly NextHop[] = [];

/** fib_select_multipath(): by weight; which one a flow gets is a branch. */
export function chooseHop(route: Route, hops: readonly NextHop[], flow: Flow, chooser: Chooser): NextHop {
  const [first] = hops;
  if (first === undefined) throw new Error('chooseHop() needs a next hop');
  if (hops.length === 1) return first;
  // The hash of addresses (fib_multipath_hash_policy 0) keeps a flow on one hop; which one cannot be told.
  const key = `ecmp ${route.text} ${flow.src ?? ''} ${flow.dst}`;
  return (
    hops[
      chooser.pick(
        key,
        hops.map((hop) => hop.weight),
      )
    ] ?? first
  );
}

export type RefusingType = 'blackhole' | 'unreachable' | 'prohibit';

export function isRefusing(type: string): type is RefusingType {
  return type === 'blackhole' || type === 'unreachable' || type === 'prohibit';
}
