import { formatCidr, formatIp, type Cidr, type Evidence, type Ip } from '#libs/model';
import {
  firstChoice,
  lookupRoute,
  type NetNamespace,
  type NextHop,
  type Route,
  type RouteResult,
  type RoutingState,
} from '#libs/netstack';
import type { Finding, IntendedRoute } from '#libs/provider-kit';
import { addressFinding, deviceFinding, linkStateFinding } from './devices.js';
import { hostCidr, onInterface, showDestination } from './evidence.js';

/** One way that a plugin would write into a route. */
export interface Way {
  /** `any`: some router between the nodes. Absent: the destination is on the device itself. */
  readonly gateway?: Ip | 'any';
  /** Absent: any device. */
  readonly dev?: string;
  readonly onlink?: boolean;
  /** The device is a tunnel that the agent makes. */
  readonly kind?: 'vxlan' | 'ipip';
  /** The address that the device has to have; the kernel drops routes with the last address of a device. */
  readonly source?: { readonly ip: Ip; readonly length: number; readonly evidence: Evidence };
}

/** The route that a node should have to some addresses. */
export interface RoutePromise {
  readonly destination: Cidr;
  /** The node that has them. */
  readonly owner: string;
  /** The first is what the plugin writes; the others lead there as well. */
  readonly ways: readonly [Way, ...Way[]];
  /** A default route leads there as well: the network outside knows the way. */
  readonly defaultSuffices?: boolean;
}

type Found = Extract<RouteResult, { kind: 'route' }>;

/** undefined when the routes were not collected: nothing can be said then. */
export function routeTo(ns: NetNamespace, dst: Ip): RouteResult | undefined {
  const routing = ns.routing(typeof dst === 'number' ? 4 : 6);
  if (routing === undefined) return undefined;
  return lookupRoute(routing, { dst, iif: 'lo', mark: 0, protocol: 6, sport: 0, dport: 0, tos: 0 }, firstChoice);
}

/** Why packets to `dst` do not take one of the promised ways; undefined when they do, or routes were not collected. */
export function routeProblem(ns: NetNamespace, promise: RoutePromise, dst: Ip): Finding | undefined {
  const found = routeTo(ns, dst);
  if (found === undefined) return undefined;
  const check: Check = { ns, promise, dst };
  if (found.kind === 'refused') return refused(check, found);
  if (found.kind === 'none' && found.dead !== undefined) return deadHop(check, found.dead);
  if (found.kind === 'none') return missing(check, undefined);
  return usedRoute(check, found);
}

/** The first of the ways as a route, where it names a device that is there. */
export function asRoute(ns: NetNamespace, { ways: [way] }: RoutePromise): IntendedRoute | undefined {
  const { dev, gateway } = way;
  if (dev === undefined || ns.link(dev) === undefined || gateway === 'any') return undefined;
  return gateway === undefined ? { dev } : { dev, gateway };
}

interface Check {
  readonly ns: NetNamespace;
  readonly promise: RoutePromise;
  readonly dst: Ip;
}

function usedRoute(check: Check, found: Found): Finding | undefined {
  const { ns, promise, dst } = check;
  const { route, table } = found;
  const evidence = [routeEvidence(ns, found.table, route)];
  if (route.type === 'local') {
    const details = { destination: formatIp(dst) };
    return { code: 'LOCAL_ADDRESS_HIJACK', subject: ns.place, evidence, details, concerns: hostCidr(dst) };
  }
  if (route.dst.length === 0) return promise.defaultSuffices === true ? undefined : missing(check, route);
  const wrong = route.nextHops.find((hop) => !promise.ways.some((way) => leads(hop, way)));
  if (wrong === undefined) return undefined;
  const shown = { ...check, evidence: [wantedRoute(ns, promise), ...evidence] };
  if (table !== 'main' && table !== 'default') return diverted(shown, wrong, table);
  if (route.dst.length > promise.destination.length && hasPromised(check))
    return {
      ...wrongWay(shown, 'ROUTE_SHADOWED', wrong, `ip route del ${showDestination(route.dst)}`),
      evidence,
      concerns: route.dst,
    };
  return wrongWay(shown, wrongCode(promise, wrong), wrong, `ip route replace ${showWay(promise)}`);
}

function diverted(check: Check & { readonly evidence: readonly Evidence[] }, wrong: NextHop, table: string): Finding {
  const { ns, dst } = check;
  const rules = ns.routing(typeof dst === 'number' ? 4 : 6)?.rules ?? [];
  const rule = rules.find((one) => one.action === 'lookup' && one.table === table);
  const found = wrongWay(check, 'RULE_DIVERTS', wrong);
  return rule === undefined ? found : { ...found, evidence: [ruleEvidence(ns, rule), ...found.evidence] };
}

