import { type Ip, type Protocol } from '#libs/model';
import {
  ICMP,
  ICMPV6,
  SYN,
  TCP,
  tupleOf,
  UDP,
  type Answer,
  type NetNamespace,
  type Skb,
  icmpError,
} from '#libs/netstack';

/** One exchange to be tried: a TCP handshake with a first request, or a datagram and its answer. */
export interface ExchangeRequest {
  /** The namespace that the client runs in; undefined: a host outside without a dump. */
  readonly client: NetNamespace | undefined;
  /** The client's address where it cannot be chosen by a kernel that was recorded. */
  readonly clientIp: Ip | undefined;
  readonly dst: Ip;
  readonly port: number;
  readonly protocol: Protocol;
  /** undefined: an ephemeral one that no dumped connection uses. */
  readonly sourcePort: number | undefined;
}

/** Source ports that a plain client gets (net.ipv4.ip_local_port_range); one that no dumped connection uses. */
const EPHEMERAL_PORT = 45678;

export function request({
  dst,
  port,
  protocol,
  sourcePort,
  clientIp,
  client,
}: ExchangeRequest): Omit<Skb, 'src'> & { src?: Ip } {
  return {
    family: typeof dst === 'number' ? 4 : 6,
    ...(client === undefined && clientIp !== undefined ? { src: clientIp } : {}),
    dst,
    protocol: protocol === 'tcp' ? TCP : UDP,
    sport: sourcePort ?? EPHEMERAL_PORT,
    dport: port,
    tcpFlags: protocol === 'tcp' ? SYN : 0,
    ttl: 64,
    mark: 0,
    length: 60,
  };
}

/** A packet from the socket that got `skb`, back to where it came from. */
export function answerPacket(skb: Skb, flags: number): Omit<Skb, 'src'> & { src?: Ip } {
  return {
    family: skb.family,
    src: skb.dst,
    dst: skb.src,
    protocol: skb.protocol,
    sport: skb.dport,
    dport: skb.sport,
    tcpFlags: skb.protocol === TCP ? flags : 0,
    ttl: 64,
    mark: 0,
    length: 60,
  };
}

export function errorPacket(skb: Skb, { type, code }: { type: number; code: number }): Omit<Skb, 'src'> & { src?: Ip } {
  return {
    family: skb.family,
    dst: skb.src,
    protocol: skb.family === 4 ? ICMP : ICMPV6,
    sport: 0,
    dport: 0,
    tcpFlags: 0,
    icmp: { type, code, quoted: tupleOf(skb) },
    ttl: 64,
    mark: 0,
    length: 88,
  };
}

export function portUnreachable(skb: Skb): Answer {
  return icmpError(skb.family, 'port-unreachable');
}
