import type { Ip } from '#libs/model';
import { ICMP, ICMPV6, TCP, UDP } from '#libs/netstack';

/** A packet as it goes over the wire; everything a rule can look at. */
export interface WirePacket {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: number;
  readonly sport: number;
  readonly dport: number;
  readonly tcpFlags: number;
  /** Sequence and acknowledgement: conntrack checks them against its window. */
  readonly seq?: number;
  readonly ack?: number;
  readonly icmp?: { readonly type: number; readonly code: number; readonly quoted?: Uint8Array };
  readonly ttl: number;
  readonly payloadBytes: number;
}

export function lengthOf(packet: WirePacket): number {
  return toBytes(packet).length;
}

export function toBytes(packet: WirePacket): Uint8Array {
  const transport = transportBytes(packet);
  const src = addressBytes(packet.src);
  const dst = addressBytes(packet.dst);
  fillChecksum(packet.protocol, transport, src, dst);
  if (src.length === 16) {
    const header = Buffer.alloc(40);
    header[0] = 0x60;
    header.writeUInt16BE(transport.length, 4);
    header[6] = packet.protocol;
    header[7] = packet.ttl;
    header.set(src, 8);
    header.set(dst, 24);
    return Buffer.concat([header, transport]);
  }
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + transport.length, 2);
  header.writeUInt16BE(0x4000, 6);
  header[8] = packet.ttl;
  header[9] = packet.protocol;
  header.set(src, 12);
  header.set(dst, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, transport]);
}

/** The packet behind an Ethernet header. */
export function toFrame(packet: WirePacket, dstMac: string, srcMac: string): Uint8Array {
  const bytes = toBytes(packet);
  const etherType = bytes[0] === 0x45 ? '0800' : '86dd';
  return Buffer.concat([Buffer.from(`${dstMac}${srcMac}`.replaceAll(':', '') + etherType, 'hex'), bytes]);
}

function transportBytes(packet: WirePacket): Buffer {
  const payload = Buffer.alloc(packet.payloadBytes, 0x61);
  switch (packet.protocol) {
    case TCP: {
      const tcp = Buffer.alloc(20);
      tcp.writeUInt16BE(packet.sport, 0);
      tcp.writeUInt16BE(packet.dport, 2);
      tcp.writeUInt32BE(packet.seq ?? 1000, 4);
      tcp.writeUInt32BE(packet.ack ?? 0, 8);
      tcp[12] = 0x50;
      tcp[13] = packet.tcpFlags;
      tcp.writeUInt16BE(64000, 14);
      return Buffer.concat([tcp, payload]);
    }
    case UDP: {
      const udp = Buffer.alloc(8);
      udp.writeUInt16BE(packet.sport, 0);
      udp.writeUInt16BE(packet.dport, 2);
      udp.writeUInt16BE(8 + payload.length, 4);
      return Buffer.concat([udp, payload]);
    }
    default: {
      const { type = 8, code = 0, quoted } = packet.icmp ?? {};
      const icmp = Buffer.alloc(8);
      icmp[0] = type;
      icmp[1] = code;
      if (quoted === undefined) icmp.writeUInt16BE(packet.sport, 4);
      return Buffer.concat([
        icmp,
        quoted === undefined ? payload : Buffer.from(quoted.subarray(0, quoted[0] === 0x45 ? 28 : 48)),
      ]);
    }
  }
}

/** Checksums are right: conntrack and REJECT look at them. */
function fillChecksum(protocol: number, transport: Buffer, src: Uint8Array, dst: Uint8Array): void {
  const at = { [TCP]: 16, [UDP]: 6, [ICMP]: 2, [ICMPV6]: 2 }[protocol] ?? 2;
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(transport.length, 0);
  pseudo[7] = protocol;
  const covered = protocol === ICMP ? transport : Buffer.concat([src, dst, pseudo, transport]);
  transport.writeUInt16BE(checksum(covered) || 0xffff, at);
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function addressBytes(ip: Ip): Uint8Array {
  if (typeof ip === 'number') {
    const four = Buffer.alloc(4);
    four.writeUInt32BE(ip, 0);
    return four;
  }
  return Buffer.from(ip.toString(16).padStart(32, '0'), 'hex');
}
