/** Who wrote the language that a policy is written in; each has its own order, defaults and enforcers. */
export type PolicyFamily = 'kubernetes' | 'admin' | 'calico';

export type Direction = 'ingress' | 'egress';

/** A policy object, by name. */
export interface PolicyRef {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** `NetworkPolicy/prod/db` or `AdminNetworkPolicy/isolate`: the head of a locator. */
export function formatPolicyRef({ kind, namespace, name }: PolicyRef): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}
