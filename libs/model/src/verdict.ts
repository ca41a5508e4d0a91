/** The one-word answer of a diagnosis. */
export const VERDICTS = ['reachable', 'unreachable', 'partial', 'undetermined'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What the client would see; see docs/reference/results.md. */
export const SYMPTOMS = ['connected', 'refused', 'unreachable', 'timeout', 'unknown'] as const;
export type Symptom = (typeof SYMPTOMS)[number];

/** Why a trace ended. */
export const DISPOSITIONS = [
  'accepted',
  'no-listener',
  'rejected',
  'denied',
  'no-route',
  'null-routed',
  'prohibited',
  'neighbor-unreachable',
  'interface-down',
  'martian',
  'not-forwarded',
  'loop',
  'exits-cluster',
  'infra-denied',
  'dropped',
  'insufficient-info',
] as const;
export type Disposition = (typeof DISPOSITIONS)[number];

export type Protocol = 'tcp' | 'udp';
