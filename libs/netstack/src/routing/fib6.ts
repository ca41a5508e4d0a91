import type { Chooser } from '../chooser.js';
import type { NextHop, Route } from '../parse/routes.js';
import type { Fib } from './fib.js';
import type { Flow, RouteResult, RoutingState } from './lookup.js';
import { chooseHop, isRefusing, isUsable } from './next-hop.js';

interface Candidate {
  readonly route: Route;
  readonly hops: readonly NextHop[];
}

/**
 * fib6_table_lookup() (net/ipv6/route.c). Unlike IPv4's, it also looks at the interface: of routes with equal prefix and
 * metric a received packet prefers the one by which it came in (rt6_score_route()), and a bound socket sees the routes of
 * its device only, so that those that refuse, which stand on lo, are passed over. undefined: the next rule is asked.
 */
export function lookupTable6(
  state: RoutingState,
  fib: Fib,
  suppressPrefixLength: number | undefined,
  flow: Flow,
  chooser: Chooser,
): RouteResult | undefined {
  const dead: Route[] = [];
  const best = select(state, fib, flow, dead);
  if (best === undefined) return dead[0] === undefined ? undefined : { kind: 'none', dead: dead[0] };
  const { route, hops } = best;
  if (route.type === 'throw') return undefined;
  if (isRefusing(route.type)) return { kind: 'refused', type: route.type, route };
  if (suppressPrefixLength !== undefined && route.dst.length <= suppressPrefixLength) return undefined;
  return { kind: 'route', route, hop: chooseHop(route, hops, flow, chooser), table: route.table };
}

function select(state: RoutingState, fib: Fib, flow: Flow, dead: Route[]): Candidate | undefined {
  const bound = boundTo(flow);
  let second: Candidate | undefined;
  let length = -1;
  let metric: number | undefined;
  for (const route of fib.matches(flow.dst)) {
    // The first metric of a prefix is looked through alone, those behind it together (find_rr_leaf()).
    if (route.dst.length !== length || (metric !== undefined && route.metric !== metric)) {
      if (second !== undefined) return second;
      metric = route.dst.length === length ? undefined : route.metric;
      length = route.dst.length;
    }
    const found = usableHops(state, route, bound, dead);
    if (found === undefined) continue;
    if (prefers(flow, found) || (route.ofObject === true && isRefusing(route.type))) return found;
    second ??= found;
  }
  return second;
}

/** The one device whose routes count: that of the socket, and for an address of the link the one it came in by (rt6_need_strict()). */
function boundTo({ oif, iif, dst }: Flow): string | undefined {
  const ofLink = typeof dst === 'bigint' && (dst === 1n || dst >> 118n === 0x3fan || dst >> 120n === 0xffn);
  return oif ?? (ofLink && iif !== 'lo' ? iif : undefined);
}

function usableHops(
  state: RoutingState,
  route: Route,
  bound: string | undefined,
  dead: Route[],
): Candidate | undefined {
  if (route.type === 'throw' || isRefusing(route.type))
    // A blackhole that is a nexthop object is taken whatever the device (__find_rr_leaf()).
    return bound === undefined || bound === 'lo' || route.ofObject === true ? { route, hops: [] } : undefined;
  const alive = route.nextHops.filter((hop) => isUsable(state, route, hop));
  if (alive.length === 0) dead.push(route);
  const hops = bound === undefined ? alive : alive.filter((hop) => hop.dev === bound);
  return hops.length === 0 ? undefined : { route, hops };
}

/** What is made here prefers nothing: the first route wins. Routes that refuse are on lo. */
function prefers({ iif }: Flow, { hops }: Candidate): boolean {
  return iif === 'lo' || hops.some((hop) => hop.dev === iif);
}
