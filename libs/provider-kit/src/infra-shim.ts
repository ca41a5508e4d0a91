import type { Packet, Skipped, Step, Suspicion } from '#libs/model';

/** A node by its Kubernetes name, with the addresses that its Node object shows. */
export interface NodeRef {
  readonly name: string;
  readonly addresses: readonly string[];
}

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
}

/** What the network between and outside the nodes does with a packet. */
export interface InfraAnswer {
  /** Where the packet goes on. `lost`: nowhere, silently or as the blocking suspicion says. */
  readonly delivery: InfraDelivery;
  /** The source address after SNAT on the way out; replies to it are translated back. */
  readonly translatedSource?: string;
  readonly suspicions: readonly Suspicion[];
  /** Which rule, which route decided. */
  readonly steps: readonly Step[];
  readonly skipped: readonly Skipped[];
}

export type InfraDelivery =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'external'; readonly name: string }
  | { readonly kind: 'exits' }
  | { readonly kind: 'lost' }
  /** This shim does not know; the caller falls back to what the CNI and the objects imply. */
  | { readonly kind: 'unknown' };

/**
 * Checks the network underneath. Gets the packet as it is on the wire: the outer one for overlays. Only looks, never changes.
 */
export interface InfraShim {
  nodeToNode(source: NodeRef, oif: string, destination: NodeRef, packet: Packet): Promise<InfraAnswer>;
  nodeToExternal(source: NodeRef, oif: string, packet: Packet): Promise<InfraAnswer>;
  externalToNode?(destination: NodeRef, packet: Packet): Promise<InfraAnswer>;
  /**
   * For shims that have all their facts in memory: the same answers without waiting, so that a walk need not start again.
   * undefined: this one needs a look-up, ask the method of its kind.
   */
  evaluate?(question: InfraQuestion): InfraAnswer | undefined;
  externalToLoadBalancer?(service: ServiceRef, packet: Packet, backends: readonly string[]): Promise<InfraAnswer>;
  /** True when the answers of nodeToNode() depend on the two nodes only, not on the packet: one then stands for all packets. */
  readonly ignoresPackets?: boolean;
}

/** One crossing of the network between the nodes, as data. */
export type InfraQuestion =
  | {
      readonly kind: 'nodeToNode';
      readonly source: NodeRef;
      readonly oif: string;
      readonly destination: NodeRef;
      readonly packet: Packet;
    }
  | { readonly kind: 'nodeToExternal'; readonly source: NodeRef; readonly oif: string; readonly packet: Packet }
  | { readonly kind: 'externalToNode'; readonly destination: NodeRef; readonly packet: Packet }
  | {
      readonly kind: 'externalToLoadBalancer';
      readonly service: ServiceRef;
      readonly packet: Packet;
      readonly backends: readonly string[];
    };
