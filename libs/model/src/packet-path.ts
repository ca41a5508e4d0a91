import type { Packet } from './packet.js';

/** The union of the traces as a graph. Equal paths are stored once. */
export interface PacketPath {
  readonly nodes: readonly PathNode[];
  readonly links: readonly PathLink[];
}

export interface PathNode {
  readonly id: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** What the place does with the packet. */
  readonly actions: readonly PathAction[];
  /** Codes of the suspicions about this place. */
  readonly suspicions: readonly string[];
}

export type PathAction = 'send' | 'forward' | 'serve' | 'service';

export interface PathLink {
  readonly from: string;
  readonly to: string;
  readonly type: 'veth' | 'bridge' | 'vxlan' | 'ipip' | 'infra' | 'local';
  readonly direction: 'forward' | 'reply';
  readonly fromInterface?: string;
  readonly toInterface?: string;
  readonly packet: Packet;
  readonly hypothetical?: true;
}
