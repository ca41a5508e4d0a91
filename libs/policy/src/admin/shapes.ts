import type { KubernetesObject } from '#libs/model';
import { z } from 'zod';
import { LabelSelector } from '../label-selector.js';

const PodsOfNamespaces = z.object({ namespaceSelector: LabelSelector.nullish(), podSelector: LabelSelector.nullish() });

const Subject = z
  .object({ namespaces: LabelSelector.nullish(), pods: PodsOfNamespaces.nullish() })
  .refine(({ namespaces, pods }) => (namespaces ?? undefined) !== undefined || (pods ?? undefined) !== undefined, {
    message: 'needs namespaces or pods',
  });

/** Exactly one field is set. None that is known means a newer API: the rule then fails closed (adminnetworkpolicy_types.go). */
const Peer = z.looseObject({
  namespaces: LabelSelector.nullish(),
  pods: PodsOfNamespaces.nullish(),
  nodes: LabelSelector.nullish(),
  networks: z.array(z.string()).nullish(),
  domainNames: z.array(z.string()).nullish(),
});
export type AdminPeer = z.infer<typeof Peer>;

const Protocol = z.enum(['TCP', 'UDP', 'SCTP']).nullish();
const PortNumber = z.number().int().min(1).max(65535);
const AdminPort = z.looseObject({
  portNumber: z.object({ protocol: Protocol, port: PortNumber }).nullish(),
  portRange: z.object({ protocol: Protocol, start: PortNumber, end: PortNumber }).nullish(),
  namedPort: z.string().nullish(),
});
export type AdminPort = z.infer<typeof AdminPort>;

const Destination = z
  .object({
    destinationPort: z
      .object({ number: PortNumber.nullish(), range: z.object({ start: PortNumber, end: PortNumber }).nullish() })
      .nullish(),
  })
  .nullish();
const ClusterProtocol = z.looseObject({
  tcp: Destination,
  udp: Destination,
  sctp: Destination,
  destinationNamedPort: z.string().nullish(),
});
export type ClusterProtocol = z.infer<typeof ClusterProtocol>;

const Action = z.enum(['Allow', 'Accept', 'Deny', 'Pass']);
const Limits = { ports: z.array(AdminPort).nullish(), protocols: z.array(ClusterProtocol).nullish() };
const Spec = z.object({
  subject: Subject,
  ingress: z.array(z.object({ action: Action, from: z.array(Peer).min(1), ...Limits })).nullish(),
  egress: z.array(z.object({ action: Action, to: z.array(Peer).min(1), ...Limits })).nullish(),
});
const Metadata = z.looseObject({ name: z.string() });
const Priority = z.number().int();

/**
 * policy.networking.k8s.io v1alpha1 (AdminNetworkPolicy, BaselineAdminNetworkPolicy) and v1alpha2 or later
 * (ClusterNetworkPolicy, which took the place of both): one shape, they differ in how ports are written and where the tier stands.
 */
export const AdminPolicy = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('AdminNetworkPolicy'),
    metadata: Metadata,
    spec: Spec.extend({ priority: Priority }),
  }),
  z.looseObject({ kind: z.literal('BaselineAdminNetworkPolicy'), metadata: Metadata, spec: Spec }),
  z.looseObject({
    kind: z.literal('ClusterNetworkPolicy'),
    metadata: Metadata,
    spec: Spec.extend({ priority: Priority, tier: z.enum(['Admin', 'Baseline']) }),
  }),
]);
export type AdminPolicy = z.infer<typeof AdminPolicy>;

export function isAdminPolicy({ kind, apiVersion }: KubernetesObject): boolean {
  return (
    apiVersion.startsWith('policy.networking.k8s.io/') &&
    (kind === 'AdminNetworkPolicy' || kind === 'BaselineAdminNetworkPolicy' || kind === 'ClusterNetworkPolicy')
  );
}
