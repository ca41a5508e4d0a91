import {
  formatIp,
  ipv4,
  ipv6,
  isLoopback,
  isMulticast,
  type Evidence,
  type Ip,
  type Place,
  type Step,
  type SuspicionCode,
} from '#libs/model';
import { hook, SILENCE, unknowable } from './hook.js';
import { icmpError } from './icmp-error.js';
import { findVirtualServer, forwardToServer, IPVS_LOCAL_IN, IPVS_LOCAL_OUT } from './ipvs.js';
import type { NetNamespace } from './namespace.js';
import type { Answer, NamespaceRun, Obstacle, Outcome } from './outcome.js';
import { onLink, pastRefusal, refuse } from './refusal.js';
import type { NextHop, Route } from './parse/routes.js';
import { addressType, lookupRoute, type Flow, type RouteResult, type RoutingState } from './routing/lookup.js';
import { routeEvidence, sourceEvidence } from './routing/route-evidence.js';
import { sourceProblem } from './routing/source-check.js';
import { routeSource, selectSource } from './routing/source.js';
import { TCP, withSource, type Skb } from './skb.js';

/** ip_rcv(): a packet comes in by `iif`. `prerouted`: br_netfilter has run PREROUTING already. */
export function receive(run: NamespaceRun, iif: string, skb: Skb, prerouted = false): Outcome {
  if (skb.family === 6 && iif !== 'lo') checkMartians6(run, iif, skb);
  if (!prerouted) hook(run, 'PREROUTING', skb, iif, '');
  const routing = run.ns.routing(skb.family);
  if (routing === undefined) return unknownRouting(run, skb);
  const verdict = routeInput(run, routing, iif, skb);
  if (verdict.kind === 'local') return deliverLocally(run, iif, skb);
  if (verdict.kind === 'stop') return { kind: 'stop', skb };
  return forward(run, iif, skb, verdict.result);
}

/** A packet of this host to itself: loopback_xmit() keeps route and connection, so only hooks are passed. */
export function receiveLoopback(run: NamespaceRun, skb: Skb): Outcome {
  hook(run, 'PREROUTING', skb, 'lo', '');
  return deliverLocally(run, 'lo', skb);
}

function deliverLocally(run: NamespaceRun, iif: string, skb: Skb): Outcome {
  const service = findVirtualServer(run, skb);
  if (service !== undefined) {
    hook(run, 'INPUT', skb, iif, '', { before: IPVS_LOCAL_IN });
    return forwardToServer(run, service, skb) ? sendToServer(run, skb) : { kind: 'stop', skb };
  }
  hook(run, 'INPUT', skb, iif, '');
  return { kind: 'deliver', skb, iif };
}

function forward(run: NamespaceRun, iif: string, skb: Skb, result: Extract<RouteResult, { kind: 'route' }>): Outcome {
  const dev = result.hop.dev ?? '';
  // ip_forward(): the hop limit goes down before the FORWARD hook sees the packet.
  if (skb.ttl <= 1) {
    stop(
      run,
      skb,
      'TTL_EXCEEDED',
      'loop',
      icmpError(skb.family, 'hop-limit'),
      [routeEvidence(run.ns.place, result)],
      run.ns.place,
      {
        destination: formatIp(skb.dst),
      },
    );
    return { kind: 'stop', skb };
  }
  skb.ttl -= 1;
  checkMtu(run, skb, result, dev);
  hook(run, 'FORWARD', skb, iif, dev);
  // ip_output() still knows where the packet came in; of one that was made here it knows nothing.
  hook(run, 'POSTROUTING', skb, iif, dev, { nextHop: result.hop.gateway });
  return { kind: 'transmit', dev, nextHop: result.hop.gateway ?? skb.dst, skb, route: result.route.text, local: false };
}

