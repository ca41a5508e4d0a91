import { formatIp, type Ip } from '#libs/model';
import { SILENCE } from './hook.js';
import { icmpError } from './icmp-error.js';
import type { Answer, NamespaceRun } from './outcome.js';
import { lookupRoute, type Flow, type RouteResult, type RoutingState } from './routing/lookup.js';
import { diversionFacts, noRouteFacts, refusalFacts, routeEvidence } from './routing/route-evidence.js';
import { withoutRefusal } from './routing/without.js';
import type { Skb } from './skb.js';

type NoRoute = Exclude<RouteResult, { kind: 'route' }>;

/**
 * No usable route: what the kernel answers depends on why, and on whether the packet is its own (`local`).
 * `told`: what the sender gets to know where that is something else.
 */
export function refuse(run: NamespaceRun, skb: Skb, result: NoRoute, local: boolean, told?: Answer): void {
  if (result.kind === 'refused') return refused(run, skb, result, local, told);
  const { place } = run.ns;
  const answer = told ?? (local ? { kind: 'errno' as const, errno: 'ENETUNREACH' } : icmpError(skb.family, 'no-route'));
  const facts = noRouteFacts(run.ns, skb.dst);
  if (result.dead === undefined) {
    run.recorder.obstacle({ facts, disposition: 'no-route', answer, skb });
    return;
  }
  const { table, text } = result.dead;
  const evidence = { kind: 'route' as const, at: place, locator: `${table}/${formatIp(skb.dst)}`, text };
  const dead = { ...facts, code: 'NEXTHOP_DEAD' as const, evidence: [evidence] };
  run.recorder.obstacle({ facts: dead, disposition: 'no-route', answer, skb });
}

/** fib_props[] of net/ipv4/fib_semantics.c and ip_error(): EINVAL is silent, EHOSTUNREACH and EACCES are told. */
const REFUSALS = {
  blackhole: { disposition: 'null-routed', errno: 'EINVAL', remote: undefined },
  unreachable: { disposition: 'no-route', errno: 'EHOSTUNREACH', remote: 'host-unreachable' },
  prohibit: { disposition: 'prohibited', errno: 'EACCES', remote: 'prohibited' },
} as const;

function refused(
  run: NamespaceRun,
  skb: Skb,
  result: Extract<RouteResult, { kind: 'refused' }>,
  local: boolean,
  told: Answer | undefined,
): void {
  const { place } = run.ns;
  const { disposition, errno, remote } = REFUSALS[result.type];
  const isUnreachable = result.type === 'unreachable';
  // A rule that says unreachable is the network's unreachability, a route that says so the host's (fib4_rule_action()).
  const ofRule = result.rule !== undefined && isUnreachable;
  // ICMPv6 has no number of its own for it (ip6_pkt_discard()).
  const error = ofRule || (skb.family === 6 && isUnreachable) ? 'no-route' : remote;
  const own: Answer = { kind: 'errno', errno: ofRule ? 'ENETUNREACH' : errno };
  const answer = told ?? (local ? own : error === undefined ? SILENCE : icmpError(skb.family, error));
  const { route } = result;
  const routing = run.ns.routing(skb.family);
  const cause =
    route === undefined || routing === undefined
      ? undefined
      : diversionFacts(place, routing, route.table, routeEvidence(place, { table: route.table, route }), skb.dst);
  run.recorder.obstacle({
    facts: refusalFacts(place, result, skb.dst),
    disposition,
    answer,
    skb,
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * An obstacle of routing, and the route that the packet would take without it: the one that is meant, else what the tables
 * say without the refusing route or rule. undefined: nowhere.
 */
export function pastRefusal(
  run: NamespaceRun,
  routing: RoutingState,
  skb: Skb,
  result: NoRoute,
  flow: Flow,
  local: boolean,
): Extract<RouteResult, { kind: 'route' }> | undefined {
  refuse(run, skb, result, local);
  const meant = run.intendedRoute?.(skb.dst);
  if (meant !== undefined) return onLink(skb.dst, meant.dev, meant.gateway);
  if (result.kind !== 'refused') return undefined;
  const rest = lookupRoute(withoutRefusal(routing, result), flow, run.chooser);
  return rest.kind === 'route' ? rest : undefined;
}

/** A socket that is bound to a device takes what no route leads to as being on that device's link (ip_route_output_key_hash_rcu()). */
export function onLink(dst: Ip, dev: string, gateway?: Ip): Extract<RouteResult, { kind: 'route' }> {
  const hop = { dev, gateway, weight: 1, dead: false, linkdown: false, onlink: true };
  const route = {
    type: 'unicast',
    dst: { net: dst, length: 32 },
    table: 'main',
    metric: 0,
    tos: 0,
    scope: 253,
    nextHops: [hop],
    text: `${formatIp(dst)}${gateway === undefined ? '' : ` via ${formatIp(gateway)}`} dev ${dev}`,
  };
  return { kind: 'route', route, hop, table: 'main' };
}
