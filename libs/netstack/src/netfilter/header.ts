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
}

export function headerOf({ src, dst, protocol, dport }: Skb, iif: string, oif: string): Header {
  return { src: addressKey(src), dst: addressKey(dst), protocol, dport, iif, oif };
}

/** Equal for equal addresses, and quick to compare: IPv4 as a signed 32-bit integer. */
export function addressKey(ip: Ip): number | bigint {
  return typeof ip === 'number' ? ip | 0 : ip;
}

/** A destination port of a protocol. */
export function portKey(protocol: number, port: number): number {
  return protocol * 65536 + port;
}
