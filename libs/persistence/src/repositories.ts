import type { AskedPair } from './pair.js';
import type {
  ChunkAnswer,
  ChunkFailure,
  ChunkRecord,
  ClusterFields,
  ClusterRecord,
  DiagnosisFilter,
  Failure,
  ProviderFields,
  ProviderRecord,
  RunRecord,
  RunState,
  SnapshotFields,
  SnapshotRecord,
  StoredDiagnosis,
} from './records.js';

/** `pageToken` is what the last page gave as `nextPageToken`; a token that is not ours is INVALID_PAGE_TOKEN. */
export interface PageRequest {
  /** 1-1000, 100 unless given. */
  readonly pageSize?: number;
  readonly pageToken?: string;
}

/** Newest first, stable: what is added later never moves an item to another page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string | null;
}

export interface ClusterRepository {
  /** Throws CLUSTER_EXISTS. */
  create(cluster: ClusterFields): Promise<ClusterRecord>;
  get(name: string): Promise<ClusterRecord | undefined>;
  list(page?: PageRequest): Promise<Page<ClusterRecord>>;
  /** Throws CLUSTER_NOT_FOUND. */
  update(name: string, change: Partial<Omit<ClusterFields, 'name'>>): Promise<ClusterRecord>;
  /** With its snapshots, runs and diagnoses. False when there was none. */
  delete(name: string): Promise<boolean>;
}

export interface SnapshotRepository {
  /** `archive` is the gzip as uploaded. Throws CLUSTER_NOT_FOUND. */
  create(snapshot: SnapshotFields, archive: Uint8Array): Promise<SnapshotRecord>;
  get(id: string): Promise<SnapshotRecord | undefined>;
  archive(id: string): Promise<Uint8Array | undefined>;
  list(page?: PageRequest & { readonly cluster?: string }): Promise<Page<SnapshotRecord>>;
  /** The one taken last, when it is fresh enough. */
  newest(cluster: string, maxAgeSeconds?: number): Promise<SnapshotRecord | undefined>;
}

export interface NewRun {
  readonly cluster: string;
  /** Only what the request itself names: it is part of what a replayed `idempotencyKey` is compared with. */
  readonly snapshot?: string;
  readonly maxAgeSeconds?: number;
  /** For a single diagnosis that somebody waits for: it goes to the `-interactive` queue. */
  readonly interactive?: boolean;
  /** Read once, written in batches; when it throws, nothing of the run stays. */
  readonly pairs: Iterable<AskedPair> | AsyncIterable<AskedPair>;
  readonly idempotencyKey?: string;
}

export interface PlannedRun {
  readonly run: RunRecord;
  /** The chunks that still have to be queued and answered, in order. */
  readonly chunkIds: readonly string[];
}

/** Rows whose job vanished. Ask the queue (`ensureQueued`) before adding a job: it may just be waiting. */
export interface Stranded {
  readonly runs: readonly { readonly id: string; readonly provider: string; readonly interactive: boolean }[];
  readonly chunks: readonly {
    readonly id: string;
    readonly run: string;
    readonly provider: string;
    readonly interactive: boolean;
  }[];
}

export type Claim =
  | { readonly kind: 'claimed'; readonly chunk: ChunkRecord; readonly run: RunRecord }
  /** Somebody else answers it until then; let the job end, the sweep comes back to it. */
  | { readonly kind: 'busy'; readonly until: string }
  /** Nothing to do any more: answered, or its run was paused, cancelled or deleted. */
  | { readonly kind: 'over'; readonly reason: 'done' | 'failed' | 'not-found' | RunState };

export interface RunRepository {
  /**
   * A used `idempotencyKey` gives the run of then (`replayed`), or IDEMPOTENCY_KEY_REUSED when cluster, snapshot, options or
   * pairs differ. Throws CLUSTER_NOT_FOUND, SNAPSHOT_NOT_FOUND. The caller adds the plan job.
   */
  create(run: NewRun): Promise<{ readonly run: RunRecord; readonly replayed: boolean }>;
  get(id: string): Promise<RunRecord | undefined>;
  list(page?: PageRequest & { readonly cluster?: string; readonly state?: RunState }): Promise<Page<RunRecord>>;

  /** Drops equal pairs, cuts the rest into chunks and starts the run. Again: gives what is still unanswered. */
  plan(id: string, options?: { readonly chunkSize?: number }): Promise<PlannedRun>;
  /** Which snapshot answers a run that named none. Later calls do not change it. */
  useSnapshot(id: string, snapshot: string): Promise<RunRecord>;
  /** Ends a run that cannot be planned or answered at all. */
  fail(id: string, failure: Failure): Promise<RunRecord>;

  /** These four throw RUN_NOT_FOUND, and RUN_STATE_CONFLICT when the state does not allow it. Add a plan job after resume and retry. */
  cancel(id: string): Promise<RunRecord>;
  pause(id: string): Promise<RunRecord>;
  resume(id: string): Promise<RunRecord>;
  /** Asks again for the pairs that failed. */
  retry(id: string): Promise<RunRecord>;

  /** Compare-and-set. `owner` is the id of the job, so that the redelivered job of a dead worker takes over at once. */
  claimChunk(chunkId: string, owner: string, leaseMs: number): Promise<Claim>;
  /** Prolongs the claim. Gives the run's state: stop between two pairs when it is not `running`. */
  renewClaim(chunkId: string, owner: string, leaseMs: number): Promise<RunState | undefined>;
  /**
   * Upserts by (run, pair): may be called with parts of a chunk, and again with the same ones. False when the run was cancelled
   * or has failed as a whole: nothing is stored after its end, so stop.
   */
  storeAnswers(chunkId: string, answers: readonly ChunkAnswer[], failures?: readonly ChunkFailure[]): Promise<boolean>;
  /** The chunk is answered; the last one ends the run. Pairs without an answer or failure fail with NO_ANSWER. */
  completeChunk(chunkId: string): Promise<RunRecord>;
  /** After the last attempt of the job: its pairs without an answer have failed. */
  failChunk(chunkId: string, failure: Failure): Promise<RunRecord>;
  /** Lets go of a chunk that was not answered (run paused, worker shuts down): it counts as never queued. */
  releaseChunk(chunkId: string, owner: string): Promise<void>;

  /** Call after the jobs were added, so that the sweep leaves them alone for a while. */
  markQueued(chunkIds: readonly string[]): Promise<void>;
  /** Rows without a living claim that nobody has queued or touched for `graceMs`. */
  findStranded(graceMs: number, limit: number): Promise<Stranded>;
  /** Drops submissions that a crash cut off before their last pair; the sweep calls it with an hour or so. */
  dropAbandoned(olderThanMs: number): Promise<number>;
}

export interface DiagnosisRepository {
  get(id: string): Promise<StoredDiagnosis | undefined>;
  list(filter?: DiagnosisFilter, page?: PageRequest): Promise<Page<StoredDiagnosis>>;
  /** All of them, page by page, for exports. */
  stream(filter?: DiagnosisFilter): AsyncIterable<StoredDiagnosis>;
}

export interface ProviderRepository {
  upsert(provider: ProviderFields): Promise<void>;
  get(name: string): Promise<ProviderRecord | undefined>;
  list(): Promise<readonly ProviderRecord[]>;
}

/** The database, opened. One per process. */
export interface Persistence {
  readonly clusters: ClusterRepository;
  readonly snapshots: SnapshotRepository;
  readonly runs: RunRepository;
  readonly diagnoses: DiagnosisRepository;
  readonly providers: ProviderRepository;
  /** For readiness: throws DATABASE_UNREACHABLE. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
