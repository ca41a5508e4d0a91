/** A packet as results show it and as an InfraShim gets it. Addresses are canonical text, ports are absent for ICMP. */
export interface Packet {
  readonly src: string;
  readonly dst: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'icmpv6' | 'ipip' | 'other';
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** `SYN`, `SYN-ACK`, `ACK`, `RST`; TCP only. */
  readonly flags?: string;
  readonly mark?: number;
  readonly ttl?: number;
  /** The packet carried inside, for tunnels. */
  readonly inner?: Packet;
}

/** `10.244.1.2:41000 -> 10.244.2.2:80 tcp SYN`. */
export function describePacket(packet: Packet): string {
  const src = formatEnd(packet, 'src');
  const dst = formatEnd(packet, 'dst');
  const flags = packet.flags === undefined ? '' : ` ${packet.flags}`;
  const inner = packet.inner === undefined ? '' : ` [${describePacket(packet.inner)}]`;
  return `${src} -> ${dst} ${packet.protocol}${flags}${inner}`;
}

/** One end of the packet: `10.244.1.2:41000`, `[fd00::1]:80`. */
export function formatEnd(packet: Packet, end: 'src' | 'dst'): string {
  return withPort(packet[end], end === 'src' ? packet.sourcePort : packet.destinationPort);
}

function withPort(ip: string, port: number | undefined): string {
  if (port === undefined) return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
