import type { KubernetesObject } from '#libs/model';
import { z } from 'zod';
import { LabelSelector } from '../label-selector.js';

const Port = z
  .object({
    protocol: z.enum(['TCP', 'UDP', 'SCTP']).nullish(),
    port: z.union([z.number().int().min(1).max(65535), z.string().min(1)]).nullish(),
    endPort: z.number().int().min(1).max(65535).nullish(),
  })
  .refine(
    ({ port, endPort }) => typeof endPort !== 'number' || (typeof port === 'number' && endPort >= port),
    'endPort needs a numeric port that is not greater',
  );

const Peer = z
  .object({
    podSelector: LabelSelector.nullish(),
    namespaceSelector: LabelSelector.nullish(),
    ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).nullish() }).nullish(),
  })
  .refine(
    ({ podSelector, namespaceSelector, ipBlock }) =>
      isSet(ipBlock) !== (isSet(podSelector) || isSet(namespaceSelector)),
    'needs selectors or an ipBlock, and not both',
  );

/** networking.k8s.io/v1 (k8s.io/api/networking/v1 types.go): the fields that decide about packets. */
export const NetworkPolicy = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
  // A policy without a spec would not be served; one without podSelector is served with an empty one.
  spec: z.object({
    podSelector: LabelSelector.nullish(),
    policyTypes: z.array(z.enum(['Ingress', 'Egress'])).nullish(),
    ingress: z.array(z.object({ from: z.array(Peer).nullish(), ports: z.array(Port).nullish() })).nullish(),
    egress: z.array(z.object({ to: z.array(Peer).nullish(), ports: z.array(Port).nullish() })).nullish(),
  }),
});
export type NetworkPolicy = z.infer<typeof NetworkPolicy>;
export type NetworkPolicyPeer = z.infer<typeof Peer>;
export type NetworkPolicyPort = z.infer<typeof Port>;

export function isNetworkPolicy({ kind, apiVersion }: KubernetesObject): boolean {
  // extensions/v1beta1 is gone since 1.16, its shape is the same.
  return kind === 'NetworkPolicy' && (apiVersion === 'networking.k8s.io/v1' || apiVersion === 'extensions/v1beta1');
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