function ruleEvidence({ place }: NetNamespace, { priority, text }: RoutingState['rules'][number]): Evidence {
  return { kind: 'policy-rule', at: place, locator: `rule/${priority}`, text };
}

function wrongWay(
  { ns, promise, evidence }: Check & { readonly evidence: readonly Evidence[] },
  code: Finding['code'],
  wrong: NextHop,
  remedy?: string,
): Finding {
  return {
    code,
    subject: ns.place,
    evidence,
    details: {
      ...details(promise),
      actual: code === 'ROUTE_WRONG_DEVICE' ? (wrong.dev ?? 'nowhere') : showHop(wrong),
      expected:
        code === 'ROUTE_WRONG_DEVICE' ? (promise.ways[0].dev ?? 'another device') : showGateway(promise.ways[0]),
    },
    ...(remedy === undefined ? {} : { remedy }),
    concerns: promise.destination,
  };
}

/** Another gateway is wrong; where gateways agree, or none is wanted, the device is. */
function wrongCode({ ways: [way] }: RoutePromise, wrong: NextHop): 'ROUTE_WRONG_DEVICE' | 'ROUTE_WRONG_GATEWAY' {
  const sameGateway = way.gateway === wrong.gateway || way.gateway === 'any';
  const otherDevice = way.dev !== undefined && way.dev !== wrong.dev;
  return otherDevice && (sameGateway || wrong.gateway === undefined) ? 'ROUTE_WRONG_DEVICE' : 'ROUTE_WRONG_GATEWAY';
}

function leads(hop: NextHop, way: Way): boolean {
  if (way.dev !== undefined && way.dev !== hop.dev) return false;
  return way.gateway === 'any' ? hop.gateway !== undefined : way.gateway === hop.gateway;
}

/** Whether the promised route itself is there and alive, behind another one or where no policy rule leads. */
function hasPromised({ ns, promise, dst }: Check): boolean {
  const isUp = (dev: string | undefined): boolean => dev !== undefined && ns.link(dev)?.flags.has('UP') === true;
  for (const route of mainRoutes(ns, dst))
    if (route.dst.length === promise.destination.length)
      return (
        route.type === 'unicast' &&
        route.nextHops.every((hop) => isUp(hop.dev) && promise.ways.some((way) => leads(hop, way)))
      );
  return false;
}

function mainRoutes(ns: NetNamespace, dst: Ip): Iterable<Route> {
  return (
    ns
      .routing(typeof dst === 'number' ? 4 : 6)
      ?.fibs.tables.get('main')
      ?.matches(dst) ?? []
  );
}

const REFUSALS = {
  blackhole: 'ROUTE_BLACKHOLE',
  unreachable: 'ROUTE_UNREACHABLE',
  prohibit: 'ROUTE_PROHIBIT',
} as const;

/** As the walk says it, so that both are one suspicion. */
function refused({ ns, promise, dst }: Check, found: Extract<RouteResult, { kind: 'refused' }>): Finding {
  const destination = { destination: formatIp(dst) };
  const { rule, route } = found;
  if (rule !== undefined)
    return {
      code: 'RULE_PROHIBIT',
      subject: ns.place,
      evidence: [{ kind: 'policy-rule', at: ns.place, locator: `rule/${rule.priority}`, text: rule.text }],
      details: destination,
    };
  return {
    code: REFUSALS[found.type],
    subject: ns.place,
    evidence: [
      { kind: 'route', at: ns.place, locator: `${route?.table ?? 'main'}/${formatIp(dst)}`, text: route?.text ?? '' },
    ],
    details: destination,
    concerns: route?.dst ?? promise.destination,
  };
}

/** As the walk says it. */
function deadHop({ ns, promise, dst }: Check, dead: Route): Finding {
  return {
    code: 'NEXTHOP_DEAD',
    subject: ns.place,
    evidence: [{ kind: 'route', at: ns.place, locator: `${dead.table}/${formatIp(dst)}`, text: dead.text }],
    details: { destination: formatIp(dst) },
    concerns: promise.destination,
  };
}

