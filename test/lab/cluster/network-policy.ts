import { createHash } from 'node:crypto';
import type { ClusterSpec, PodSpec, Protocol } from './spec.js';

type Labels = Readonly<Record<string, string>>;

/** Who may reach some pods, and whom they may reach. A direction that is not there is not restricted. */
export interface PolicySpec {
  /** A NetworkPolicy of Kubernetes, or Calico's GlobalNetworkPolicy. */
  readonly kind?: 'NetworkPolicy' | 'GlobalNetworkPolicy';
  /** Empty for a global one. */
  readonly namespace: string;
  readonly name: string;
  /** Empty: all pods of the namespace. */
  readonly podLabels: Labels;
  /** Of a global policy; those of Kubernetes stand at 1000 in Calico's default tier. */
  readonly order?: number;
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
}

/** Without peers: everybody. Without ports: every one. */
export interface PolicyRule {
  /** Of global policies. */
  readonly action?: 'Allow' | 'Deny';
  readonly peers?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

export type PolicyPeer =
  /** `namespace` absent: that of the policy; `*`: all. */
  | { readonly podLabels?: Labels; readonly namespace?: string }
  | { readonly cidr: string; readonly except?: readonly string[] };

export interface PolicyPort {
  readonly protocol: Protocol;
  /** A number, or the name of a container's port. */
  readonly port?: number | string;
  readonly endPort?: number;
}

export type Direction = 'ingress' | 'egress';

export function isGlobal({ kind }: PolicySpec): boolean {
  return kind === 'GlobalNetworkPolicy';
}

/** In the order in which Calico asks them: by `order`, then by name (felix/calc/policy_sorter.go). */
export function inOrder(policies: readonly PolicySpec[]): readonly PolicySpec[] {
  const order = (policy: PolicySpec): number => policy.order ?? 1000;
  return policies.toSorted((a, b) => order(a) - order(b) || (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** As Felix calls it: `prod/knp.default.db`, `default.all`. */
export function nameOf(policy: PolicySpec): string {
  return isGlobal(policy) ? `default.${policy.name}` : `${policy.namespace}/knp.default.${policy.name}`;
}

export function selects(policy: PolicySpec, pod: PodSpec): boolean {
  return (isGlobal(policy) || pod.namespace === policy.namespace) && hasLabels(pod, policy.podLabels);
}

/** The pods that a peer means; those on the host network have no address of their own. */
export function podsOfPeer(
  { podLabels = {}, namespace }: Extract<PolicyPeer, { podLabels?: Labels }>,
  policy: PolicySpec,
  { pods }: ClusterSpec,
): readonly PodSpec[] {
  const wanted = namespace ?? (isGlobal(policy) ? '*' : policy.namespace);
  return pods.filter(
    (pod) => pod.hostNetwork !== true && (wanted === '*' || pod.namespace === wanted) && hasLabels(pod, podLabels),
  );
}

function hasLabels(pod: PodSpec, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => pod.labels[key] === value);
}

export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
