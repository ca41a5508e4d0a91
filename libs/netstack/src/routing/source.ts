import { cidrContains, maskIp, type Ip } from '#libs/model';
import type { NetNamespace } from '../namespace.js';
import type { Address, Link } from '../parse/links.js';
import type { RouteResult } from './lookup.js';

const LINK_SCOPE = 253;

/**
 * inet_select_addr(): the address that `dev` uses towards `dst`. Prefers one of the same subnet, then the first of the device;
 * a device without address borrows from the others in order of their index. `scope` limits to addresses at least as wide.
 * For an IPv6 destination: ipv6_dev_get_saddr(), where no device means any.
 */
export function selectSource(
  ns: NetNamespace,
  dev: string | undefined,
  dst: Ip | undefined,
  scope = 0,
): Ip | undefined {
  if (typeof dst === 'bigint') return selectSource6(ns, dev, dst);
  const own = candidates(dev === undefined ? undefined : ns.link(dev)).filter(
    (address) => Math.min(address.scope, LINK_SCOPE) <= scope,
  );
  const same = own.find((address) => dst !== undefined && cidrContains(subnet(address), dst));
  const first = same ?? own[0];
  if (first !== undefined) return first.ip;
  const others = [...(ns.links?.values() ?? [])].toSorted((a, b) => a.index - b.index);
  for (const other of others) {
    const wide = candidates(other).find((address) => address.scope !== LINK_SCOPE && address.scope <= scope);
    if (wide !== undefined) return wide.ip;
  }
  return undefined;
}

function candidates(link: Link | undefined): Address[] {
  return (link?.addresses ?? []).filter((address) => !address.secondary && typeof address.ip === 'number');
}

function subnet(address: Address): { net: Ip; length: number } {
  return { net: maskIp(address.ip, address.prefixLength), length: address.prefixLength };
}

/** fib_result_prefsrc(), ip6_route_get_saddr(): the source of a packet that has none yet. */
export function routeSource(
  ns: NetNamespace,
  result: Extract<RouteResult, { kind: 'route' }>,
  dst: Ip,
): Ip | undefined {
  const { route, hop } = result;
  if (route.prefsrc !== undefined) return route.prefsrc;
  if (typeof dst === 'bigint') return selectSource6(ns, hop.dev, dst);
  if (route.type === 'local') return dst;
  if (hop.dev === undefined) return undefined;
  // fib_info_update_nhc_saddr() knows the gateway only: without one the first address of the device wins.
  return selectSource(ns, hop.dev, typeof hop.gateway === 'number' ? hop.gateway : undefined, route.scope);
}

/** Scopes of RFC 4007 as ipv6_addr_src_scope() counts them; the loopback address is of the link. */
function scope6(ip: bigint): number {
  if (ip === 1n || ip >> 118n === 0x3fan) return LINK_LOCAL;
  return ip >> 118n === 0x3fbn ? 5 : 14;
}

const LINK_LOCAL = 2;

/** ip6addrlbl_init_table: longest prefix first; `ip addrlabel` can change them, which no dump tells. */
const LABELS: readonly { readonly prefix: bigint; readonly length: number; readonly label: number }[] = [
  { prefix: 1n, length: 128, label: 0 },
  { prefix: 0xffffn << 32n, length: 96, label: 4 },
  { prefix: 0n, length: 96, label: 3 },
  { prefix: 0x20010000n << 96n, length: 32, label: 6 },
  { prefix: 0x20010010n << 96n, length: 28, label: 7 },
  { prefix: 0x3ffen << 112n, length: 16, label: 12 },
  { prefix: 0x2002n << 112n, length: 16, label: 2 },
  { prefix: 0xfec0n << 112n, length: 10, label: 11 },
  { prefix: 0xfc00n << 112n, length: 7, label: 5 },
];

function label6(ip: bigint): number {
  const found = LABELS.find(({ prefix, length }) => (ip ^ prefix) >> BigInt(128 - length) === 0n);
  return found?.label ?? 1;
}

/** ipv6_dev_get_saddr(): the rules of RFC 6724 §5 that a dump can decide, in their order; of equals the first wins. */
function selectSource6(ns: NetNamespace, dev: string | undefined, dst: bigint): Ip | undefined {
  // A destination on the link is reached from an address of that link only.
  const ownOnly = dev !== undefined && (dst >> 120n === 0xffn || scope6(dst) <= LINK_LOCAL);
  let best: { ip: Ip; score: readonly number[] } | undefined;
  for (const link of ns.links?.values() ?? []) {
    if (ownOnly && link.name !== dev) continue;
    for (const address of link.addresses) {
      const { ip } = address;
      if (typeof ip !== 'bigint' || address.unusable) continue;
      const score = score6(ip, dst, address, dev === undefined || link.name === dev);
      if (best === undefined || isBetter(score, best.score)) best = { ip, score };
    }
  }
  return best?.ip;
}

function score6(ip: bigint, dst: bigint, address: Address, onDevice: boolean): readonly number[] {
  const source = scope6(ip);
  return [
    ip === dst ? 1 : 0,
    // Of two scopes the smaller that is still wide enough, else the wider.
    source >= scope6(dst) ? -source : source - 128,
    address.deprecated && ip !== 1n ? 0 : 1,
    onDevice ? 1 : 0,
    label6(ip) === label6(dst) ? 1 : 0,
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