/** `instead` is what the packet would take. */
function missing(check: Check, instead: Route | undefined): Finding {
  const { ns, promise } = check;
  const concerns = promise.destination;
  const [way] = promise.ways;
  const cause = rulesFinding(check, instead) ?? deviceCause(ns, way);
  if (cause !== undefined) return { ...cause, concerns };
  return {
    code: 'POD_CIDR_ROUTE_MISSING',
    subject: ns.place,
    evidence: [wantedRoute(ns, promise), ...(instead === undefined ? [] : [routeEvidence(ns, instead.table, instead)])],
    details: { ...details(promise), expected: showGateway(way) },
    remedy: `ip route add ${showWay(promise)}`,
    concerns,
  };
}

const RESTART = 'The kernel has dropped its routes as well: restart the CNI agent of the node when this is done.';

/** A device that went down, or lost its last address, took its routes along: the route is the symptom (fib_disable_ip()). */
function deviceCause(ns: NetNamespace, { dev, kind, source }: Way): Finding | undefined {
  if (dev === undefined) return undefined;
  const link = ns.link(dev);
  const state = kind === undefined ? link && linkStateFinding(ns, link) : tunnelFinding(ns, dev, kind);
  if (state?.code === 'TUNNEL_DEVICE_MISSING') return state;
  if (state?.code === 'IFACE_DOWN') return { ...state, remedy: `ip link set ${dev} up. ${RESTART}` };
  if (link === undefined || source === undefined) return undefined;
  if (link.addresses.some(({ ip, scope }) => typeof ip === typeof source.ip && scope === 0)) return undefined;
  const missed = addressFinding(ns, link, source, source.evidence);
  return missed && { ...missed, remedy: `ip addr add ${String(missed.details?.address)} dev ${dev}. ${RESTART}` };
}

function tunnelFinding(ns: NetNamespace, name: string, kind: string): Finding | undefined {
  return deviceFinding(ns, { name, kind, missing: 'TUNNEL_DEVICE_MISSING' });
}

const OWN_TABLES = new Set(['local', 'main', 'default']);

/** The route is there, but the policy rules do not lead to it. */
function rulesFinding(check: Check, instead: Route | undefined): Finding | undefined {
  const { ns, promise, dst } = check;
  const rules = ns.routing(typeof dst === 'number' ? 4 : 6)?.rules ?? [];
  if (!rules.some(({ action, table }) => action === 'lookup' && table === 'main')) return mainRuleMissing(ns, rules);
  if (!hasPromised(check)) return undefined;
  const others = rules.filter(
    ({ table, action }) => action !== 'lookup' || table === undefined || !OWN_TABLES.has(table),
  );
  return {
    code: 'RULE_DIVERTS',
    subject: ns.place,
    evidence: [
      ...others.slice(0, 8).map((rule) => ruleEvidence(ns, rule)),
      ...(instead === undefined ? [] : [routeEvidence(ns, instead.table, instead)]),
    ],
    details: details(promise),
    ...(others.length === 1
      ? {}
      : { remedy: 'Look at ip rule: one of these rules leads past the table main, which has the route.' }),
  };
}

function mainRuleMissing(ns: NetNamespace, rules: RoutingState['rules']): Finding {
  return {
    code: 'RULE_MISSING',
    subject: ns.place,
    evidence: [
      {
        kind: 'policy-rule',
        at: ns.place,
        locator: 'rule/32766',
        text: `missing: 32766: from all lookup main; there are: ${rules.map(({ text }) => text).join('; ') || 'none'}`,
      },
    ],
    details: { table: 'main', rule: 'pref 32766 lookup main' },
    remedy: 'ip rule add pref 32766 lookup main',
  };
}

function details({ destination, owner, ways: [way] }: RoutePromise) {
  return {
    destination: formatCidr(destination),
    owner,
    gateway: showGateway(way),
    interface: way.dev ?? 'the interface between the nodes',
  };
}

function wantedRoute(ns: NetNamespace, promise: RoutePromise): Evidence {
  const destination = formatCidr(promise.destination);
  return { kind: 'route', at: ns.place, locator: `main/${destination}`, text: `missing: ${showWay(promise)}` };
}

function showWay({ destination, ways: [way] }: RoutePromise): string {
  const via = way.gateway === undefined ? '' : ` via ${showGateway(way)}`;
  const dev = way.dev === undefined ? '' : ` dev ${way.dev}`;
  return `${showDestination(destination)}${via}${dev}${way.onlink === true ? ' onlink' : ''}`;
}

function showGateway({ gateway, dev }: Way): string {
  if (gateway === undefined) return dev ?? 'its own segment';
  return gateway === 'any' ? 'a router' : formatIp(gateway);
}

