import type { KubernetesObject } from '#libs/model';
import type { NamespacePlan } from './plan.js';
import type { ClusterSpec } from './spec.js';

/** How clusters of one kind are wired: a CNI plugin, a proxy mode, an underlay. A new kind is one of these. */
export interface Topology {
  readonly name: string;
  readonly plan: (cluster: ClusterSpec) => readonly NamespacePlan[];
  readonly objects: (cluster: ClusterSpec) => readonly KubernetesObject[];
  /** underlay.json: what the lab's router does, as an operator would describe it. */
  readonly underlay: unknown;
}
