import type { Diagnosis, DiagnosisRequest } from '#libs/model';

/** A cluster's network at one time, ready to answer. Composed of engine, CNI plugin and InfraShim, never subclassed. */
export interface Network {
  diagnose(request: DiagnosisRequest, signal?: AbortSignal): Promise<Diagnosis>;
  /** One answer per request, in the order given. */
  diagnoseMany(requests: Iterable<DiagnosisRequest>, signal?: AbortSignal): AsyncIterable<Diagnosis>;
}
