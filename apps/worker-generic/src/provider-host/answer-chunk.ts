import { HopscopeError, parsePair, type Diagnosis, type Endpoint } from '#libs/model';
import type { Logger } from '#libs/observability';
import { workloadKey, type ChunkAnswer, type Failure, type RunPair } from '#libs/persistence';
import type { AnswerChunk } from '#libs/server';
import type { LoadedNetwork, NetworkCache } from './network-cache.js';
import type { WorkloadOfPod } from './workload-of-pod.js';

/** Answers the pairs of a chunk from the network of its run's snapshot. */
export function answerFrom(networks: NetworkCache, log: Logger): AnswerChunk {
  return async function* answerChunk(chunk, run, signal) {
    const loaded = await networks.get(run);
    let next = 0;
    while (next < chunk.pairs.length) {
      const pairs = chunk.pairs.slice(next);
      try {
        for await (const answer of answerPairs(loaded, pairs, signal)) {
          next++;
          yield { kind: 'answer', answer };
        }
        if (next < chunk.pairs.length) throw new Error('the provider gave fewer answers than there were pairs');
      } catch (error) {
        // Waiting may help: then the whole chunk comes again. What is stored by then is not asked again.
        if (signal.aborted || (error instanceof HopscopeError && error.retryable)) throw error;
        const pair = chunk.pairs[next];
        if (pair === undefined) throw error;
        log.error({ err: error, run: run.id, chunkId: chunk.id, pair }, 'pair could not be answered');
        next++;
        yield { kind: 'failure', failure: { pair, ...failureOf(error) } };
      }
    }
  };
}

async function* answerPairs(
  { network, workloadOfPod }: LoadedNetwork,
  pairs: readonly RunPair[],
  signal: AbortSignal,
): AsyncGenerator<ChunkAnswer> {
  let index = 0;
  for await (const diagnosis of network.diagnoseMany(
    pairs.map((pair) => parsePair(pair)),
    signal,
  )) {
    const pair = pairs[index++];
    if (pair === undefined) throw new Error('the provider gave more answers than there were pairs');
    yield { pair, diagnosis, workloadKey: workloadKeyOf(pair, diagnosis, workloadOfPod) };
  }
}

function workloadKeyOf(pair: RunPair, diagnosis: Diagnosis, workloadOfPod: WorkloadOfPod): string {
  return workloadKey({
    ...pair,
    source: workloadRef(pair.source, diagnosis.source, workloadOfPod),
    destination: workloadRef(pair.destination, diagnosis.destination, workloadOfPod),
  });
}

function workloadRef(asked: string, { kind, namespace, name }: Endpoint, workloadOfPod: WorkloadOfPod): string {
  return kind === 'pod' && namespace !== undefined && name !== undefined ? workloadOfPod(namespace, name) : asked;
}

function failureOf(error: unknown): Failure {
  if (error instanceof HopscopeError) return { code: error.code, message: error.message };
  return { code: 'ENGINE_FAILED', message: 'the engine failed on this pair; the log of the worker says why' };
}
