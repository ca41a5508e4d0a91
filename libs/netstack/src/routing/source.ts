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
  const v4 = typeof dst !== 'bigint';
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
  return selectSource(ns, hop.dev, hop.gateway ?? dst, route.scope);
}
