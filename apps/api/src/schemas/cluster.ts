import { z } from 'zod';
import { listOf } from './list.js';

/** What may be a name: safe in a path of a URL and in a label of a metric. */
export const CLUSTER_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
export const ClusterName = z
  .string()
  .regex(CLUSTER_NAME, 'must be 1-63 letters, digits, "-", "_" or ".", and begin and end with a letter or digit');

const Cidr = z.union([z.cidrv4(), z.cidrv6()], 'must be a prefix such as 10.244.0.0/16');

const Overrides = z
  .strictObject({
    networkPlugin: z.string().min(1).max(64).optional().meta({ description: 'The CNI plugin, in place of detection.' }),
    proxyMode: z.string().min(1).max(64).optional().meta({ description: 'How services are done, e.g. iptables.' }),
    clusterCidr: z.array(Cidr).max(64).optional().meta({ description: 'The pod networks.' }),
  })
  .meta({ id: 'ClusterOverrides', description: 'What you say about the cluster in place of what would be detected.' });

const Labels = z
  .record(z.string().min(1).max(128), z.string().max(256))
  .refine((labels) => Object.keys(labels).length <= 64, 'at most 64 labels');

const AccessInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('snapshot') }),
  z.strictObject({ kind: z.literal('inCluster') }),
  z.strictObject({ kind: z.literal('kubeconfig'), kubeconfig: z.string().min(1).meta({ writeOnly: true }) }),
]);

const CHANGEABLE = {
  provider: z.string().min(1).max(64).meta({ description: 'A name of GET /v1/providers.' }),
  access: AccessInput.meta({
    description: 'How the cluster is looked at. Uploaded snapshots need {"kind": "snapshot"}.',
  }),
  settings: z.record(z.string(), z.unknown()).meta({ description: "The provider's settings; see its settingsSchema." }),
  overrides: Overrides,
  labels: Labels,
};

export const ClusterInput = z
  .strictObject({
    name: ClusterName,
    provider: CHANGEABLE.provider.default('generic'),
    access: CHANGEABLE.access.default({ kind: 'snapshot' }),
    settings: CHANGEABLE.settings.default({}),
    overrides: CHANGEABLE.overrides.default({}),
    labels: CHANGEABLE.labels.default({}),
  })
  .meta({ id: 'ClusterInput' });

export const ClusterChange = z
  .strictObject(CHANGEABLE)
  .partial()
  .meta({ id: 'ClusterChange', description: 'Members that are given are replaced as a whole.' });

export const Cluster = z
  .object({
    name: z.string(),
    provider: z.string(),
    access: z.object({ kind: z.enum(['snapshot', 'inCluster', 'kubeconfig']) }),
    settings: z.record(z.string(), z.unknown()).meta({ description: 'Secrets are shown as [redacted].' }),
    overrides: z.record(z.string(), z.unknown()),
    labels: z.record(z.string(), z.string()),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Cluster' });
export type Cluster = z.output<typeof Cluster>;
export const ClusterList = listOf(Cluster, 'ClusterList');

const Provider = z
  .object({
    name: z.string(),
    title: z.string(),
    settingsSchema: z.record(z.string(), z.unknown()).meta({ description: 'JSON schema of `settings` of a cluster.' }),
    seenAt: z.string().meta({ description: 'When a worker that hosts it last started.' }),
  })
  .meta({ id: 'Provider' });
export const ProviderList = listOf(Provider, 'ProviderList');