function showHop({ gateway, dev }: NextHop): string {
  return gateway === undefined ? (dev ?? 'nowhere') : formatIp(gateway);
}

export function routeEvidence(ns: NetNamespace, table: string, route: Route): Evidence {
  return { kind: 'route', at: ns.place, locator: `${table}/${formatCidr(route.dst)}`, text: route.text };
}

/** How a node reaches a pod of its own. */
export interface LocalPromise {
  /** The prefix that has to have a route: the node's pod network on a bridge, or the pod alone. */
  readonly destination: Cidr;
  /** Whether it may be this device; `device` is the text for what it should be, or its name. */
  readonly accepts: (dev: string) => boolean;
  readonly device: string;
  readonly source?: Way['source'];
}

/** Why the node does not hand packets for its own pod to the device that leads there. */
export function localRouteProblem(ns: NetNamespace, promise: LocalPromise, dst: Ip): Finding | undefined {
  const found = routeTo(ns, dst);
  if (found === undefined) return undefined;
  const { destination, device } = promise;
  const concerns = destination;
  const wanted: Evidence = {
    kind: 'route',
    at: ns.place,
    locator: `main/${formatCidr(destination)}`,
    text: `missing: ${showDestination(destination)} dev ${device}`,
  };
  const shown = found.kind === 'route' ? [routeEvidence(ns, found.table, found.route)] : refusal(ns, found);
  if (found.kind === 'route' && found.route.type === 'local')
    return {
      code: 'LOCAL_ADDRESS_HIJACK',
      subject: ns.place,
      evidence: shown,
      details: { destination: formatIp(dst) },
      concerns: hostCidr(dst),
    };
  if (found.kind === 'refused' && (found.route?.dst.length ?? 0) >= destination.length)
    return refused({ ns, promise: { destination, owner: ns.place.name, ways: [{}] }, dst }, found);
  if (found.kind !== 'route' || found.route.dst.length < destination.length) {
    const { rules } = ns.routing(typeof dst === 'number' ? 4 : 6) ?? { rules: [] };
    const cause = rules.some(({ action, table }) => action === 'lookup' && table === 'main')
      ? deviceCause(ns, { dev: device, source: promise.source })
      : mainRuleMissing(ns, rules);
    if (cause !== undefined) return { ...cause, concerns };
    return {
      code: 'POD_ROUTE_MISSING',
      subject: ns.place,
      evidence: [wanted, ...shown],
      details: { destination: showDestination(destination), interface: device },
      remedy: `Recreate the pod, or restart the CNI agent of the node: it writes the route to ${device}.`,
      concerns,
    };
  }
  const wrong = found.route.nextHops.find(({ dev }) => dev === undefined || !promise.accepts(dev));
  if (wrong === undefined) return undefined;
  const shadowed = found.route.dst.length > destination.length;
  return {
    code: shadowed ? 'ROUTE_SHADOWED' : 'ROUTE_WRONG_DEVICE',
    subject: ns.place,
    evidence: shadowed ? shown : [wanted, ...shown],
    details: { destination: showDestination(destination), actual: wrong.dev ?? 'nowhere', expected: device },
    remedy: shadowed
      ? `ip route del ${showDestination(found.route.dst)}`
      : `ip route replace ${showDestination(destination)} dev ${device}`,
    concerns: shadowed ? found.route.dst : concerns,
  };
}

function refusal(ns: NetNamespace, found: Exclude<RouteResult, { kind: 'route' }>): Evidence[] {
  if (found.kind === 'none') return found.dead === undefined ? [] : [routeEvidence(ns, found.dead.table, found.dead)];
  return found.route === undefined ? [] : [routeEvidence(ns, found.route.table, found.route)];
}

/** A smaller MTU on a plugin's own route: nobody but a person writes it. */
export function routeMtuFinding(ns: NetNamespace, promise: RoutePromise, dst: Ip): Finding | undefined {
  const found = routeTo(ns, dst);
  if (found?.kind !== 'route' || found.route.mtu === undefined || found.route.dst.length === 0) return undefined;
  const dev = found.hop.dev === undefined ? undefined : ns.link(found.hop.dev);
  if (dev === undefined || found.route.mtu >= dev.mtu) return undefined;
  return {
    code: 'MTU_MISMATCH',
    subject: onInterface(ns, dev.name),
    evidence: [routeEvidence(ns, found.table, found.route)],
    details: { actual: found.route.mtu, expected: dev.mtu, interface: dev.name },
    remedy: `ip route replace ${showWay(promise)}`,
    concerns: promise.destination,
  };
}