/** ip_forward(): too long for the way out, and not to be fragmented: the sender is told the size that fits. */
function checkMtu(run: NamespaceRun, skb: Skb, result: Extract<RouteResult, { kind: 'route' }>, dev: string): void {
  const link = run.ns.link(dev);
  const mtu = Math.min(result.route.mtu ?? Infinity, link?.mtu ?? Infinity);
  if (skb.length <= mtu) return;
  const evidence: Evidence = {
    kind: 'link',
    at: run.ns.place,
    locator: `link/${dev}`,
    text: `${dev} mtu ${mtu}; the packet has ${skb.length} bytes`,
  };
  stop(
    run,
    skb,
    'PMTU_BLACKHOLE',
    'dropped',
    icmpError(skb.family, 'too-big'),
    [evidence],
    { ...run.ns.place, interface: dev },
    { mtu },
  );
}

/**
 * ip_local_out() after ip_route_output_key(): a packet that this host makes. `skb.src` of undefined means "choose".
 * `bound` is the interface that the socket is bound to; `anySource`: no socket but netfilter sends it (FLOWI_FLAG_ANYSRC).
 */
export function send(
  run: NamespaceRun,
  packet: Omit<Skb, 'src'> & { src?: Ip },
  bound?: string,
  { anySource = false }: { readonly anySource?: boolean } = {},
): Outcome {
  const { ns } = run;
  const routing = ns.routing(packet.family);
  if (routing === undefined) return unknownRouting(run, { ...packet, src: packet.src ?? anyAddress(packet.family) });
  const { src, result: found } = chooseRoute(run, routing, packet, bound, anySource);
  let skb = withSource(packet, src);
  skb.ttl = defaultTtl(ns, packet);
  const result =
    found.kind === 'route' ? found : pastRefusal(run, routing, skb, found, outputFlow(skb, src, bound), true);
  // Past a refusal the packet has the source that the other route would give it.
  if (found.kind !== 'route' && result !== undefined && packet.src === undefined)
    skb = withSource(skb, routeSource(ns, result, packet.dst) ?? src);
  if (result === undefined) {
    hook(run, 'OUTPUT', skb, '', '');
    return { kind: 'stop', skb };
  }
  recordRoute(run, result);
  const dev = outputDevice(result);
  checkLoopbackSource(run, skb, dev);
  const before = { src: skb.src, dst: skb.dst };
  const service = findVirtualServer(run, skb);
  if (service !== undefined) {
    hook(run, 'OUTPUT', skb, '', dev, { before: IPVS_LOCAL_OUT });
    return forwardToServer(run, service, skb) ? sendToServer(run, skb) : { kind: 'stop', skb };
  }
  const { reroute: marked, mark } = hook(run, 'OUTPUT', skb, '', dev);
  const changed = marked || before.dst !== skb.dst || before.src !== skb.src;
  // The chains that reroute ask with the mark of that moment.
  const final = changed ? reroute(run, routing, skb, marked ? mark : skb.mark) : result;
  if (final === undefined) return { kind: 'stop', skb };
  const finalDev = outputDevice(final);
  hook(run, 'POSTROUTING', skb, '', finalDev, { nextHop: final.hop.gateway });
  return {
    kind: 'transmit',
    dev: finalDev,
    nextHop: final.hop.gateway ?? skb.dst,
    skb,
    route: final.route.text,
    local: true,
  };
}

/** The route of a packet that this host makes, and the source address that goes with it. */
function chooseRoute(
  run: NamespaceRun,
  routing: RoutingState,
  packet: Omit<Skb, 'src'> & { src?: Ip },
  bound: string | undefined,
  anySource: boolean,
): { readonly src: Ip; readonly result: RouteResult } {
  const { ns } = run;
  if (packet.src !== undefined && !anySource && !mayBeSource(ns, routing, packet.src))
    return { src: packet.src, result: { kind: 'none' } };
  const first = routeOutput(run, routing, packet, packet.src, bound);
  if (packet.src !== undefined) return { src: packet.src, result: first };
  if (first.kind === 'route') {
    const src = routeSource(ns, first, packet.dst) ?? anyAddress(packet.family);
    if (!mayBeSource(ns, routing, src)) return { src, result: { kind: 'none' } };
    // ip_route_connect(): once the source is chosen the route is asked for again, now with it; IPv6 asks once.
    return { src, result: packet.family === 4 ? routeOutput(run, routing, packet, src, bound) : first };
  }
  // ip6_dst_lookup_tail(): what failed without a source is tried again with one of any device, whatever the socket is bound to.
  const any = packet.family === 6 ? selectSource(ns, undefined, packet.dst) : undefined;
  if (any === undefined) return { src: anyAddress(packet.family), result: first };
  return { src: any, result: routeOutput(run, routing, packet, any, bound) };
}

