import type { Persistence, RunRecord, StoredDiagnosis } from '#libs/persistence';
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_LOOK_MS = 15;
const SLOWEST_LOOK_MS = 250;
const OVER = new Set(['succeeded', 'failed', 'cancelled']);

export type Awaited =
  | { readonly kind: 'answered'; readonly diagnosis: StoredDiagnosis }
  | { readonly kind: 'pending'; readonly run: RunRecord };

/** Looks at the rows until the answer is there, the run is over without it, or the time is up. Events may be lost, rows not. */
export async function waitForDiagnosis(
  { diagnoses, runs }: Pick<Persistence, 'diagnoses' | 'runs'>,
  id: string,
  run: RunRecord,
  waitMs: number,
  gone: AbortSignal,
): Promise<Awaited> {
  const deadline = Date.now() + waitMs;
  let pause = FIRST_LOOK_MS;
  let current = run;
  for (;;) {
    const over = OVER.has(current.state);
    const diagnosis = await diagnoses.get(id);
    if (diagnosis !== undefined) return { kind: 'answered', diagnosis };
    const left = deadline - Date.now();
    if (over || left <= 0 || gone.aborted) return { kind: 'pending', run: current };
    await sleep(Math.min(pause, left));
    pause = Math.min(pause * 1.5, SLOWEST_LOOK_MS);
    // Read before the diagnosis: a run that is over has all its answers.
    current = (await runs.get(run.id)) ?? current;
  }
}
