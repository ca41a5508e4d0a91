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
  /** What the target CT says of the connection that is going to be looked up. */
  template?: ConnTemplate;
  /** Type of service, traffic class: DSCP and ECN. Nobody asks for one unless a rule does. */
  tos?: number;
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

export interface ConnTemplate {
  /** Of the packet's own direction, and of the other one. */
  readonly zone?: { readonly original: number; readonly reply: number };
  readonly helper?: string;
}

export type CtState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID';

export interface Tuple {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: number;
  readonly sport: number;
  readonly dport: number;
}

/**
 * All packets of a walk are of one class. Of object literals V8 keeps as many shapes as there are places that write one, and when a
 * field that held small integers gets an address above 128.0.0.0 the old shapes are migrated at each use: half of the cost of a hook.
 */
class PacketBuffer implements Skb {
  family: Family;
  src: Ip;
  dst: Ip;
  protocol: number;
  sport: number;
  dport: number;
  tcpFlags: number;
  icmp: Skb['icmp'];
  ttl: number;
  mark: number;
  length: number;
  ct: Skb['ct'];
  untracked: boolean | undefined;
  template: ConnTemplate | undefined;
  tos: number | undefined;
  sportUnknown: boolean | undefined;
  inner: Skb | undefined;
  tunnel: string | undefined;
  vni: number | undefined;
  innerMac: string | undefined;
  physIn: string | undefined;
  physOut: string | undefined;
  uid: number | undefined;
  srcMac: string | undefined;

  constructor(skb: Omit<Skb, 'src'>, src: Ip) {
    this.family = skb.family;
    this.src = src;
    this.dst = skb.dst;
    this.protocol = skb.protocol;
    this.sport = skb.sport;
    this.dport = skb.dport;
    this.tcpFlags = skb.tcpFlags;
    this.icmp = skb.icmp;
    this.ttl = skb.ttl;
    this.mark = skb.mark;
    this.length = skb.length;
    this.ct = skb.ct;
    this.untracked = skb.untracked;
    this.template = skb.template;
    this.tos = skb.tos;
    this.sportUnknown = skb.sportUnknown;
    this.inner = skb.inner;
    this.tunnel = skb.tunnel;
    this.vni = skb.vni;
    this.innerMac = skb.innerMac;
    this.physIn = skb.physIn;
    this.physOut = skb.physOut;
    this.uid = skb.uid;
    this.srcMac = skb.srcMac;
  }
}

export function makeSkb(skb: Skb): Skb {
  return new PacketBuffer(skb, skb.src);
}

/** A packet that has got its source address. */
export function withSource(packet: Omit<Skb, 'src'>, src: Ip): Skb {
  return new PacketBuffer(packet, src);
}

export function cloneSkb(skb: Skb): Skb {
  const clone = new PacketBuffer(skb, skb.src);
  if (skb.inner !== undefined) clone.inner = cloneSkb(skb.inner);
  return clone;
}

/** One class for the reason of PacketBuffer. */
class Addresses implements Tuple {
  constructor(
    readonly src: Ip,
    readonly dst: Ip,
    readonly protocol: number,
    readonly sport: number,
    readonly dport: number,
  ) {}
}

export function makeTuple({ src, dst, protocol, sport, dport }: Tuple): Tuple {
  return new Addresses(src, dst, protocol, sport, dport);
}

export function tupleOf(skb: Skb): Tuple {
  return new Addresses(skb.src, skb.dst, skb.protocol, skb.sport, skb.dport);
}

export function reverseTuple(tuple: Tuple): Tuple {
  return new Addresses(tuple.dst, tuple.src, tuple.protocol, tuple.dport, tuple.sport);
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
