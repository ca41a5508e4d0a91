import type { ClusterIndex } from '#libs/cluster';
import { parseCidr, type Cidr } from '#libs/model';
import { z } from 'zod';

type TunnelMode = 'Always' | 'CrossSubnet' | 'Never';

/** An IPPool: how packets to its addresses travel (docs.tigera.io/calico, reference/resources/ippool). */
export interface Pool {
  readonly name: string;
  readonly cidr: Cidr;
  readonly ipip: TunnelMode;
  readonly vxlan: TunnelMode;
  readonly natOutgoing: boolean;
}

const Spec = <T extends z.ZodType>(spec: T) => z.looseObject({ spec });
const Mode = z.enum(['Always', 'CrossSubnet', 'Never']);

const PoolSpec = Spec(
  z.looseObject({
    cidr: z.string(),
    ipipMode: z.string().nullish(),
    vxlanMode: z.string().nullish(),
    natOutgoing: z.boolean().nullish(),
    disabled: z.boolean().nullish(),
  }),
);

/** Pools of both APIs (crd.projectcalico.org and projectcalico.org): the same objects, so the name tells them apart. */
export function readPools(cluster: ClusterIndex): readonly Pool[] {
  const pools = new Map<string, Pool>();
  for (const object of cluster.all('IPPool')) {
    const parsed = PoolSpec.safeParse(object);
    const cidr = parsed.success ? parseCidr(parsed.data.spec.cidr) : undefined;
    if (!parsed.success || cidr === undefined) continue;
    const { ipipMode, vxlanMode, natOutgoing } = parsed.data.spec;
    // A disabled pool gives out no new addresses; those that it gave out are routed and translated as before.
    pools.set(object.metadata.name, {
      name: object.metadata.name,
      cidr,
      ipip: tunnelMode(ipipMode),
      vxlan: tunnelMode(vxlanMode),
      natOutgoing: natOutgoing ?? false,
    });
  }
  return [...pools.values()];
}

/** The v1 API wrote modes in lower case. */
export function tunnelMode(text: string | null | undefined): TunnelMode {
  const parsed = Mode.safeParse(text);
  if (parsed.success) return parsed.data;
  const lower = text?.toLowerCase();
  return lower === 'always' ? 'Always' : lower === 'cross-subnet' || lower === 'crosssubnet' ? 'CrossSubnet' : 'Never';
}

/** A block of addresses and the node that gives them out. */
export interface Block {
  readonly cidr: Cidr;
  readonly node: string;
  /** `BlockAffinity/<name>`. */
  readonly source: string;
}

const AffinitySpec = Spec(
  z.looseObject({
    cidr: z.string(),
    node: z.string(),
    state: z.string().nullish(),
    type: z.string().nullish(),
    deleted: z.union([z.string(), z.boolean()]).nullish(),
  }),
);

/** Affinities that hold: confirmed, to a host, and not on the way out. */
export function readAffinities(cluster: ClusterIndex): readonly Block[] {
  return cluster.all('BlockAffinity').flatMap((object): Block[] => {
    const parsed = AffinitySpec.safeParse(object);
    if (!parsed.success) return [];
    const { cidr: text, node, state, type, deleted } = parsed.data.spec;
    const cidr = parseCidr(text);
    if (cidr === undefined || String(deleted) === 'true' || (state ?? 'confirmed') !== 'confirmed') return [];
    return (type ?? 'host') === 'host' ? [{ cidr, node, source: `BlockAffinity/${object.metadata.name}` }] : [];
  });
}

const BlockSpec = Spec(
  z.looseObject({ cidr: z.string(), affinity: z.string().nullish(), deleted: z.boolean().nullish() }),
);

export function readBlocks(cluster: ClusterIndex): readonly Block[] {
  return cluster.all('IPAMBlock').flatMap((object): Block[] => {
    const parsed = BlockSpec.safeParse(object);
    if (!parsed.success || parsed.data.spec.deleted === true) return [];
    const { cidr: text, affinity } = parsed.data.spec;
    const cidr = parseCidr(text);
    const node = affinity?.startsWith('host:') === true ? affinity.slice('host:'.length) : undefined;
    return cidr === undefined || node === undefined
      ? []
      : [{ cidr, node, source: `IPAMBlock/${object.metadata.name}` }];
  });
}

/** What Felix is told (reference/resources/felixconfig); the defaults are its own. */
export interface Felix {
  /** Names of workload interfaces begin with one of these. */
  readonly interfacePrefixes: readonly string[];
  readonly vxlanPort: number;
  readonly vxlanVni: number;
  readonly bpf: boolean;
  readonly wireguard: boolean;
}

const FelixSpec = Spec(
  z.looseObject({
    interfacePrefix: z.string().nullish(),
    vxlanPort: z.number().nullish(),
    vxlanVNI: z.number().nullish(),
    bpfEnabled: z.boolean().nullish(),
    wireguardEnabled: z.boolean().nullish(),
  }),
);

/** Environment variables of calico-node win over the resource (Felix's order of sources). */
export function readFelix(cluster: ClusterIndex, env: ReadonlyMap<string, string>): Felix {
  const found = cluster.all('FelixConfiguration').find(({ metadata }) => metadata.name === 'default');
  const parsed = FelixSpec.safeParse(found);
  const spec = parsed.success ? parsed.data.spec : {};
  const number = (name: string, value: number | null | undefined): number | undefined => {
    const text = env.get(name);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : (value ?? undefined);
  };
  const flag = (name: string, value: boolean | null | undefined): boolean =>
    env.get(name) === undefined ? (value ?? false) : env.get(name)?.toLowerCase() === 'true';
  const prefixes = env.get('FELIX_INTERFACEPREFIX') ?? spec.interfacePrefix ?? 'cali';
  return {
    interfacePrefixes: prefixes.split(',').filter((prefix) => prefix !== ''),
    vxlanPort: number('FELIX_VXLANPORT', spec.vxlanPort) ?? 4789,
    vxlanVni: number('FELIX_VXLANVNI', spec.vxlanVNI) ?? 4096,
    bpf: flag('FELIX_BPFENABLED', spec.bpfEnabled),
    wireguard: flag('FELIX_WIREGUARDENABLED', spec.wireguardEnabled),
  };
}

const BgpSpec = Spec(z.looseObject({ nodeToNodeMeshEnabled: z.boolean().nullish() }));

/** Without the mesh, route reflectors or the racks' switches decide what the next hops are. */
export function hasMesh(cluster: ClusterIndex): boolean {
  const found = cluster.all('BGPConfiguration').find(({ metadata }) => metadata.name === 'default');
  const parsed = BgpSpec.safeParse(found);
  return parsed.success ? (parsed.data.spec.nodeToNodeMeshEnabled ?? true) : true;
}
