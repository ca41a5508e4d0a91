import type { Disposition, Ip, Step, Suspicion, SuspicionFacts } from '#libs/model';
import type { NetNamespace } from './namespace.js';
import type { Chooser } from './chooser.js';
import type { ConntrackTable } from './netfilter/conntrack.js';
import type { Skb } from './skb.js';

/** What the sender gets to know of a packet that is stopped. */
export type Answer =
  | { readonly kind: 'silence' }
  /** This host sends an ICMP error to the source. */
  | {
      readonly kind: 'icmp';
      readonly type: number;
      readonly code: number;
      /** A router of the network outside sends it, not this host. */
      readonly outside?: true;
    }
  /** This host sends a TCP reset to the source. */
  | { readonly kind: 'reset' }
  /** The system call fails at once. */
  | { readonly kind: 'errno'; readonly errno: string };

/** Something that stops the packet, with the finding that explains it. */
export interface Obstacle {
  readonly facts: Omit<SuspicionFacts, 'blocking'>;
  /** What it follows from, where the kernel's own look-up tells. */
  readonly cause?: Omit<SuspicionFacts, 'blocking'>;
  /** The finding itself where somebody else (an InfraShim) has made it. */
  readonly ready?: Suspicion;
  readonly disposition: Disposition;
  readonly answer: Answer;
  /** Not a stop but the end of what is known: the verdict of this branch is undetermined. */
  readonly unknowable?: true;
  /** The packet as it was when it was stopped. */
  readonly skb: Skb;
}

/** The one who keeps the trace. After an obstacle the walk goes on where it can, as if the obstacle were not there. */
export interface Recorder {
  /** Nobody will look at the steps: they need not be made. */
  readonly quiet?: boolean;
  step(step: Step): void;
  obstacle(obstacle: Obstacle): void;
}

/** One namespace during one exchange. */
export interface NamespaceRun {
  readonly ns: NetNamespace;
  readonly conntrack: ConntrackTable;
  readonly chooser: Chooser;
  readonly recorder: Recorder;
  /** The route that is meant for an address where the tables have none, or a wrong one: how the walk goes on past that. */
  intendedRoute?(dst: Ip): { readonly dev: string; readonly gateway?: Ip } | undefined;
}

/** What a namespace does with a packet in the end. */
export type Outcome =
  /** Out of an interface; who owns the next hop's MAC address is the segment's business. */
  | {
      readonly kind: 'transmit';
      readonly dev: string;
      readonly nextHop: Ip;
      readonly skb: Skb;
      readonly route: string;
      /** Made by this host, not forwarded: errors are told to the socket. */
      readonly local: boolean;
    }
  | { readonly kind: 'deliver'; readonly skb: Skb; readonly iif: string }
  /** Nowhere, and nothing is known that would carry it on. `dst` is where it wanted to go. */
  | { readonly kind: 'stop'; readonly skb: Skb };
