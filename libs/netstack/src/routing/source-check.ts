import { formatIp, type Evidence, type Ip } from '#libs/model';
import type { Chooser } from '../chooser.js';
import type { NetNamespace } from '../namespace.js';
import type { Obstacle } from '../outcome.js';
import type { Skb } from '../skb.js';
import { lookupRoute, type Flow, type RouteResult, type RoutingState } from './lookup.js';
import { diversionFacts, noRouteFacts, refusalFacts, routeEvidence, sourceEvidence } from './route-evidence.js';

export interface SourceProblem {
  readonly code: 'MARTIAN_SOURCE' | 'RP_FILTER_DROP';
  readonly evidence: readonly Evidence[];
  readonly details: Readonly<Record<string, string | number>>;
  /** The route or policy rule that makes the way back a wrong one. */
  readonly cause?: Obstacle['facts'];
}

/**
 * Own addresses from outside, and rp_filter (RFC 3704) by the maximum of `all` and the interface. undefined: fine.
 * `towards` is where the packet goes: the way back is looked up as for a packet that comes in there (`lo` for local delivery).
 */
export function sourceProblem(
  ns: NetNamespace,
  routing: RoutingState,
  flow: Flow,
  towards: string,
  chooser: Chooser,
): SourceProblem | undefined {
  const { iif } = flow;
  const { src } = flow;
  if (src === undefined) return undefined;
  const all = ns.conf(4, 'all', 'rp_filter') ?? 0;
  const dev = ns.conf(4, iif, 'rp_filter') ?? 0;
  const mode = Math.max(all, dev);
  const validMark = ns.conf(4, iif, 'src_valid_mark') === 1 || ns.conf(4, 'all', 'src_valid_mark') === 1;
  const back = lookupRoute(
    routing,
    {
      dst: src,
      src: flow.dst,
      iif: towards,
      uid: 0,
      mark: validMark ? flow.mark : 0,
      protocol: flow.protocol,
      sport: flow.dport,
      dport: flow.sport,
      tos: 0,
    },
    chooser,
  );
  if (back.kind === 'route' && !isValidSource(ns, iif, back.route.type))
    return {
      code: 'MARTIAN_SOURCE',
      evidence: [sourceEvidence(ns.place, iif, src), routeEvidence(ns.place, back)],
      details: { source: formatIp(src) },
    };
  if (back.kind === 'route' && back.route.nextHops.some((hop) => hop.dev === iif)) return undefined;
  const strict = mode === 1 || (mode === 2 && (back.kind !== 'route' || !hasAddress(ns, iif)));
  if (!strict && ns.sysctlsCollected) return undefined;
  if (!ns.sysctlsCollected && chooser.guess(`whether ${ns.id} checks sources on ${iif} (rp_filter was not collected)`))
    return undefined;
  const key = ns.confKey(4, all >= dev ? 'all' : iif, 'rp_filter');
  const evidence: Evidence[] = [{ kind: 'sysctl', at: ns.place, locator: key, text: `${key} = ${mode}` }];
  if (back.kind === 'route') evidence.push(routeEvidence(ns.place, back));
  const cause = whyBack(ns, routing, back, src);
  evidence.push(...(cause?.evidence ?? []).filter(({ locator }) => evidence.every((one) => one.locator !== locator)));
  return { code: 'RP_FILTER_DROP', evidence, details: { source: formatIp(src), value: mode, key }, cause };
}

/**
 * Why a rule that checks the way back (`-m rpfilter`, `fib saddr . iif oif`) finds another: the route or policy rule that answers
 * would take. As ipt_rpfilter.c asks: without ports, with the mark on demand.
 */
export function reverseCause(
  ns: NetNamespace,
  { src, dst, family, protocol, mark }: Skb,
  usesMark: boolean,
  chooser: Chooser,
): Obstacle['facts'] | undefined {
  const routing = ns.routing(family);
  if (routing === undefined) return undefined;
  const flow = { dst: src, src: dst, iif: 'lo', mark: usesMark ? mark : 0, protocol, sport: 0, dport: 0, tos: 0 };
  return whyBack(ns, routing, lookupRoute(routing, flow, chooser), src);
}

/** What sends answers another way, or nowhere; undefined: no route or rule stands out. */
function whyBack(ns: NetNamespace, routing: RoutingState, back: RouteResult, src: Ip): Obstacle['facts'] | undefined {
  if (back.kind === 'none') return noRouteFacts(ns, src);
  const { route } = back;
  const table = back.kind === 'route' ? back.table : route?.table;
  const diversion =
    route === undefined || table === undefined
      ? undefined
      : diversionFacts(ns.place, routing, table, routeEvidence(ns.place, { table, route }), src);
  return diversion ?? (back.kind === 'refused' ? refusalFacts(ns.place, back, src) : undefined);
}

/** What the table says of the source: another host, or with accept_local also an own address. */
function isValidSource(ns: NetNamespace, iif: string, type: string): boolean {
  if (type === 'unicast') return true;
  return type === 'local' && (ns.conf(4, 'all', 'accept_local') === 1 || ns.conf(4, iif, 'accept_local') === 1);
}

/** Loose mode is for interfaces with an address; on one without the check is strict (no_addr in __fib_validate_source()). */
function hasAddress(ns: NetNamespace, dev: string): boolean {
  return ns.link(dev)?.addresses.some(({ ip }) => typeof ip === 'number') ?? false;
}
