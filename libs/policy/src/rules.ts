import type { Direction, PolicyFamily, PolicyRef } from './policy-ref.js';
import type { Match } from './match.js';
import type { PolicyFlow } from './flow.js';
import type { Selection } from './roster.js';

/** `log` goes on with the next rule; `pass` goes on with the next tier. */
export type RuleAction = 'allow' | 'deny' | 'pass' | 'log';

/** One element of a list of which one must match: a peer, a port, a prefix list. */
export interface Alternative {
  /** Below the rule: `.from[1]`; empty when the field does not say. */
  readonly path: string;
  readonly test: (flow: PolicyFlow) => Match;
  /** What is not known when the test says MAYBE. */
  readonly why?: string;
}

/** All conditions must hold; a condition holds when one of its alternatives does. */
export type Condition = readonly Alternative[];

export interface Rule {
  readonly action: RuleAction;
  /** `spec.ingress[0]`. */
  readonly path: string;
  readonly conditions: readonly Condition[];
}

/** Where a host endpoint's policies are asked: in the raw table, before DNAT, or in the filter table. Pods know only the last. */
export type HostStage = 'untracked' | 'pre-dnat' | 'normal';

/** A policy object of any family, compiled: which pods, which direction, and its rules in order. */
export interface Policy {
  readonly ref: PolicyRef;
  readonly family: PolicyFamily;
  readonly tier: string;
  /** Among the policies of its tier; lower comes first, then the name. */
  readonly order: number;
  readonly subject: Selection;
  /** A direction that is absent is none of the policy's business: it neither allows nor isolates. */
  readonly rules: Readonly<Partial<Record<Direction, readonly Rule[]>>>;
  /** Calico: the host endpoints that it selects, and at which point of their way packets meet it. */
  readonly hosts?: ReadonlySet<string>;
  readonly stage?: HostStage;
  readonly onForward?: boolean;
  /** The `spec` as it came, to be shown. */
  readonly spec: unknown;
}

/** Policies that are asked together, in order; the first rule that matches decides. */
export interface Tier {
  readonly name: string;
  readonly order: number;
  /** What happens to a packet of a selected pod that no rule of the tier matched. */
  readonly otherwise: 'deny' | 'pass';
  /** True when policies of equal order have no defined sequence, so that their disagreement decides nothing. */
  readonly tiesUndefined: boolean;
}
