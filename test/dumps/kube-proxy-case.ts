import { join } from 'node:path';
import type { NamespaceDump } from '#libs/model';
import { z } from 'zod';
import { readRecorded } from './recorded-file.js';

export const MODES = ['iptables-nft', 'iptables-legacy', 'nftables'] as const;
export type Mode = (typeof MODES)[number];

/** The node whose kube-proxy was recorded. */
export const NODE = 'kc-node1';

/** What the recording calls a file of ours. `ip-route-all.json` is divided into two. */
const NAMES: Readonly<Record<string, string>> = {
  'iptables-save.nft.txt': 'iptables-nft-save.txt',
  'iptables-save.legacy.txt': 'iptables-legacy-save.txt',
  'ip6tables-save.nft.txt': 'ip6tables-nft-save.txt',
  'nft-ruleset.json': 'nft.json',
  'ip-link.json': 'ip-link.json',
  'ip-addr.json': 'ip-addr.json',
  'ip-rule.json': 'ip-rule.json',
  'ip-neigh.json': 'ip-neigh.json',
  'bridge-fdb.json': 'bridge-fdb.json',
  'bridge-link.json': 'bridge-link.json',
  'ipset-save.txt': 'ipset-save.txt',
  'sysctl-net.txt': 'sysctl-net.txt',
};

const Routes = z.array(z.looseObject({ pref: z.string().optional() }));

/** The recorded node as a namespace dump: shared/cases/README says how the names map. */
export function readNodeDump(folder: string, mode: Mode): NamespaceDump {
  const at = join(folder, `node1-${mode}`);
  const files = new Map<string, string>();
  for (const [recorded, name] of Object.entries(NAMES)) {
    const text = readRecorded(join(at, recorded));
    if (text !== undefined) files.set(name, text);
  }
  const routes = Routes.parse(JSON.parse(readRecorded(join(at, 'ip-route-all.json')) ?? '[]'));
  // Only IPv6 routes have a router preference (RFC 4191).
  files.set('ip-route.json', JSON.stringify(routes.filter(({ pref }) => pref === undefined)));
  files.set('ip6-route.json', JSON.stringify(routes.filter(({ pref }) => pref !== undefined)));
  const sockets = readRecorded(join(at, 'ss.txt')) ?? '';
  files.set(
    'ss-listen.txt',
    sockets
      .split('\n')
      .filter((line) => /\b(LISTEN|UNCONN)\b/.test(line))
      .join('\n'),
  );
  return { kind: 'node', name: NODE, files };
}

const Service = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
  spec: z.looseObject({
    type: z.string(),
    clusterIP: z.string().optional(),
    externalIPs: z.array(z.string()).default([]),
    externalTrafficPolicy: z.string().optional(),
    internalTrafficPolicy: z.string().optional(),
    loadBalancerSourceRanges: z.array(z.string()).default([]),
    ports: z
      .array(
        z.looseObject({
          name: z.string().optional(),
          port: z.number(),
          protocol: z.enum(['TCP', 'UDP', 'SCTP']),
          nodePort: z.number().optional(),
        }),
      )
      .default([]),
  }),
  status: z.looseObject({
    loadBalancer: z.looseObject({
      ingress: z.array(z.looseObject({ ip: z.string(), ipMode: z.string().default('VIP') })).default([]),
    }),
  }),
});
export type Service = z.output<typeof Service>;

const Slice = z.looseObject({
  metadata: z.looseObject({ namespace: z.string(), labels: z.record(z.string(), z.string()) }),
  ports: z.array(z.looseObject({ name: z.string().optional(), port: z.number().optional() })).nullable(),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: z.looseObject({ ready: z.boolean().default(true) }),
        nodeName: z.string().optional(),
      }),
    )
    .nullable(),
});
export type Slice = z.output<typeof Slice>;

export interface ClusterObjects {
  readonly services: readonly Service[];
  readonly slices: ReadonlyMap<string, readonly Slice[]>;
}

/** Read apart from libs/cluster: this is the other side of the comparison. */
export function readClusterObjects(folder: string): ClusterObjects {
  const items = (name: string): unknown[] =>
    z.looseObject({ items: z.array(z.unknown()) }).parse(JSON.parse(readRecorded(join(folder, 'api', name)) ?? 'null'))
      .items;
  const slices = new Map<string, Slice[]>();
  for (const item of items('endpointslices.json')) {
    const slice = Slice.parse(item);
    const key = `${slice.metadata.namespace}/${slice.metadata.labels['kubernetes.io/service-name'] ?? ''}`;
    slices.set(key, [...(slices.get(key) ?? []), slice]);
  }
  return { services: items('services.json').map((item) => Service.parse(item)), slices };
}
