import { canonicalJson } from './canonical.js';
import type { Diagnosis } from './diagnosis.js';
import { placeKey, type Place } from './place.js';
import type { Step } from './step.js';
import type { Suspicion } from './suspicion.js';
import type { Hop, Trace } from './trace.js';
import type { Symptom, Verdict } from './verdict.js';

/** What changed from one diagnosis to another: hop by hop, step by step, suspicions added and gone. */
export interface DiagnosisDiff {
  readonly same: boolean;
  readonly verdict: { readonly before: Verdict; readonly after: Verdict; readonly changed: boolean };
  readonly symptom: { readonly before: Symptom; readonly after: Symptom; readonly changed: boolean };
  readonly suspicions: {
    readonly added: readonly Suspicion[];
    readonly gone: readonly Suspicion[];
    readonly kept: readonly Suspicion[];
  };
  readonly forward: readonly HopDiff[];
  readonly reply: readonly HopDiff[];
}

export interface HopDiff {
  readonly change: 'same' | 'changed' | 'added' | 'gone';
  readonly at: Place;
  /** Only for changed hops: the steps, in order. */
  readonly steps?: readonly StepDiff[];
}

export interface StepDiff {
  readonly change: 'same' | 'added' | 'gone';
  readonly step: Step;
}

/** `diffDiagnoses(a, a).same` is always true. The most probable trace of each direction is compared. */
export function diffDiagnoses(before: Diagnosis, after: Diagnosis): DiagnosisDiff {
  const suspicions = diffSuspicions(before.suspicions, after.suspicions);
  const forward = diffHops(mainTrace(before.forward), mainTrace(after.forward));
  const reply = diffHops(mainTrace(before.reply), mainTrace(after.reply));
  const verdict = { before: before.verdict, after: after.verdict, changed: before.verdict !== after.verdict };
  const symptom = { before: before.symptom, after: after.symptom, changed: before.symptom !== after.symptom };
  const hopsSame = [...forward, ...reply].every((hop) => hop.change === 'same');
  const same =
    hopsSame &&
    !verdict.changed &&
    !symptom.changed &&
    suspicions.added.length === 0 &&
    suspicions.gone.length === 0 &&
    canonicalJson(before.branches) === canonicalJson(after.branches);
  return { same, verdict, symptom, suspicions, forward, reply };
}

function diffSuspicions(before: readonly Suspicion[], after: readonly Suspicion[]) {
  const old = new Set(before.map((suspicion) => suspicion.fingerprint));
  const now = new Set(after.map((suspicion) => suspicion.fingerprint));
  return {
    added: after.filter((suspicion) => !old.has(suspicion.fingerprint)),
    gone: before.filter((suspicion) => !now.has(suspicion.fingerprint)),
    kept: after.filter((suspicion) => old.has(suspicion.fingerprint)),
  };
}

function mainTrace(traces: readonly Trace[]): readonly Hop[] {
  let best: Trace | undefined;
  for (const trace of traces) if (best === undefined || trace.probability > best.probability) best = trace;
  return best?.hops ?? [];
}

function diffHops(before: readonly Hop[], after: readonly Hop[]): HopDiff[] {
  const aligned = align(before, after, (hop) => placeKey({ ...hop.at, interface: undefined }));
  return aligned.map(([old, now]): HopDiff => {
    if (old === undefined) return { change: 'added', at: requireOne(now).at };
    if (now === undefined) return { change: 'gone', at: old.at };
    const steps = align(old.steps, now.steps, canonicalJson).map(([a, b]): StepDiff =>
      a === undefined
        ? { change: 'added', step: requireOne(b) }
        : { change: b === undefined ? 'gone' : 'same', step: a },
    );
    const same = old.hypothetical === now.hypothetical && steps.every((step) => step.change === 'same');
    return same ? { change: 'same', at: now.at } : { change: 'changed', at: now.at, steps };
  });
}

function requireOne<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('align() paired nothing with nothing');
  return value;
}

/** Longest common subsequence by key, as pairs; one side is undefined where the other has no partner. */
function align<T>(a: readonly T[], b: readonly T[], key: (item: T) => string): [T | undefined, T | undefined][] {
  const ka = a.map(key);
  const kb = b.map(key);
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        ka[i] === kb[j]
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
  const out: [T | undefined, T | undefined][] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && ka[i] === kb[j]) out.push([a[i++], b[j++]]);
    else if (
      j >= b.length ||
      (i < a.length && (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    )
      out.push([a[i++], undefined]);
    else out.push([undefined, b[j++]]);
  }
  return out;
}
