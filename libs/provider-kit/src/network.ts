import type { Diagnosis, DiagnosisRequest, SuspicionCode, Verdict } from '#libs/model';

/** A cluster's network at one time, ready to answer. Composed of engine, CNI plugin and InfraShim, never subclassed. */
export interface Network {
  diagnose(request: DiagnosisRequest, signal?: AbortSignal): Promise<Diagnosis>;
  /** The verdict and the first cause of diagnose(), and nothing else: several times faster, for matrices of all pairs. Absent: ask diagnose(). */
  verdict?(request: DiagnosisRequest, signal?: AbortSignal): Promise<MatrixCell>;
  /** One answer per request, in the order given. */
  diagnoseMany(requests: Iterable<DiagnosisRequest>, signal?: AbortSignal): AsyncIterable<Diagnosis>;
}

/** One pair in a matrix: enough to colour it and to count causes. */
export interface MatrixCell {
  readonly verdict: Verdict;
  /** The first blocking suspicion; absent where nothing blocks. */
  readonly cause?: { readonly code: SuspicionCode; readonly fingerprint: string };
}
