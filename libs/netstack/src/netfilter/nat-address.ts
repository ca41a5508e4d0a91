import { ipv4, ipv6, type Ip } from '#libs/model';
import type { Address } from '../parse/links.js';
import { selectSource } from '../routing/source.js';
import type { RuleEnv } from './matches/match.js';

const LOOPBACK = { 4: ipv4(0x7f000001), 6: ipv6(1n) } as const;

/**
 * nf_nat_redirect.c: own packets go to loopback, others to the first address of the interface that they came in by.
 * undefined: it has none, and the kernel drops the packet.
 */
export function redirectAddress({ ns, hook, skb, iif }: RuleEnv): Ip | undefined {
  if (hook === 'OUTPUT') return LOOPBACK[skb.family];
  return ns.link(iif)?.addresses.find((address) => isUsable(address, skb.dst))?.ip;
}

/** nf_nat_redirect_ipv6_usable(): not while it is tentative, and of the scope that a link-local destination has. */
function isUsable({ ip, unusable, secondary }: Address, dst: Ip): boolean {
  if (typeof ip === 'number' || typeof dst === 'number') return typeof ip === typeof dst && !secondary;
  return !unusable && (!isLinkLocal(dst) || isLinkLocal(ip));
}

function isLinkLocal(ip: bigint): boolean {
  return ip >> 118n === 0x3fan;
}

/**
 * nf_nat_masquerade.c: the address that the output interface would use, for IPv4 towards the next hop, for IPv6 towards the
 * destination. undefined: it has none, and the kernel drops the packet.
 */
export function masqueradeAddress({ ns, oif, skb, nextHop }: RuleEnv): Ip | undefined {
  return selectSource(ns, oif, typeof nextHop === 'number' ? nextHop : skb.dst);
}
