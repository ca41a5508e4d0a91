import type { Diagnosis } from '../../diagnosis.js';
import type { Suspicion } from '../../suspicion.js';
import type { Hop, Trace } from '../../trace.js';
import { isSame } from './branches.js';

/** Which hops are stopped by which findings. */
export type Marks = ReadonlyMap<Hop, readonly Suspicion[]>;

/**
 * An obstacle stands where a step shows its evidence, on the request if it is there. One that no step shows (a kernel setting)
 * stands where its subject is, on the direction that fails.
 */
export function markHops({ blocking, forward, reply }: Diagnosis): Marks {
  const marks = new Map<Hop, Suspicion[]>();
  for (const suspicion of blocking)
    for (const hop of hopsOf(suspicion, forward, reply)) {
      const known = marks.get(hop);
      if (known === undefined) marks.set(hop, [suspicion]);
      else known.push(suspicion);
    }
  return marks;
}

function hopsOf(suspicion: Suspicion, forward: readonly Trace[], reply: readonly Trace[]): readonly Hop[] {
  const directions = forward.some(fails) ? [forward, reply] : [reply, forward];
  for (const traces of directions) {
    const hops = traces.flatMap(({ hops: all }) => all.filter((hop) => shows(hop, suspicion)).slice(0, 1));
    if (hops.length > 0) return hops;
  }
  for (const traces of directions) {
    const hops = traces.flatMap(({ hops: all }) => lastVisit(all, suspicion));
    if (hops.length > 0) return hops;
  }
  return [];
}

function fails({ disposition }: Trace): boolean {
  return disposition !== 'accepted' && disposition !== 'exits-cluster';
}

function shows({ at, steps }: Hop, { evidence }: Suspicion): boolean {
  return steps.some(
    ({ evidence: shown }) =>
      shown !== undefined &&
      evidence.some((one) => isSame(one.at, at) && one.locator === shown.locator && one.text === shown.text),
  );
}

/** Where the packet really was last, else where it would have come first. */
function lastVisit(hops: readonly Hop[], { subject }: Suspicion): readonly Hop[] {
  const visits = hops.filter(({ at }) => isSame(at, subject));
  const hop = visits.findLast(({ hypothetical }) => hypothetical !== true) ?? visits[0];
  return hop === undefined ? [] : [hop];
}
