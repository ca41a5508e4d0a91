import { formatPolicyRef, type PolicyRef } from './policy-ref.js';

/** A policy, or a part of one, that is not evaluated, and why. What it would say is then not known. */
export interface PolicyProblem {
  readonly code: 'POLICY_MALFORMED' | 'POLICY_KIND_UNSUPPORTED' | 'TIER_MISSING';
  readonly policy: PolicyRef;
  /** Whose verdicts it may change: the pods of this namespace, or of all when undefined. */
  readonly namespace?: string;
  readonly message: string;
}

export function describeProblem({ policy, message }: PolicyProblem): string {
  return `${formatPolicyRef(policy)}: ${message}`;
}
