import { cidrContains, maskIp, type Ip } from '#libs/model';
import type { NetNamespace } from '../namespace.js';
import type { Address, Link } from '../parse/links.js';
import type { RouteResult } from './lookup.js';

const LINK_SCOPE = 253;

/**
 * inet_select_addr(): the address that `dev` uses towards `dst`. Prefers one of the same subnet, then the first of the device;
 * a device without address borrows from the others in order of their index. `scope` limits to addresses at least as wide.
 */
export function selectSource(ns: NetNamespace, dev: string, dst: Ip | undefined, scope = 0): Ip | undefined {
  if (typeof dst === 'bigint') return selectSource6(ns, dev, dst);
  const v4 = true;
  const link = ns.link(dev);
  const own = candidates(link, v4).filter((address) => Math.min(address.scope, LINK_SCOPE) <= scope);
  const same = own.find((address) => dst !== undefined && cidrContains(subnet(address), dst));
  const first = same ?? own[0];
  if (first !== undefined) return first.ip;
  const others = [...(ns.links?.values() ?? [])].toSorted((a, b) => a.index - b.index);
  for (const other of others) {
    const wide = candidates(other, v4).find((address) => address.scope !== LINK_SCOPE && address.scope <= scope);
    if (wide !== undefined) return wide.ip;
  }
  return undefined;
}

function candidates(link: Link | undefined, v4: boolean): Address[] {
  return (link?.addresses ?? []).filter((address) => !address.secondary && (typeof address.ip === 'number') === v4);
}

function subnet(address: Address): { net: Ip; length: number } {
  return { net: maskIp(address.ip, address.prefixLength), length: address.prefixLength };
}

/** fib_result_prefsrc(): the source of a packet that has none yet. */
export function routeSource(
  ns: NetNamespace,
  result: Extract<RouteResult, { kind: 'route' }>,
  dst: Ip,
): Ip | undefined {
  const { route, hop } = result;
  if (route.prefsrc !== undefined) return route.prefsrc;
  if (route.type === 'local') return dst;
  if (hop.dev === undefined) return undefined;
  // fib_info_update_nhc_saddr() knows the gateway only: without one the first address of the device wins.
  return typeof dst === 'number'
    ? selectSource(ns, hop.dev, hop.gateway, route.scope)
    : selectSource(ns, hop.dev, dst, route.scope);
}

/** Scopes of RFC 4007 as ipv6_addr_src_scope() counts them. */
function scope6(ip: bigint): number {
  if (ip === 1n || ip >> 118n === 0x3fan) return 2;
  return ip >> 118n === 0x3fbn ? 5 : 14;
}

/** ipv6_dev_get_saddr(): the rules of RFC 6724 §5 that a dump can decide, in their order. */
function selectSource6(ns: NetNamespace, dev: string, dst: bigint): Ip | undefined {
  let best: { ip: Ip; score: readonly number[] } | undefined;
  for (const link of ns.links?.values() ?? []) {
    const loopback = link.name === 'lo';
    for (const address of link.addresses) {
      const { ip } = address;
      if (typeof ip !== 'bigint' || address.unusable || (loopback && ip === 1n && dst !== 1n)) continue;
      // A link-local destination or source belongs to its own link.
      if ((scope6(ip) === 2 || scope6(dst) === 2) && link.name !== dev && ip !== dst) continue;
      const score = score6(ip, dst, address, link.name === dev);
      if (best === undefined || isBetter(score, best.score)) best = { ip, score };
    }
  }
  return best?.ip;
}

function score6(ip: bigint, dst: bigint, address: Address, onDevice: boolean): readonly number[] {
  const source = scope6(ip);
  const wanted = scope6(dst);
  // Rule 2: of two scopes the smaller that is still wide enough, else the wider.
  const scope = source >= wanted ? 100 - source : source - 100;
  return [
    ip === dst ? 1 : 0,
    scope,
    address.deprecated ? 0 : 1,
    onDevice ? 1 : 0,
    Math.min(commonPrefix(ip, dst), address.prefixLength),
  ];
}

function isBetter(a: readonly number[], b: readonly number[]): boolean {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value > other;
  }
  return false;
}

function commonPrefix(a: bigint, b: bigint): number {
  const difference = a ^ b;
  return difference === 0n ? 128 : 128 - difference.toString(2).length;
}
