export const API_LIMITS = Symbol('ApiLimits');

/** How much a request may ask for, and how runs are cut (for dry runs). */
export interface ApiLimits {
  readonly uploadBytes: number;
  readonly unpackedBytes: number;
  readonly pairsBytes: number;
  readonly chunkSize: number;
}
