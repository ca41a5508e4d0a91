import type { Evidence } from './evidence.js';
import type { Packet } from './packet.js';

/** One thing that happened to the packet within a hop. `packet` is there whenever the step changed it. */
export interface Step {
  readonly kind: StepKind;
  /** One line for people: what happened, in the kernel's words. */
  readonly text: string;
  readonly interface?: string;
  /** The rule, route, neighbour or socket that decided. */
  readonly evidence?: Evidence;
  readonly before?: Packet;
  readonly after?: Packet;
  /** True past the first obstacle within a hop: it did not happen, it would have. */
  readonly hypothetical?: true;
}

export const STEP_KINDS = [
  'receive',
  'route',
  'neighbor',
  'filter',
  'translate',
  'policy',
  'service',
  'encapsulate',
  'decapsulate',
  'bridge',
  'transmit',
  'infra',
  'deliver',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];
