import { cidrContains, type Ip } from '#libs/model';
import type { Chooser, Tri } from '../chooser.js';
import type { Link } from '../parse/links.js';
import type { NextHop, Route } from '../parse/routes.js';
import type { PolicyRule } from '../parse/rules.js';
import { ICMP, ICMPV6, SCTP, TCP, UDP } from '../skb.js';
import { lookupTable6 } from './fib6.js';
import type { Fib, Fibs } from './fib.js';
import { chooseHop, isRefusing, usableHops, type RefusingType } from './next-hop.js';

/** What a look-up depends on: struct flowi4 of the kernel. `iif` is `lo` for packets made here. */
export interface Flow {
  readonly dst: Ip;
  readonly src?: Ip;
  readonly iif: string;
  readonly oif?: string;
  readonly mark: number;
  readonly protocol: number;
  readonly sport: number;
  readonly dport: number;
  readonly tos: number;
  readonly uid?: number;
}

export type RouteResult =
  | { readonly kind: 'route'; readonly route: Route; readonly hop: NextHop; readonly table: string }
  /** A route or rule that refuses: blackhole, unreachable, prohibit; `rule` is set when a rule refused. */
  | {
      readonly kind: 'refused';
      readonly type: RefusingType;
      readonly route?: Route;
      readonly rule?: PolicyRule;
    }
  /** The best route has only dead next hops. */
  | { readonly kind: 'none'; readonly dead?: Route };

export interface RoutingState {
  readonly rules: readonly PolicyRule[];
  readonly fibs: Fibs;
  readonly links: ReadonlyMap<string, Link>;
  /** net.ipv4.conf.<dev>.ignore_routes_with_linkdown. */
  ignoresLinkdown(dev: string): boolean;
}

const PROTOCOLS: ReadonlyMap<string, number> = new Map(
  Object.entries({ tcp: TCP, udp: UDP, icmp: ICMP, 'ipv6-icmp': ICMPV6, sctp: SCTP }),
);

/** fib_lookup(): the policy rules in order of priority, each table by longest prefix (net/ipv4/fib_rules.c, fib_trie.c). */
export function lookupRoute(state: RoutingState, flow: Flow, chooser: Chooser): RouteResult {
  const merged = mergedTables(state);
  if (merged !== undefined) return lookupMerged(state, merged, flow, chooser);
  let dead: Route | undefined;
  for (let i = 0; i < state.rules.length; i++) {
    const rule = state.rules[i];
    if (rule === undefined || !ruleApplies(rule, flow, chooser)) continue;
    if (rule.action === 'goto') {
      // A goto leads forward only; to a priority that does not exist it has no effect.
      const next = state.rules.findIndex((other) => other.priority === rule.target);
      if (next > i) i = next - 1;
      continue;
    }
    if (rule.action === 'nop') continue;
    if (rule.action !== 'lookup') return { kind: 'refused', type: rule.action, rule };
    const found = lookupTable(state, rule, flow, chooser);
    if (found === undefined) continue;
    if (found.kind !== 'none') return found;
    dead ??= found.dead;
  }
  return { kind: 'none', dead };
}

/** Which states have no rule but those of a fresh host; asked at each look-up, so kept. */
const fresh = new WeakMap<RoutingState, boolean>();

/** The one trie of tables local and main, as long as no rule but those of a fresh host is there. */
function mergedTables(state: RoutingState): Fib | undefined {
  const { merged } = state.fibs;
  if (merged === undefined) return undefined;
  let isUnruled = fresh.get(state);
  if (isUnruled === undefined) fresh.set(state, (isUnruled = state.rules.every(isFresh)));
  return isUnruled ? merged : undefined;
}

const FRESH: ReadonlyMap<number, string> = new Map([
  [0, 'local'],
  [32766, 'main'],
  [32767, 'default'],
]);

function isFresh({ priority, action, table, text, ...selectors }: PolicyRule): boolean {
  const selects = Object.entries(selectors).some(([name, value]) =>
    name === 'invert' ? value === true : value !== undefined,
  );
  return action === 'lookup' && table !== undefined && FRESH.get(priority) === table && !selects && text !== '';
}

