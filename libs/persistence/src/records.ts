import type { Diagnosis, Symptom, Verdict } from '#libs/model';
import type { RunPair } from './pair.js';

export type JsonObject = { readonly [key: string]: unknown };

/** How a cluster is looked at. The kubeconfig is a secret: it never goes into an answer of the API. */
export type ClusterAccess =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'inCluster' }
  | { readonly kind: 'kubeconfig'; readonly kubeconfig: string };

export interface ClusterFields {
  readonly name: string;
  readonly provider: string;
  readonly access: ClusterAccess;
  readonly settings: JsonObject;
  readonly overrides: JsonObject;
  readonly labels: Readonly<Record<string, string>>;
}

/** Times are RFC 3339 UTC text in every record. */
export interface ClusterRecord extends ClusterFields {
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** `error` is why the node's dump is missing or partial. */
export interface SnapshotNode {
  readonly name: string;
  readonly takenAt?: string;
  readonly error: string | null;
}

export interface SnapshotFields {
  readonly cluster: string;
  readonly takenAt: string;
  readonly collector: string;
  readonly nodes: readonly SnapshotNode[];
}

/** A stored snapshot without its bytes. */
export interface SnapshotRecord extends SnapshotFields {
  readonly id: string;
  readonly sizeBytes: number;
  /** Of the archive as uploaded, hex. */
  readonly sha256: string;
  readonly createdAt: string;
}

export const RUN_STATES = [
  'queued',
  'planning',
  'collecting',
  'running',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** `done` = the four verdicts + `failed`. `total` is null until the run is planned. */
export interface RunCounts {
  readonly total: number | null;
  readonly done: number;
  readonly reachable: number;
  readonly unreachable: number;
  readonly partial: number;
  readonly undetermined: number;
  readonly failed: number;
}

/** Why something could not be done, as people may see it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface RunRecord {
  readonly id: string;
  readonly cluster: string;
  /** The cluster's provider: names the queue. */
  readonly provider: string;
  readonly snapshot: string | null;
  readonly maxAgeSeconds: number | null;
  readonly interactive: boolean;
  readonly state: RunState;
  readonly error: Failure | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly pairs: RunCounts;
}

export type ChunkState = 'pending' | 'running' | 'done' | 'failed';

/** The part of a run that one job carries. */
export interface ChunkRecord {
  readonly id: string;
  readonly run: string;
  readonly position: number;
  readonly state: ChunkState;
  readonly pairs: readonly RunPair[];
}

/** One result as a worker hands it over. */
export interface ChunkAnswer {
  readonly pair: RunPair;
  readonly diagnosis: Diagnosis;
  readonly workloadKey: string;
}

/** A pair that could not be answered; counted as failed unless a later attempt answers it. */
export interface ChunkFailure extends Failure {
  readonly pair: RunPair;
}

/** A diagnosis with its circumstances: the core of the API's answer. */
export interface StoredDiagnosis extends Diagnosis {
  readonly id: string;
  readonly run: string;
  readonly cluster: string;
  readonly snapshot: string | null;
  readonly pairKey: string;
  readonly workloadKey: string;
  readonly createdAt: string;
  /** The pair as asked, with the user's own `id` when it had one. */
  readonly pair: RunPair;
}

export interface DiagnosisFilter {
  readonly cluster?: string;
  readonly run?: string;
  readonly verdict?: Verdict | readonly Verdict[];
  readonly symptom?: Symptom;
  /** A suspicion code. */
  readonly code?: string;
  /** Of the source or of the destination, like `pod`, `service`, `node` and `ip`. */
  readonly namespace?: string;
  /** `name` or `namespace/name`. */
  readonly pod?: string;
  readonly service?: string;
  /** A node itself, or the node that a pod runs on. */
  readonly node?: string;
  readonly ip?: string;
  readonly port?: number;
  readonly pairKey?: string;
  readonly workloadKey?: string;
  /** RFC 3339: created at or after. */
  readonly since?: string;
  /** RFC 3339: created before. */
  readonly until?: string;
}

/** A provider that some worker hosts: the API validates cluster settings against `settingsSchema`. */
export interface ProviderFields {
  readonly name: string;
  readonly title: string;
  readonly settingsSchema: JsonObject;
}

export interface ProviderRecord extends ProviderFields {
  readonly seenAt: string;
}
