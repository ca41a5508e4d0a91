import { familyOf, formatIp, type Evidence, type Ip, type Place } from '#libs/model';
import type { NetNamespace } from '../namespace.js';
import type { Obstacle } from '../outcome.js';
import type { Route } from '../parse/routes.js';
import type { PolicyRule } from '../parse/rules.js';
import type { RouteResult, RoutingState } from './lookup.js';

/** That a namespace has no route to an address: the `throw` route that ends the search, or that there is none. */
export function noRouteFacts(ns: NetNamespace, dst: Ip): Obstacle['facts'] {
  const destination = formatIp(dst);
  return {
    code: 'NO_ROUTE',
    subject: ns.place,
    evidence: [thrown(ns, dst) ?? absent(ns, dst)],
    details: { destination },
  };
}

function thrown(ns: NetNamespace, dst: Ip): Evidence | undefined {
  for (const [table, fib] of ns.routing(familyOf(dst))?.fibs.tables ?? [])
    for (const route of fib.matches(dst)) if (route.type === 'throw') return routeEvidence(ns.place, { table, route });
  return undefined;
}

function absent(ns: NetNamespace, dst: Ip): Evidence {
  const file = familyOf(dst) === 4 ? 'ip-route.json' : 'ip6-route.json';
  return { kind: 'file', at: ns.place, locator: file, text: `no route of ${file} contains ${formatIp(dst)}` };
}

/** fib_props[] of net/ipv4/fib_semantics.c: the kinds of routes that refuse. */
const REFUSALS = {
  blackhole: 'ROUTE_BLACKHOLE',
  unreachable: 'ROUTE_UNREACHABLE',
  prohibit: 'ROUTE_PROHIBIT',
} as const;

/** The route or policy rule that refuses packets to `dst`, as a finding. */
export function refusalFacts(
  place: Place,
  { type, rule, route }: Extract<RouteResult, { kind: 'refused' }>,
  dst: Ip,
): Obstacle['facts'] {
  const destination = formatIp(dst);
  const evidence: Evidence =
    rule === undefined
      ? {
          kind: 'route',
          at: place,
          locator: `${route?.table ?? 'main'}/${destination}`,
          text: route?.text ?? '',
        }
      : ruleEvidence(place, rule);
  return {
    code: rule === undefined ? REFUSALS[type] : 'RULE_PROHIBIT',
    subject: place,
    evidence: [evidence],
    details: { destination },
  };
}

/** A packet that a policy rule leads into another table than `main`, where it takes `route`; undefined: it takes an ordinary one. */
export function diversionFacts(
  place: Place,
  { rules }: RoutingState,
  table: string,
  route: Evidence,
  dst: Ip,
): Obstacle['facts'] | undefined {
  const rule = ORDINARY.has(table) ? undefined : rules.find((one) => one.action === 'lookup' && one.table === table);
  if (rule === undefined) return undefined;
  return {
    code: 'RULE_DIVERTS',
    subject: place,
    evidence: [ruleEvidence(place, rule), route],
    details: { destination: formatIp(dst), table },
  };
}

const ORDINARY = new Set(['local', 'main', 'default']);

function ruleEvidence(at: Place, rule: PolicyRule): Evidence {
  return { kind: 'policy-rule', at, locator: `rule/${rule.priority}`, text: rule.text };
}

export function routeEvidence(at: Place, result: { readonly table: string; readonly route: Route }): Evidence {
  const { net, length } = result.route.dst;
  return { kind: 'route', at, locator: `${result.table}/${formatIp(net)}/${length}`, text: result.route.text };
}

export function sourceEvidence(at: Place, iif: string, src: Ip): Evidence {
  return {
    kind: 'address',
    at: { ...at, interface: iif },
    locator: `address/${formatIp(src)}`,
    text: `a packet from ${formatIp(src)} came in by ${iif}`,
  };
}