/** __ip_dev_find(): IPv4 sends only from addresses of its own (ip_route_output_key_hash_rcu()). */
function mayBeSource(ns: NetNamespace, routing: RoutingState, src: Ip): boolean {
  if (typeof src !== 'number' || src === 0) return true;
  return ns.owns(src) !== undefined || addressType(routing, src) === 'LOCAL';
}

/** What a packet of this host starts with (net.ipv4.ip_default_ttl; hop_limit of IPv6 is 64 unless a router says otherwise). */
function defaultTtl(ns: NetNamespace, { family, ttl }: Pick<Skb, 'family' | 'ttl'>): number {
  return family === 4 ? (ns.sysctlNumber('net.ipv4.ip_default_ttl') ?? ttl) : ttl;
}

/** What stands in a packet of a host that has no address: 0.0.0.0 or ::. */
function anyAddress(family: Skb['family']): Ip {
  return family === 4 ? ipv4(0) : ipv6(0n);
}

function routeOutput(
  run: NamespaceRun,
  routing: RoutingState,
  packet: Omit<Skb, 'src'>,
  src: Ip | undefined,
  bound: string | undefined,
): RouteResult {
  if (bound !== undefined && packet.family === 4 && run.ns.link(bound)?.flags.has('UP') !== true)
    return { kind: 'none' };
  const found = lookupRoute(routing, outputFlow(packet, src, bound), run.chooser);
  return found.kind !== 'route' && bound !== undefined && packet.family === 4 ? onLink(packet.dst, bound) : found;
}

/** ip_vs_nat_send_or_cont(): the packet goes on as if this host had made it: OUTPUT, then POSTROUTING. */
function sendToServer(run: NamespaceRun, skb: Skb): Outcome {
  const routing = run.ns.routing(skb.family);
  if (routing === undefined) return unknownRouting(run, skb);
  const result = lookupRoute(routing, outputFlow(skb, undefined), run.chooser);
  if (result.kind !== 'route') {
    refuse(run, skb, result, false);
    return { kind: 'stop', skb };
  }
  recordRoute(run, result);
  const dev = outputDevice(result);
  hook(run, 'OUTPUT', skb, '', dev);
  hook(run, 'POSTROUTING', skb, '', dev, { nextHop: result.hop.gateway });
  return { kind: 'transmit', dev, nextHop: result.hop.gateway ?? skb.dst, skb, route: result.route.text, local: false };
}

/** ip_route_me_harder(): OUTPUT changed what the route depends on. */
function reroute(
  run: NamespaceRun,
  routing: RoutingState,
  skb: Skb,
  mark: number,
): Extract<RouteResult, { kind: 'route' }> | undefined {
  const result = lookupRoute(routing, { ...outputFlow(skb, skb.src), mark }, run.chooser);
  if (result.kind !== 'route') {
    // tcp_connect() is over this: the error of its first SYN is not fatal, it is sent again.
    refuse(run, skb, result, true, skb.protocol === TCP ? SILENCE : undefined);
    return undefined;
  }
  checkLoopbackSource(run, skb, outputDevice(result));
  recordRoute(run, result);
  return result;
}

/** __mkroute_output(): what has a source of 127.0.0.0/8 stays on lo. IPv6 has no such check on the way out. */
function checkLoopbackSource(run: NamespaceRun, skb: Skb, dev: string): void {
  if (skb.family !== 4 || dev === 'lo' || !isLoopback(skb.src) || routeLocalnet(run, dev)) return;
  const key = run.ns.confKey(4, dev, 'route_localnet');
  // tcp_connect() is over a failed first SYN, as in reroute().
  const answer: Answer = skb.protocol === TCP ? SILENCE : { kind: 'errno', errno: 'EINVAL' };
  stopSysctl(run, skb, 'ROUTE_LOCALNET_OFF', 'martian', key, answer);
}

