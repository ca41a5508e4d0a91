import type { Ip } from '#libs/model';
import type { Skb } from '../skb.js';

/**
 * What most rules ask of a packet, read once for a table: whatever changes one of these fields is the last rule of its table.
 * Rules compare small integers: addresses are as addressKey() gives them.
 */
export interface Header {
  readonly src: number | bigint;
  readonly dst: number | bigint;
  readonly protocol: number;
  readonly dport: number;
  readonly iif: string;
  readonly oif: string;
  /** What conntrack says, as one bit of CT_STATES. */
  readonly state: number;
}

export function headerOf(skb: Skb, iif: string, oif: string): Header {
  const { src, dst, protocol, dport } = skb;
  return { src: addressKey(src), dst: addressKey(dst), protocol, dport, iif, oif, state: stateOf(skb) };
}

/** NF_CT_STATE_BIT() of what a rule may ask for. */
export const CT_STATES = { INVALID: 1, ESTABLISHED: 2, RELATED: 4, NEW: 8, UNTRACKED: 64 } as const;

export function stateOf({ ct, untracked }: Skb): number {
  if (untracked === true) return CT_STATES.UNTRACKED;
  return ct === undefined ? CT_STATES.INVALID : CT_STATES[ct.state];
}

/** Equal for equal addresses, and quick to compare: IPv4 as a signed 32-bit integer. */
export function addressKey(ip: Ip): number | bigint {
  return typeof ip === 'number' ? ip | 0 : ip;
}

/** A destination port of a protocol. */
export function portKey(protocol: number, port: number): number {
  return protocol * 65536 + port;
}
