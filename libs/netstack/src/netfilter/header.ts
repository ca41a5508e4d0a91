import type { Ip } from '#libs/model';
import type { Skb } from '../skb.js';

/**
 * What most rules ask of a packet, read once for a table: whatever changes one of these fields is the last rule of its table.
 * Rules compare small integers: an IPv4 address is a signed 32-bit one, an IPv6 address stays a bigint.
 */
export class Header {
  readonly src: number | bigint;
  readonly dst: number | bigint;
  readonly protocol: number;
  readonly dport: number;

  constructor(
    skb: Skb,
    readonly iif: string,
    readonly oif: string,
  ) {
    this.src = addressKey(skb.src);
    this.dst = addressKey(skb.dst);
    this.protocol = skb.protocol;
    this.dport = skb.dport;
  }
}

/** Equal for equal addresses, and quick to compare. */
export function addressKey(ip: Ip): number | bigint {
  return typeof ip === 'number' ? ip | 0 : ip;
}

/** A destination port of a protocol. */
export function portKey(protocol: number, port: number): number {
  return protocol * 65536 + port;
}