function lookupMerged(state: RoutingState, merged: Fib, flow: Flow, chooser: Chooser): RouteResult {
  const found = lookupTable4(state, merged, undefined, flow, chooser);
  if (found !== undefined && found.kind !== 'none') return found;
  const rest = state.fibs.tables.get('default');
  return (rest && lookupTable4(state, rest, undefined, flow, chooser)) ?? found ?? { kind: 'none' };
}

function lookupTable(state: RoutingState, rule: PolicyRule, flow: Flow, chooser: Chooser): RouteResult | undefined {
  const fib = state.fibs.tables.get(rule.table ?? 'main');
  if (fib === undefined) return undefined;
  const look = state.fibs.family === 6 ? lookupTable6 : lookupTable4;
  return look(state, fib, rule.suppressPrefixLength, flow, chooser);
}

/** fib_table_lookup(); undefined: the next rule is asked. */
function lookupTable4(
  state: RoutingState,
  fib: Fib,
  suppressPrefixLength: number | undefined,
  flow: Flow,
  chooser: Chooser,
): RouteResult | undefined {
  let dead: Route | undefined;
  for (const route of fib.matches(flow.dst)) {
    if (route.tos !== 0 && route.tos !== flow.tos) continue;
    if (route.type === 'throw') return undefined;
    if (isRefusing(route.type)) return { kind: 'refused', type: route.type, route };
    const alive = usableHops(state, route);
    const hops = flow.oif === undefined ? alive : alive.filter((hop) => hop.dev === flow.oif);
    if (hops.length === 0) {
      if (alive.length === 0) dead ??= route;
      continue;
    }
    if (suppressPrefixLength !== undefined && route.dst.length <= suppressPrefixLength) return undefined;
    return { kind: 'route', route, hop: chooseHop(route, hops, flow, chooser), table: route.table };
  }
  return dead === undefined ? undefined : { kind: 'none', dead };
}

function ruleApplies(rule: PolicyRule, flow: Flow, chooser: Chooser): boolean {
  const selected = selects(rule, flow);
  if (selected === undefined)
    return chooser.guess(`whether policy rule "${rule.text}" applies (${rule.unknown ?? 'unknown selector'})`);
  return selected !== rule.invert;
}

function selects(rule: PolicyRule, flow: Flow): Tri {
  if (rule.from !== undefined && (flow.src === undefined ? rule.from.length !== 0 : !cidrContains(rule.from, flow.src)))
    return false;
  if (rule.to !== undefined && !cidrContains(rule.to, flow.dst)) return false;
  if (rule.mark !== undefined && ((rule.mark.value ^ flow.mark) & rule.mark.mask) !== 0) return false;
  if (rule.iif !== undefined && rule.iif !== flow.iif) return false;
  if (rule.oif !== undefined && rule.oif !== flow.oif) return false;
  if (rule.protocol !== undefined && (PROTOCOLS.get(rule.protocol) ?? Number(rule.protocol)) !== flow.protocol)
    return false;
  if (rule.sport !== undefined && (flow.sport < rule.sport.from || flow.sport > rule.sport.to)) return false;
  if (rule.dport !== undefined && (flow.dport < rule.dport.from || flow.dport > rule.dport.to)) return false;
  if (rule.tos !== undefined && rule.tos !== flow.tos) return false;
  if (rule.uid !== undefined && (flow.uid === undefined || flow.uid < rule.uid.start || flow.uid > rule.uid.end))
    return false;
  return rule.unknown === undefined ? true : undefined;
}

/** Types that table local says of addresses; a look-up that is refused says nothing. */
const TYPES_OF_OWN: ReadonlySet<string> = new Set(['local', 'broadcast', 'multicast', 'anycast']);

/** inet_addr_type(): what table local says of an address. */
export function addressType(state: RoutingState, ip: Ip, dev?: string): string {
  if (typeof ip === 'number') {
    if (ip === 0xffffffff) return 'BROADCAST';
    if (ip >>> 28 === 14) return 'MULTICAST';
    if (ip === 0) return 'BROADCAST';
  } else if (ip >> 120n === 0xffn) return 'MULTICAST';
  const local = mergedTables(state) ?? state.fibs.tables.get('local');
  if (local === undefined) return 'UNICAST';
  for (const route of local.matches(ip)) {
    if (dev !== undefined && !route.nextHops.some((hop) => hop.dev === dev)) continue;
    return TYPES_OF_OWN.has(route.type) ? route.type.toUpperCase() : 'UNICAST';
  }
  return 'UNICAST';
}
