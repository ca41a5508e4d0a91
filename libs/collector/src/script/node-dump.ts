import type { NamespaceDump } from '#libs/model';

/** What became of one wanted namespace; `notFound`: no process, address or runtime knows it on this node. */
export const POD_OUTCOMES = ['dumped', 'partial', 'hostNetwork', 'notFound', 'vanished', 'late', 'failed'] as const;
export type PodOutcome = (typeof POD_OUTCOMES)[number];

export interface PodReport {
  readonly outcome: PodOutcome;
  /** Undefined for a host outside of the cluster. */
  readonly namespace?: string;
  readonly name: string;
  readonly detail?: string;
}

/** What the collector script sent of one node. */
export interface NodeDump {
  readonly node: string;
  readonly takenAt: string;
  /** Why the node's own dump is missing or partial. */
  readonly error: string | null;
  readonly pods: readonly PodReport[];
  readonly dumps: readonly NamespaceDump[];
  /** The stream ended early: what is here is whole, but there was more. */
  readonly truncated: boolean;
  readonly bytes: number;
}
