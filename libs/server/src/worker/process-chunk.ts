import type { Logger, Metrics } from '#libs/observability';
import type { ChunkAnswer, ChunkFailure, ChunkRecord, RunRecord, RunRepository } from '#libs/persistence';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type PairOutcome =
  | { readonly kind: 'answer'; readonly answer: ChunkAnswer }
  | { readonly kind: 'failure'; readonly failure: ChunkFailure };

/** What a worker application brings: the answers to the pairs of a chunk, one outcome per pair. */
export type AnswerChunk = (chunk: ChunkRecord, run: RunRecord, signal: AbortSignal) => AsyncIterable<PairOutcome>;

export interface ChunkContext {
  readonly runs: RunRepository;
  readonly answer: AnswerChunk;
  readonly leaseMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const BATCH = 50;
const BATCH_MS = 1000;
// The walk is synchronous: without a break now and then no lock is renewed and no request answered.
const TURN_MS = 20;

/**
 * Claims a chunk, answers it, stores. `over`: there was nothing to do, or the run was stopped meanwhile.
 * `interrupted`: `signal` fired; what was answered is stored and the chunk is free for another worker.
 */
export async function processChunk(
  context: ChunkContext,
  chunkId: string,
  owner: string,
  signal: AbortSignal,
): Promise<'done' | 'over' | 'interrupted'> {
  const claim = await context.runs.claimChunk(chunkId, owner, context.leaseMs);
  if (claim.kind !== 'claimed') {
    context.log.debug({ chunkId, claim: claim.kind }, 'chunk not taken');
    return 'over';
  }
  const lease = new Lease(context, chunkId, owner);
  try {
    await answerAndStore(context, claim.chunk, claim.run, AbortSignal.any([signal, lease.lost]));
  } catch (error) {
    if (!signal.aborted && !lease.lost.aborted) throw error;
  } finally {
    await lease.end();
  }
  if (signal.aborted || lease.lost.aborted) {
    await context.runs.releaseChunk(chunkId, owner);
    return signal.aborted ? 'interrupted' : 'over';
  }
  await context.runs.completeChunk(chunkId);
  return 'done';
}

async function answerAndStore(context: ChunkContext, chunk: ChunkRecord, run: RunRecord, signal: AbortSignal) {
  let answers: ChunkAnswer[] = [];
  let failures: ChunkFailure[] = [];
  let storedAt = Date.now();
  let turnAt = Date.now();
  let over = false;
  const store = async () => {
    if (answers.length + failures.length > 0) over = !(await context.runs.storeAnswers(chunk.id, answers, failures));
    if (!over)
      for (const { diagnosis } of answers)
        context.metrics.diagnoses.inc({ provider: run.provider, verdict: diagnosis.verdict });
    answers = [];
    failures = [];
    storedAt = Date.now();
  };
  try {
    for await (const outcome of context.answer(chunk, run, signal)) {
      if (outcome.kind === 'answer') answers.push(outcome.answer);
      else failures.push(outcome.failure);
      if (answers.length + failures.length >= BATCH || Date.now() - storedAt >= BATCH_MS) await store();
      // Cancelled meanwhile. To complete the chunk of an ended run changes nothing.
      if (over) return;
      if (Date.now() - turnAt >= TURN_MS) {
        await nextTurn();
        turnAt = Date.now();
      }
      signal.throwIfAborted();
    }
  } finally {
    // Also when stopped in the middle: what is answered need not be asked again.
    await store();
  }
}

/** Prolongs a claim while it is held. `lost` fires when the run is not running any more or the claim is somebody else's. */
class Lease {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private renewal: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: ChunkContext,
    private readonly chunkId: string,
    private readonly owner: string,
  ) {
    this.timer = setInterval(
      () => {
        this.renewal = this.renew();
      },
      Math.min(context.leaseMs / 3, 2000),
    );
  }

  get lost(): AbortSignal {
    return this.controller.signal;
  }

  async end(): Promise<void> {
    clearInterval(this.timer);
    await this.renewal;
  }

  private async renew(): Promise<void> {
    try {
      const state = await this.context.runs.renewClaim(this.chunkId, this.owner, this.context.leaseMs);
      if (state !== 'running') this.controller.abort();
    } catch (error) {
      // The claim lives on for two more attempts; a database that stays away fails the storing, which tells.
      this.context.log.warn({ err: error, chunkId: this.chunkId }, 'claim could not be renewed');
    }
  }
}
