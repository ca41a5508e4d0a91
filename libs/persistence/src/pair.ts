import { contentHash, type DiagnosisRequest, type NormalPair } from '#libs/model';

/** A question of a run as it lies in a chunk: normalised text, with the user's own id when there was one. */
export interface RunPair extends NormalPair {
  readonly id?: string | number;
}

// 128 bits: a collision among 10^12 pairs is still unlikely, and the key stays short in a URL.
const KEY_LENGTH = 32;

/** Equal for the same question about the same cluster in any run; hex, so safe in a URL. */
export function pairKey(cluster: string, pair: NormalPair): string {
  return contentHash(['pair', cluster, ...question(pair)]).slice(0, KEY_LENGTH);
}

/** Like `pairKey`, without the cluster; the caller has replaced pods by their workloads (`deployment/<ns>/<name>`). */
export function workloadKey(pair: NormalPair): string {
  return contentHash(['workload', ...question(pair)]).slice(0, KEY_LENGTH);
}

/** The id of the one result of a pair in a run: known before the result is there, the same however often the job runs. */
export function diagnosisId(runId: string, key: string): string {
  return contentHash(['diagnosis', runId, key]).slice(0, KEY_LENGTH);
}

/** A pair from a parsed request: what `RunRepository.create` takes. */
export type AskedPair = DiagnosisRequest & { readonly id?: string | number };

function question(pair: NormalPair): readonly unknown[] {
  return [pair.source, pair.destination, pair.port, pair.protocol, pair.sourcePort ?? null];
}
