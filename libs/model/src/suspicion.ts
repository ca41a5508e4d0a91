import { contentHash } from './canonical.js';
import type { Evidence } from './evidence.js';
import { SUSPICION_CODES, type CodeEntry, type Layer, type Level, type SuspicionCode } from './suspicion-codes.js';
import { placeKey, type Place } from './place.js';
import { fillText, holesOf, placeRemedy } from './suspicion-text.js';

/** Something that looks wrong, with what shows it and what to change. */
export interface Suspicion {
  readonly code: SuspicionCode;
  readonly level: Level;
  readonly layer: Layer;
  readonly subject: Place;
  /** For people; never parse it. */
  readonly message: string;
  readonly evidence: readonly Evidence[];
  /** True when the packet does not get past it. */
  readonly blocking: boolean;
  readonly remedy: string;
  /** The fingerprint of the suspicion that this one follows from: when that is dealt with, this may be gone. */
  readonly because?: string;
  /** Equal for the same finding in any run: hash of code, subject and evidence. */
  readonly fingerprint: string;
}

/** What was not or could not be looked at. Never means "fine". */
export interface Skipped {
  readonly code: string;
  readonly reason: string;
  readonly at?: Place;
}

export interface SuspicionFacts {
  readonly code: SuspicionCode;
  readonly subject: Place;
  readonly evidence: readonly Evidence[];
  readonly blocking: boolean;
  /** Fills the `{name}` holes of the code's message and remedy. */
  readonly details?: Readonly<Record<string, string | number>>;
  /** Overrides the code's remedy where the facts allow a better one. */
  readonly remedy?: string;
  readonly because?: string;
}

/** The one place where a Suspicion is made: level, message and fingerprint follow from the facts. */
export function suspect(facts: SuspicionFacts): Suspicion {
  const entry = SUSPICION_CODES[facts.code];
  const holes = holesOf(facts);
  return {
    code: facts.code,
    level: facts.blocking ? 'fatal' : entry.level,
    layer: entry.layer,
    subject: facts.subject,
    message: fillText(entry.message, holes),
    evidence: facts.evidence,
    blocking: facts.blocking,
    remedy:
      facts.remedy === undefined
        ? fillText(remedyOf(entry, facts.subject), holes)
        : placeRemedy(facts.remedy, facts.subject),
    ...(facts.because === undefined ? {} : { because: facts.because }),
    fingerprint: contentHash([
      facts.code,
      placeKey(facts.subject),
      facts.evidence.map(({ kind, locator, text }) => [kind, locator, text]),
    ]).slice(0, 32),
  };
}

function remedyOf({ remedy, remedyForPod }: CodeEntry, { kind }: Place): string {
  return kind === 'pod' ? (remedyForPod ?? remedy) : remedy;
}
