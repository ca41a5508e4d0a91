import { contentHash } from './canonical.js';
import { SUSPICION_CODES, type Layer, type Level, type SuspicionCode } from './suspicion-codes.js';
import { placeKey, type Place } from './place.js';

/** The very text that shows it: a rule, a route, a sysctl, an object field. */
export interface Evidence {
  readonly kind:
    | 'rule'
    | 'chain'
    | 'route'
    | 'policy-rule'
    | 'neighbour'
    | 'fdb'
    | 'link'
    | 'address'
    | 'sysctl'
    | 'socket'
    | 'object'
    | 'conntrack'
    | 'tc'
    | 'file';
  readonly at: Place;
  /** Where it stands: `filter/FORWARD/3`, `main/10.0.0.0/8`, `net.ipv4.ip_forward`, `Service/default/web:spec.ports`. */
  readonly locator: string;
  readonly text: string;
}

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
}

/** The one place where a Suspicion is made: level, message and fingerprint follow from the facts. */
export function suspect(facts: SuspicionFacts): Suspicion {
  const entry = SUSPICION_CODES[facts.code];
  const holes = { subject: subjectText(facts.subject), locator: facts.evidence[0]?.locator ?? '', ...facts.details };
  return {
    code: facts.code,
    level: facts.blocking ? 'fatal' : entry.level,
    layer: entry.layer,
    subject: facts.subject,
    message: fill(entry.message, holes),
    evidence: facts.evidence,
    blocking: facts.blocking,
    remedy: facts.remedy ?? fill(entry.remedy, holes),
    fingerprint: contentHash([
      facts.code,
      placeKey(facts.subject),
      facts.evidence.map(({ kind, locator, text }) => [kind, locator, text]),
    ]).slice(0, 32),
  };
}

function subjectText(place: Place): string {
  const name = place.namespace === undefined ? place.name : `${place.namespace}/${place.name}`;
  return place.interface === undefined ? `${place.kind} ${name}` : `${place.interface} of ${place.kind} ${name}`;
}

function fill(template: string, holes: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(holes[name] ?? '?'));
}
