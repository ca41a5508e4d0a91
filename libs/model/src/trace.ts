import type { Place } from './place.js';
import type { Step } from './step.js';
import type { Disposition } from './verdict.js';

/** One visit of the packet to one network namespace (or to the network between nodes). */
export interface Hop {
  readonly at: Place;
  readonly steps: readonly Step[];
  /** True past the first obstacle: the packet never came here, it would have. */
  readonly hypothetical?: true;
}

/** One branch that the packet can take. Probabilities of the forward traces add up to 1. */
export interface Trace {
  readonly probability: number;
  readonly disposition: Disposition;
  readonly hops: readonly Hop[];
  /** Facts that were missing and guessed on this branch; a verdict that depends on them is `undetermined`. */
  readonly assumptions?: readonly string[];
}
