import type { Ip } from '#libs/model';
import { TCP, UDP, type Skb } from '../skb.js';

const ETHERNET = 14;

/** The frame that a filter sees: Ethernet, IP and transport header; contents beyond the headers are zero. */
export function frameOf(skb: Skb, srcMac: string, dstMac: string): { bytes: Uint8Array; networkOffset: number } {
  const v4 = skb.family === 4;
  const bytes = new Uint8Array(ETHERNET + Math.max(skb.length, v4 ? 40 : 60));
  const view = new DataView(bytes.buffer);
  writeMac(bytes, 0, dstMac);
  writeMac(bytes, 6, srcMac);
  view.setUint16(12, v4 ? 0x0800 : 0x86dd);
  const transport = ETHERNET + (v4 ? 20 : 40);
  if (v4) {
    bytes[ETHERNET] = 0x45;
    view.setUint16(ETHERNET + 2, skb.length);
    view.setUint16(ETHERNET + 6, 0x4000);
    bytes[ETHERNET + 8] = skb.ttl;
    bytes[ETHERNET + 9] = skb.protocol;
    writeIp(view, ETHERNET + 12, skb.src);
    writeIp(view, ETHERNET + 16, skb.dst);
  } else {
    bytes[ETHERNET] = 0x60;
    view.setUint16(ETHERNET + 4, skb.length - 40);
    bytes[ETHERNET + 6] = skb.protocol;
    bytes[ETHERNET + 7] = skb.ttl;
    writeIp(view, ETHERNET + 8, skb.src);
    writeIp(view, ETHERNET + 24, skb.dst);
  }
  if (skb.protocol === TCP || skb.protocol === UDP) {
    view.setUint16(transport, skb.sport);
    view.setUint16(transport + 2, skb.dport);
    if (skb.protocol === TCP) {
      bytes[transport + 12] = 0x50;
      bytes[transport + 13] = skb.tcpFlags;
    } else view.setUint16(transport + 4, skb.length - (transport - ETHERNET));
  } else if (skb.icmp !== undefined) {
    bytes[transport] = skb.icmp.type;
    bytes[transport + 1] = skb.icmp.code;
  }
  return { bytes, networkOffset: ETHERNET };
}

/** An ARP request or reply for IPv4 over Ethernet (RFC 826). */
export interface ArpMessage {
  readonly operation: 'request' | 'reply';
  readonly srcMac: string;
  readonly dstMac: string;
  readonly sender: number;
  readonly target: number;
}

export function arpFrame({ operation, srcMac, dstMac, sender, target }: ArpMessage): {
  bytes: Uint8Array;
  networkOffset: number;
} {
  const bytes = new Uint8Array(ETHERNET + 28);
  const view = new DataView(bytes.buffer);
  writeMac(bytes, 0, operation === 'request' ? 'ff:ff:ff:ff:ff:ff' : dstMac);
  writeMac(bytes, 6, srcMac);
  view.setUint16(12, 0x0806);
  view.setUint16(ETHERNET, 1);
  view.setUint16(ETHERNET + 2, 0x0800);
  view.setUint16(ETHERNET + 4, 0x0604);
  view.setUint16(ETHERNET + 6, operation === 'request' ? 1 : 2);
  writeMac(bytes, ETHERNET + 8, srcMac);
  view.setUint32(ETHERNET + 14, sender);
  if (operation === 'reply') writeMac(bytes, ETHERNET + 18, dstMac);
  view.setUint32(ETHERNET + 24, target);
  return { bytes, networkOffset: ETHERNET };
}

function writeMac(bytes: Uint8Array, at: number, mac: string): void {
  for (const [index, part] of mac.split(':').slice(0, 6).entries()) bytes[at + index] = parseInt(part, 16) || 0;
}

function writeIp(view: DataView, at: number, ip: Ip): void {
  if (typeof ip === 'number') view.setUint32(at, ip);
  else {
    view.setBigUint64(at, ip >> 64n);
    view.setBigUint64(at + 8, ip & 0xffffffffffffffffn);
  }
}
