import type { Endpoint, EndpointRef } from './endpoint.js';
import type { PacketPath } from './packet-path.js';
import type { Place } from './place.js';
import type { Skipped, Suspicion } from './suspicion.js';
import type { Trace } from './trace.js';
import type { Disposition, Protocol, Symptom, Verdict } from './verdict.js';

/** Raised when the same input may give another answer. Stored with every diagnosis. */
export const ENGINE_VERSION = '0.1.0';

/** One question. `port` 1-65535; `sourcePort` is an ephemeral one unless given. */
export interface DiagnosisRequest {
  readonly source: EndpointRef;
  readonly destination: EndpointRef;
  /** A service port may be asked for by its name. */
  readonly port: number | string;
  readonly protocol: Protocol;
  readonly sourcePort?: number;
}

/** What the client sees on one branch. Equal branches are merged; probabilities add up to 1. */
export interface Branch {
  readonly probability: number;
  /** The final `ip:port` after all DNAT, when the packet is delivered. */
  readonly backend?: string;
  readonly symptom: Symptom;
  readonly disposition: Disposition;
  readonly at: Place;
  /** The source address that the listener sees (after SNAT); null when not delivered. */
  readonly sourceSeen: string | null;
}

/** The answer. A function of the request, the snapshot and the engine version. */
export interface Diagnosis {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly port: number;
  readonly protocol: Protocol;
  readonly sourcePort?: number;
  readonly verdict: Verdict;
  /** The symptom of the most probable branch. */
  readonly symptom: Symptom;
  readonly branches: readonly Branch[];
  /** What stops the packet, in path order; the first is the cause. Also contained in `suspicions`. */
  readonly blocking: readonly Suspicion[];
  readonly suspicions: readonly Suspicion[];
  readonly skipped: readonly Skipped[];
  /** What was taken for granted because no dump can hold it. */
  readonly assumptions: readonly string[];
  readonly forward: readonly Trace[];
  readonly reply: readonly Trace[];
  readonly path: PacketPath;
  readonly engineVersion: string;
}
