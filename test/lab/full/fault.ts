import type { NamespacePlan } from '../cluster/plan.js';
import type { ClusterSpec } from '../cluster/spec.js';

/** What a fault is applied to: a built cluster in which everything listens. */
export interface BuiltCluster {
  readonly cluster: ClusterSpec;
  readonly plan: readonly NamespacePlan[];
}

export interface Fault {
  readonly name: string;
  readonly layer: string;
  readonly description: string;
  readonly apply: (built: BuiltCluster) => Promise<void>;
}
