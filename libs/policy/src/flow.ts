import type { Ip } from '#libs/model';

/** One end of a connection as policies see it. Made by PolicyIndex, which knows whose address it is. */
export interface FlowEnd {
  readonly ip: Ip;
  readonly kind: 'pod' | 'node' | 'outside';
  /** Numbers in the roster; more than one when several pods claim the address, none when it is no pod's. */
  readonly pods: readonly number[];
  /** The node whose address it is, or on which the pod runs. */
  readonly node?: string;
}

/**
 * A new connection in the direction in which it is opened; its replies are never asked for, every engine lets them through.
 * `destination` and `port` are what a policy engine sees: the backend after DNAT, when the address of a Service was asked for.
 */
export interface PolicyFlow {
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
  /** Lower case: `tcp`, `udp`, `sctp`, `icmp`, `icmpv6`, or the protocol's number as text. */
  readonly protocol: string;
  /** The destination port; absent for protocols without. */
  readonly port?: number;
  readonly sourcePort?: number;
  readonly icmp?: { readonly type: number; readonly code: number };
  /** It leaves its pod and comes back to it by the node, as from a Service that leads to itself. */
  readonly hairpins?: boolean;
  /** What was asked for before DNAT, where that differs: Calico's preDNAT and doNotTrack policies look at it. */
  readonly original?: { readonly destination: FlowEnd; readonly port?: number };
}