function outputDevice(result: Extract<RouteResult, { kind: 'route' }>): string {
  return result.route.type === 'local' ? 'lo' : (result.hop.dev ?? '');
}

function outputFlow(skb: Omit<Skb, 'src'>, src: Ip | undefined, oif?: string): Flow {
  // Routes know the DSCP only (inet_dscp_t).
  const { dst, mark, protocol, sport, dport, uid } = skb;
  return { dst, src, iif: 'lo', oif, mark, protocol, sport, dport, tos: (skb.tos ?? 0) & 0xfc, uid };
}

type InputRoute =
  { kind: 'local' } | { kind: 'stop' } | { kind: 'forward'; result: Extract<RouteResult, { kind: 'route' }> };

/** ip_route_input_slow(): martians first, then the tables, then the check of the source. */
function routeInput(run: NamespaceRun, routing: RoutingState, iif: string, skb: Skb): InputRoute {
  if (skb.family === 4) checkMartians(run, iif, skb);
  // A received packet has no socket; its user counts as 0 (sock_net_uid()).
  const flow: Flow = { ...outputFlow(skb, skb.src), iif, uid: 0 };
  const result = lookupRoute(routing, flow, run.chooser);
  if (result.kind === 'route' && (result.route.type === 'local' || result.route.type === 'broadcast')) {
    recordRoute(run, result);
    validateSource(run, routing, iif, skb, 'lo');
    return { kind: 'local' };
  }
  checkForwarding(run, iif, skb);
  const way = result.kind === 'route' ? result : pastRefusal(run, routing, skb, result, flow, false);
  if (way === undefined) return { kind: 'stop' };
  recordRoute(run, way);
  validateSource(run, routing, iif, skb, way.hop.dev ?? 'lo');
  return { kind: 'forward', result: way };
}

function checkMartians(run: NamespaceRun, iif: string, skb: Skb): void {
  if (iif === 'lo') return;
  if ((isLoopback(skb.src) || isLoopback(skb.dst)) && !routeLocalnet(run, iif))
    stopSysctl(run, skb, 'ROUTE_LOCALNET_OFF', 'martian', run.ns.confKey(4, iif, 'route_localnet'), SILENCE);
  if (isMulticast(skb.src) || skb.src === 0xffffffff)
    stop(run, skb, 'MARTIAN_SOURCE', 'martian', SILENCE, [sourceEvidence(run.ns.place, iif, skb.src)], run.ns.place, {
      source: formatIp(skb.src),
    });
}

/** ip6_rcv_core(): before any hook. */
function checkMartians6(run: NamespaceRun, iif: string, skb: Skb): void {
  if (!isLoopback(skb.src) && !isLoopback(skb.dst) && !isMulticast(skb.src)) return;
  const evidence = sourceEvidence(run.ns.place, iif, isLoopback(skb.dst) ? skb.dst : skb.src);
  stop(run, skb, 'MARTIAN_SOURCE', 'martian', SILENCE, [evidence], run.ns.place, { source: formatIp(skb.src) });
}

function routeLocalnet({ ns, chooser }: NamespaceRun, dev: string): boolean {
  if (!ns.sysctlsCollected)
    return chooser.guess(
      `whether ${ns.id} lets addresses of 127.0.0.0/8 pass ${dev} (route_localnet was not collected)`,
    );
  return ns.conf(4, 'all', 'route_localnet') === 1 || ns.conf(4, dev, 'route_localnet') === 1;
}

