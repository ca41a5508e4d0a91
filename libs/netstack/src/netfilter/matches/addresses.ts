import { isMulticast, parseIp, type Ip, type Ipv6 } from '#libs/model';
import { addressType, lookupRoute, type RoutingState } from '../../routing/lookup.js';
import { setContains, type SetKeyPart } from '../../parse/ipset.js';
import { TCP, UDP, ICMP, SCTP } from '../../skb.js';
import { fromOptions, unknownMatch, inverted, type Match, type MatchBuilder, type RuleEnv } from './match.js';

/** xt_addrtype: what table local says of the address; `--limit-iface-*` asks for one interface only. */
export const addrtype: MatchBuilder = (options) => {
  const limitIn = options.some(({ flag }) => flag === '--limit-iface-in');
  const limitOut = options.some(({ flag }) => flag === '--limit-iface-out');
  const typed = (end: 'src' | 'dst'): ((args: readonly string[]) => Match) => {
    return ([text = '']) => {
      const types = text.split(',');
      return (env) => {
        const routing = env.ns.routing(env.skb.family);
        if (routing === undefined) return undefined;
        const dev = limitIn ? env.iif : limitOut ? env.oif : undefined;
        const ip = env.skb[end];
        if (typeof ip === 'bigint') return isType6(env, routing, ip, types, dev);
        const type = addressType(routing, ip, dev);
        return types.includes(type) || (type === 'UNICAST' && types.includes('UNSPEC'));
      };
    };
  };
  return fromOptions(options, {
    '--src-type': typed('src'),
    '--dst-type': typed('dst'),
    '--limit-iface-in': () => undefined,
    '--limit-iface-out': () => undefined,
  });
};

/** match_type6(): scope types are conditions, one of those that need a route is enough. Own addresses are unicast, too. */
function isType6(
  env: RuleEnv,
  routing: RoutingState,
  ip: Ipv6,
  types: readonly string[],
  dev: string | undefined,
): boolean {
  const isGroup = isMulticast(ip);
  if (types.includes('MULTICAST') && !isGroup) return false;
  if (types.includes('UNICAST') && (isGroup || ip === 0n)) return false;
  if (types.includes('UNSPEC') && ip !== 0n) return false;
  if (!types.some((type) => ROUTED_TYPES.has(type))) return true;
  const found = routedTypes6(env, routing, ip, dev);
  return types.some((type) => found.includes(type));
}

const ROUTED_TYPES: ReadonlySet<string> = new Set(['LOCAL', 'ANYCAST', 'UNREACHABLE']);

/** match_lookup_rt6(): with a device LOCAL asks for an address of that device, without one for a local route. */
function routedTypes6(env: RuleEnv, routing: RoutingState, ip: Ipv6, dev: string | undefined): readonly string[] {
  const flow = {
    dst: ip,
    iif: 'lo',
    oif: dev === '' ? undefined : dev,
    mark: 0,
    protocol: 0,
    sport: 0,
    dport: 0,
    tos: 0,
  };
  const found = lookupRoute(routing, flow, env.chooser);
  if (found.kind !== 'route') return ['UNREACHABLE'];
  const { type, dst, nextHops } = found.route;
  const isLocal =
    dev === undefined ? type === 'local' : env.ns.link(dev)?.addresses.some((address) => address.ip === ip) === true;
  // ipv6_anycast_destination(): an anycast route, or the first address of a network on the link.
  const isAnycast =
    type === 'anycast' ||
    (dst.length < 127 && dst.net === ip && nextHops.every(({ gateway }) => gateway === undefined));
  return [...(isLocal ? ['LOCAL'] : []), ...(isAnycast ? ['ANYCAST'] : [])];
}

export const iprange: MatchBuilder = (options) => {
  const ranged = (end: 'src' | 'dst'): ((args: readonly string[]) => Match) => {
    return ([text = '']) => {
      const [from, to] = text.split('-').map((part) => parseIp(part));
      if (from === undefined) return unknownMatch;
      const last = to ?? from;
      return ({ skb }) => typeof skb[end] === typeof from && skb[end] >= from && skb[end] <= last;
    };
  };
  return fromOptions(options, { '--src-range': ranged('src'), '--dst-range': ranged('dst') });
};

/** xt_mac: only frames that came in by an Ethernet device have a source address; of others the match is false, negated or not. */
export const mac: MatchBuilder = (options) => {
  const same = fromOptions(options, {
    '--mac-source':
      ([text = '']) =>
      ({ skb }) =>
        skb.srcMac === undefined ? undefined : skb.srcMac.toLowerCase() === text.toLowerCase(),
  });
  return (env) =>
    env.iif === '' || NO_ETHERNET.has(env.ns.link(env.iif)?.kind ?? '') || env.iif === 'lo' ? false : same?.(env);
};

const NO_ETHERNET = new Set(['ipip', 'sit', 'gre', 'wireguard', 'tun', 'vti', 'xfrm']);

const PROTOCOL_NAMES: Readonly<Record<number, string>> = { [TCP]: 'tcp', [UDP]: 'udp', [ICMP]: 'icmp', [SCTP]: 'sctp' };

/** xt_set: each direction flag offers one dimension of the packet. */
export const set: MatchBuilder = (options) => {
  const parts: Match[] = [];
  for (const { flag, invert, args } of options) {
    if (flag === '--return-nomatch' || flag === '--update-counters' || flag === '--update-subcounters') continue;
    const [name, directions] = args;
    if (flag !== '--match-set' || name === undefined || directions === undefined) return unknownMatch;
    parts.push(inverted(inSet(name, directions.split(',')), invert));
  }
  return (env) => {
    let result: boolean | undefined = true;
    for (const part of parts) {
      const one = part(env);
      if (one === false) return false;
      if (one === undefined) result = undefined;
    }
    return result;
  };
};

function inSet(name: string, directions: readonly string[]): Match {
  return (env) => {
    const sets = env.ns.ipsets;
    const found = sets?.get(name);
    if (sets === undefined || found === undefined) return undefined;
    return setContains(
      found,
      directions.map((direction) => keyPart(env, direction)),
      sets,
    );
  };
}

function keyPart({ skb, iif, oif }: RuleEnv, direction: string): SetKeyPart {
  const source = direction === 'src';
  const ip: Ip = source ? skb.src : skb.dst;
  return {
    ip,
    port: source ? skb.sport : skb.dport,
    protocol: PROTOCOL_NAMES[skb.protocol] ?? String(skb.protocol),
    iface: source ? iif : oif,
    mac: skb.srcMac ?? '',
  };
}
