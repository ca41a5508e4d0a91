import { contentHash, type Diagnosis, type Endpoint, type PacketPath, type Suspicion, type Trace } from '#libs/model';
import { diagnosisId, pairKey, type RunPair } from './pair.js';
import type { ChunkAnswer } from './records.js';
import { storable, storableJson } from './storable.js';
import { ownJson } from './json.js';

/** Body of a packet_paths row. */
export interface PathBody {
  readonly path: PacketPath;
  readonly forward: readonly Trace[];
  readonly reply: readonly Trace[];
}

/** What stays in the diagnosis row as JSON: nobody filters by it. */
export interface DiagnosisRest {
  readonly pair: RunPair;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly sourcePort?: number;
  readonly branches: Diagnosis['branches'];
  readonly skipped: Diagnosis['skipped'];
  readonly assumptions: Diagnosis['assumptions'];
}

export interface Hashed {
  readonly hash: string;
  readonly json: string;
}

export interface HashedSuspicion extends Hashed {
  readonly suspicion: Suspicion;
}

interface SuspicionLink {
  readonly diagnosis_id: string;
  readonly list: 'blocking' | 'suspicions';
  readonly position: number;
  readonly suspicion_hash: string;
}

/** Rows of a part of a chunk; shared content appears once. */
export interface AnswerRows {
  readonly diagnoses: readonly Readonly<Record<string, unknown>>[];
  readonly paths: readonly Hashed[];
  readonly suspicions: readonly HashedSuspicion[];
  readonly links: readonly SuspicionLink[];
}

export interface ChunkContext {
  readonly chunkId: string;
  readonly runId: string;
  readonly cluster: string;
  readonly snapshot: string | null;
}

const StorableDiagnosis = ownJson<Diagnosis>();

export function answerRows(context: ChunkContext, answers: readonly ChunkAnswer[]): AnswerRows {
  const paths = new Map<string, Hashed>();
  const suspicions = new Map<string, HashedSuspicion>();
  const links: SuspicionLink[] = [];
  const diagnoses = new Map<string, Readonly<Record<string, unknown>>>();
  for (const answer of answers) {
    // Hashed as it will be stored: what PostgreSQL refuses is replaced before.
    const diagnosis = StorableDiagnosis.parse(storable(answer.diagnosis));
    const key = pairKey(context.cluster, answer.pair);
    const id = diagnosisId(context.runId, key);
    if (diagnoses.has(id)) continue; // One statement cannot touch a row twice.
    const { path, forward, reply } = diagnosis;
    const body = hashed({ path, forward, reply } satisfies PathBody);
    paths.set(body.hash, body);
    for (const list of ['blocking', 'suspicions'] as const)
      for (const [position, suspicion] of diagnosis[list].entries()) {
        const entry = { ...hashed(suspicion), suspicion };
        suspicions.set(entry.hash, entry);
        links.push({ diagnosis_id: id, list, position, suspicion_hash: entry.hash });
      }
    diagnoses.set(id, diagnosisRow(context, { ...answer, diagnosis }, { id, key, pathHash: body.hash }));
  }
  // Always in the same order: two transactions that write the same rows wait for each other, never in a circle.
  return {
    diagnoses: [...diagnoses.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    paths: byHash(paths),
    suspicions: byHash(suspicions),
    links,
  };
}

function diagnosisRow(
  { chunkId, runId, cluster, snapshot }: ChunkContext,
  { pair, diagnosis, workloadKey }: ChunkAnswer,
  { id, key, pathHash }: { readonly id: string; readonly key: string; readonly pathHash: string },
): Readonly<Record<string, unknown>> {
  const { source, destination, sourcePort, branches, skipped, assumptions } = diagnosis;
  const rest: DiagnosisRest = { pair, source, destination, sourcePort, branches, skipped, assumptions };
  return {
    id,
    run_id: runId,
    chunk_id: chunkId,
    cluster_name: cluster,
    snapshot_id: snapshot,
    pair_key: key,
    workload_key: workloadKey,
    verdict: diagnosis.verdict,
    symptom: diagnosis.symptom,
    ...endpointColumns('source', source),
    ...endpointColumns('destination', destination),
    port: diagnosis.port,
    protocol: diagnosis.protocol,
    codes: [...new Set([...diagnosis.suspicions, ...diagnosis.blocking].map(({ code }) => code))].toSorted(),
    engine_version: diagnosis.engineVersion,
    path_hash: pathHash,
    rest,
  };
}

function endpointColumns(side: 'source' | 'destination', endpoint: Endpoint): Record<string, string | null> {
  return {
    [`${side}_kind`]: endpoint.kind,
    [`${side}_namespace`]: endpoint.namespace ?? null,
    [`${side}_name`]: endpoint.name ?? null,
    [`${side}_node`]: endpoint.node ?? null,
    [`${side}_ip`]: endpoint.ip,
  };
}

function hashed(value: object): Hashed {
  return { hash: contentHash(value), json: storableJson(value) };
}

function byHash<T extends Hashed>(rows: ReadonlyMap<string, T>): T[] {
  return [...rows.values()].toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
}