/** IN_DEV_FORWARD() of the interface that the packet came in by; without it ip_error() drops silently. */
function checkForwarding(run: NamespaceRun, iif: string, skb: Skb): void {
  const { ns, chooser } = run;
  // ip6_forward() looks at `all` only; newer kernels let an interface forward on its own by force_forwarding.
  const name = skb.family === 4 ? 'forwarding' : 'force_forwarding';
  const key = ns.confKey(skb.family, iif, name);
  const own = skb.family === 4 || ns.sysctlNumber(key) === 1 ? ns.sysctlNumber(key) : undefined;
  const all = ns.sysctlNumber(skb.family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding');
  if (own === undefined && all === undefined) {
    if (!chooser.guess(`whether ${ns.id} forwards packets (${key} was not collected)`))
      stopSysctl(run, skb, 'IFACE_FORWARDING_OFF', 'insufficient-info', key, SILENCE);
    return;
  }
  if ((own ?? all) !== 0) return;
  if (all === 0)
    stopSysctl(
      run,
      skb,
      'IP_FORWARD_OFF',
      'not-forwarded',
      skb.family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding',
      SILENCE,
    );
  else stopSysctl(run, skb, 'IFACE_FORWARDING_OFF', 'not-forwarded', key, SILENCE);
}

/** fib_validate_source(): a source address that may not come in there stops the packet, silently. */
function validateSource(run: NamespaceRun, routing: RoutingState, iif: string, skb: Skb, towards: string): void {
  if (skb.family !== 4 || iif === 'lo') return;
  const problem = sourceProblem(run.ns, routing, { ...outputFlow(skb, skb.src), iif }, towards, run.chooser);
  if (problem === undefined) return;
  const { code, evidence, details, cause } = problem;
  const subject = code === 'RP_FILTER_DROP' ? { ...run.ns.place, interface: iif } : run.ns.place;
  const facts = { code, subject, evidence, details };
  run.recorder.obstacle({
    facts,
    disposition: 'martian',
    answer: SILENCE,
    skb,
    ...(cause === undefined ? {} : { cause }),
  });
}

function unknownRouting(run: NamespaceRun, skb: Skb): Outcome {
  const { ns } = run;
  const names = ns
    .missingFiles()
    .filter(({ file }) => /^ip6?-(route|rule)\.json$|^ip-(link|addr)\.json$/.test(file))
    .map(({ file, reason }) => `${file}: ${reason}`);
  run.recorder.obstacle(unknowable(run, skb, `how ${ns.id} routes (${names.join('; ')})`));
  return { kind: 'stop', skb };
}

function recordRoute(run: NamespaceRun, result: Extract<RouteResult, { kind: 'route' }>): void {
  if (run.recorder.quiet) return;
  run.recorder.step(routeStep(run.ns.place, result));
}

const routeSteps = new WeakMap<Route, { readonly hop: NextHop; readonly step: Step }>();

/** A route is taken by many packets: the step of its last next hop is kept. */
function routeStep(place: Place, result: Extract<RouteResult, { kind: 'route' }>): Step {
  const { route, hop } = result;
  const known = routeSteps.get(route);
  if (known?.hop === hop && known.step.evidence?.at === place) return known.step;
  const step: Step = {
    kind: 'route',
    text: `route ${route.text}`,
    interface: hop.dev,
    evidence: routeEvidence(place, result),
  };
  routeSteps.set(route, { hop, step });
  return step;
}

function stop(
  run: NamespaceRun,
  skb: Skb,
  code: SuspicionCode,
  disposition: Obstacle['disposition'],
  answer: Answer,
  evidence: readonly Evidence[],
  subject: Place,
  details: Readonly<Record<string, string | number>>,
): void {
  run.recorder.obstacle({ facts: { code, subject, evidence, details }, disposition, answer, skb });
}

function stopSysctl(
  run: NamespaceRun,
  skb: Skb,
  code: SuspicionCode,
  disposition: Obstacle['disposition'],
  key: string,
  answer: Answer,
): void {
  const value = run.ns.sysctl(key) ?? 'not collected';
  const evidence: Evidence = { kind: 'sysctl', at: run.ns.place, locator: key, text: `${key} = ${value}` };
  const dev = key.split('.')[3];
  const subject =
    code === 'IFACE_FORWARDING_OFF' && dev !== undefined ? { ...run.ns.place, interface: dev } : run.ns.place;
  stop(run, skb, code, disposition, answer, [evidence], subject, { key });
}

/** The address that a host answers errors with: ICMP uses the one that the route back prefers (icmp_send()). */
export function answerSource(run: NamespaceRun, skb: Skb, dev: string): Ip | undefined {
  return run.ns.owns(skb.dst) !== undefined ? skb.dst : selectSource(run.ns, dev, skb.src);
}
