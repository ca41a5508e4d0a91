import { formatIp, type Family, type Ip, type Packet } from '#libs/model';
import type { Conn } from './netfilter/conntrack.js';

export const TCP = 6;
export const UDP = 17;
export const ICMP = 1;
export const ICMPV6 = 58;
export const IPIP = 4;
export const SCTP = 132;

/** TCP flag bits as in the header. */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

/** A packet on its way, with what the kernel keeps beside it. Mutable: hooks rewrite it. */
export interface Skb {
  family: Family;
  src: Ip;
  dst: Ip;
  protocol: number;
  sport: number;
  dport: number;
  tcpFlags: number;
  /** ICMP type and code; `quoted` is the packet that an error is about. */
  icmp?: { type: number; code: number; quoted?: Tuple };
  ttl: number;
  mark: number;
  /** Bytes at the IP layer; the packets of a walk may not be fragmented (DF), as TCP's are not. */
  length: number;
  /** The connection of the namespace that the packet is in; dropped when it leaves (nf_reset). */
  ct?: { conn: Conn; reply: boolean; state: CtState };
  untracked?: boolean;
  /** The masqueraded source port is random (--random, --random-fully): rules on it cannot be decided. */
  sportUnknown?: boolean;
  inner?: Skb;
  /** Kind of the device that put `inner` into this packet. */
  tunnel?: string;
  /** VXLAN network identifier of the outer packet. */
  vni?: number;
  innerMac?: string;
  /** Bridge ports that the frame came in by and leaves by, for physdev. */
  physIn?: string;
  physOut?: string;
  /** User id of the sending socket; undefined for forwarded packets. */
  uid?: number;
  srcMac?: string;
}

export type CtState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID';

export interface Tuple {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: number;
  readonly sport: number;
  readonly dport: number;
}

export function cloneSkb(skb: Skb): Skb {
  return { ...skb, inner: skb.inner === undefined ? undefined : cloneSkb(skb.inner) };
}

export function tupleOf(skb: Skb): Tuple {
  return { src: skb.src, dst: skb.dst, protocol: skb.protocol, sport: skb.sport, dport: skb.dport };
}

export function reverseTuple(tuple: Tuple): Tuple {
  return { src: tuple.dst, dst: tuple.src, protocol: tuple.protocol, sport: tuple.dport, dport: tuple.sport };
}

export function tupleKey(tuple: Tuple): string {
  return `${tuple.protocol} ${tuple.src} ${tuple.sport} ${tuple.dst} ${tuple.dport}`;
}

/** What results show of it. */
export function showSkb(skb: Skb): Packet {
  const protocol = protocolName(skb);
  const ports = protocol === 'tcp' || protocol === 'udp';
  return {
    src: formatIp(skb.src),
    dst: formatIp(skb.dst),
    protocol,
    ...(ports ? { sourcePort: skb.sport, destinationPort: skb.dport } : {}),
    ...(protocol === 'tcp' ? { flags: flagNames(skb.tcpFlags) } : {}),
    ...(skb.mark === 0 ? {} : { mark: skb.mark }),
    ...(skb.inner === undefined ? {} : { inner: showSkb(skb.inner) }),
  };
}

function protocolName(skb: Skb): Packet['protocol'] {
  switch (skb.protocol) {
    case TCP:
      return 'tcp';
    case UDP:
      return 'udp';
    case ICMP:
      return 'icmp';
    case ICMPV6:
      return 'icmpv6';
    case IPIP:
      return 'ipip';
    default:
      return 'other';
  }
}

function flagNames(flags: number): string {
  const names: string[] = [];
  if (flags & SYN) names.push('SYN');
  if (flags & RST) names.push('RST');
  if (flags & FIN) names.push('FIN');
  if (flags & ACK) names.push('ACK');
  return names.join('-');
}
