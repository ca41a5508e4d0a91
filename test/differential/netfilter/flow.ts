import { parseIp, type Family, type Ip } from '#libs/model';
import { ACK, FIN, ICMP, ICMPV6, RST, SYN, TCP, UDP } from '#libs/netstack';
import type { Random } from '../random.js';
import { ROUTER_ADDRESSES, ROUTER_LINKS } from '../world/router.js';

/** A first packet and what follows it. The follow-ups depend on where the first one got to. */
export interface Flow {
  /** Interface of the router that it comes in by; undefined: the router sends it. */
  readonly iif?: string;
  readonly src: string;
  readonly dst: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sport: number;
  readonly dport: number;
  readonly flags: number;
  readonly ttl: number;
  readonly payloadBytes: number;
  readonly then: readonly FollowUp[];
}

/** `reply`: the other side answers. `again`: the sender goes on. `error`: the other side's network sends an ICMP error. */
export type FollowUp = 'reply' | 'again' | 'error';

export const HOSTS = {
  4: ['10.1.0.50', '10.1.0.51', '10.2.0.7', '10.2.0.8', '10.3.0.20', '8.8.8.8', '203.0.113.5'],
  6: ['fd01::50', 'fd01::51', 'fd02::7', 'fd02::8', 'fd03::20', '2001:db8::8', '2001:db8:1::5'],
} as const;

export const PORTS = [53, 80, 81, 443, 8080, 30080, 32000] as const;

/** First source port of a case; those of its flows follow. No two flows of one world share a source port. */
export const FIRST_PORT = 20000;

const FIRST_FLAGS = [SYN, SYN, SYN, SYN, SYN, SYN, ACK, SYN | ACK, RST, FIN | ACK];

const FOLLOWED: readonly (readonly FollowUp[])[] = [
  [],
  [],
  ['reply'],
  ['reply', 'again'],
  ['again'],
  ['error'],
  ['reply', 'error', 'again'],
];

export function randomFlow(random: Random, family: Family, sport: number): Flow {
  const local = random.chance(0.2);
  const link = random.pick(ROUTER_LINKS);
  const own = ROUTER_ADDRESSES[family];
  const protocol = random.pick(['tcp', 'tcp', 'tcp', 'udp', 'udp', 'udp', 'icmp'] as const);
  const src = local ? random.pick(own) : random.pick(HOSTS[family]);
  // A ping to oneself would have one tuple for both directions.
  const targets = (random.chance(0.25) ? own : HOSTS[family]).filter((host) => protocol !== 'icmp' || host !== src);
  const flags =
    // Resets that the router makes are kept back by the sink.
    protocol === 'tcp' ? random.pick(local ? FIRST_FLAGS.filter((one) => !(one & RST)) : FIRST_FLAGS) : 0;
  // An answer to a segment that no connection was made of starts one of its own, and then the next segment clashes with it.
  const starts = protocol !== 'tcp' || flags === SYN || flags === ACK;
  return {
    iif: local ? undefined : link.inner,
    src,
    dst: random.pick(targets),
    protocol,
    sport,
    dport: random.pick(PORTS),
    flags,
    // Of net.ipv4.ip_default_ttl where the router sends: so do its sockets.
    ttl: local ? 64 : random.pick([2, 3, 63, 64, 128, 255]),
    payloadBytes: protocol === 'tcp' ? 0 : random.pick([0, 1, 10, 100]),
    then: random.pick<readonly FollowUp[]>(starts ? FOLLOWED : [[], ['again']]),
  };
}

export function ipOf(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`"${text}" is no address`);
  return ip;
}

export function protocolOf(flow: Flow): number {
  if (flow.protocol !== 'icmp') return flow.protocol === 'tcp' ? TCP : UDP;
  return flow.src.includes(':') ? ICMPV6 : ICMP;
}

export function describeFlow(flow: Flow): string {
  const flags = flow.protocol === 'tcp' ? ` flags 0x${flow.flags.toString(16)}` : '';
  const then = flow.then.length === 0 ? '' : `, then ${flow.then.join(', ')}`;
  return `${flow.iif ?? 'router'}: ${flow.src}:${flow.sport} > ${flow.dst}:${flow.dport} ${flow.protocol}${flags} ttl ${flow.ttl} payload ${flow.payloadBytes}${then}`;
}
