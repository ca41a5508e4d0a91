import type { Place } from '#libs/model';
import type { Direction, PolicyFamily, PolicyRef } from './policy-ref.js';
import type { RuleAction } from './rules.js';

export type PolicyDecision = 'allow' | 'deny' | 'unknown';

/** A policy that selects the pod, with what evidence shows of it. */
export interface SelectingPolicy {
  readonly ref: PolicyRef;
  readonly family: PolicyFamily;
  readonly spec: unknown;
}

/** The rule that decided. `path` leads to the peer that matched where there is one: `spec.ingress[0].from[1]`. */
export interface DecidingRule extends SelectingPolicy {
  readonly action: RuleAction;
  readonly path: string;
  /** The tier that the policy is in. */
  readonly tier: string;
}

/** Why it is so. */
export type PolicyReason =
  /** No policy of this direction selects the pod: everything is allowed. */
  | { readonly kind: 'not-selected' }
  /** Not a pod: outside addresses and hosts have no policy of this kind. */
  | { readonly kind: 'no-subject' }
  | { readonly kind: 'exempt'; readonly why: 'same-pod' | 'own-node' | 'failsafe-port' }
  | { readonly kind: 'rule'; readonly rule: DecidingRule }
  /** Policies select it and none of their rules matches. */
  | { readonly kind: 'default-deny'; readonly tier: string; readonly policies: readonly SelectingPolicy[] }
  /** Every tier passed the packet on and what stands at the end decides: a Calico profile, or nothing. */
  | { readonly kind: 'end'; readonly text: string }
  /** The decision hangs on something that is not known. */
  | { readonly kind: 'undecided'; readonly causes: readonly string[] };

/** What the policy objects say of one direction of a flow: an intent, not what any node does. */
export interface DirectionVerdict {
  readonly direction: Direction;
  readonly decision: PolicyDecision;
  readonly reason: PolicyReason;
  /** The pod (or host) whose policies were asked. */
  readonly subject?: Place;
  /** Every policy of this direction that selects the subject, in the order in which they are asked. */
  readonly selecting: readonly SelectingPolicy[];
}

export interface PolicyVerdict {
  readonly egress: DirectionVerdict;
  readonly ingress: DirectionVerdict;
  /** Policies of host endpoints that the packet passes on its way (Calico, applyOnForward); empty nearly always. */
  readonly hosts: readonly DirectionVerdict[];
  readonly decision: PolicyDecision;
}
