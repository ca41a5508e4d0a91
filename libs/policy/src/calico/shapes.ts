import type { KubernetesObject } from '#libs/model';
import { z } from 'zod';

const Text = z.string().nullish();
const Port = z.union([z.number().int().min(0).max(65535), z.string().min(1)]);
const Protocol = z.union([z.number().int().min(0).max(255), z.string().min(1)]).nullish();
const Icmp = z.object({ type: z.number().int().nullish(), code: z.number().int().nullish() }).nullish();
const Strings = z.array(z.string()).nullish();

const Entity = z
  .object({
    nets: Strings,
    notNets: Strings,
    selector: Text,
    notSelector: Text,
    namespaceSelector: Text,
    serviceAccounts: z.object({ names: Strings, selector: Text }).nullish(),
    services: z.object({ name: z.string(), namespace: Text }).nullish(),
    ports: z.array(Port).nullish(),
    notPorts: z.array(Port).nullish(),
    domains: Strings,
  })
  .nullish();
export type Entity = NonNullable<z.infer<typeof Entity>>;
export type CalicoPort = z.infer<typeof Port>;

export const CalicoRule = z.object({
  action: z.enum(['Allow', 'Deny', 'Pass', 'Log']),
  ipVersion: z.union([z.literal(4), z.literal(6)]).nullish(),
  protocol: Protocol,
  notProtocol: Protocol,
  icmp: Icmp,
  notICMP: Icmp,
  http: z.unknown().optional(),
  source: Entity,
  destination: Entity,
});
export type CalicoRule = z.infer<typeof CalicoRule>;

const Rules = z.array(CalicoRule).nullish();

/** NetworkPolicy and GlobalNetworkPolicy of projectcalico.org/v3 (or as the CRD behind it is stored). */
export const CalicoPolicy = z.looseObject({
  kind: z.enum(['NetworkPolicy', 'GlobalNetworkPolicy']),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
  spec: z.looseObject({
    tier: Text,
    order: z.number().nullish(),
    selector: Text,
    namespaceSelector: Text,
    serviceAccountSelector: Text,
    types: z.array(z.enum(['Ingress', 'Egress'])).nullish(),
    ingress: Rules,
    egress: Rules,
    doNotTrack: z.boolean().nullish(),
    preDNAT: z.boolean().nullish(),
    applyOnForward: z.boolean().nullish(),
  }),
});
export type CalicoPolicy = z.infer<typeof CalicoPolicy>;

export const Profile = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ ingress: Rules, egress: Rules }).nullish(),
});

export const CalicoTier = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ order: z.number().nullish(), defaultAction: z.enum(['Deny', 'Pass']).nullish() }).nullish(),
});

const Metadata = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

/** NetworkSet and GlobalNetworkSet: prefixes that selectors can select by labels. */
export const NetworkSet = z.looseObject({
  metadata: Metadata,
  spec: z.looseObject({ nets: Strings }).nullish(),
});

export const HostEndpoint = z.looseObject({
  metadata: Metadata,
  spec: z.looseObject({
    node: z.string(),
    interfaceName: Text,
    expectedIPs: Strings,
    profiles: Strings,
    ports: z.array(z.object({ name: z.string(), protocol: Protocol, port: z.number() })).nullish(),
  }),
});
export type HostEndpoint = z.infer<typeof HostEndpoint>;

/** Calico's own group or that of the CRDs which hold its objects. */
export function isCalico({ apiVersion }: KubernetesObject): boolean {
  return apiVersion.startsWith('projectcalico.org/') || apiVersion.startsWith('crd.projectcalico.org/');
}

const StoredMetadata = z.looseObject({ labels: z.record(z.string(), z.string()).nullish() });

/** The CRDs keep the labels that selectors see in an annotation (libcalico-go/lib/backend/k8s/resources). */
export function labelsOf({ labels, annotations }: z.infer<typeof Metadata>): ReadonlyMap<string, string> {
  const stored = annotations?.['projectcalico.org/metadata'];
  return new Map([...Object.entries(labels ?? {}), ...(stored === undefined ? [] : readStored(stored))]);
}

function readStored(text: string): readonly [string, string][] {
  try {
    const parsed = StoredMetadata.safeParse(JSON.parse(text));
    return parsed.success ? Object.entries(parsed.data.labels ?? {}) : [];
  } catch {
    // Felix too goes on with the plain labels when the annotation is not JSON.
    return [];
  }
}
