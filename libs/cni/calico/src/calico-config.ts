import type { ClusterIndex, NodeObject } from '#libs/cluster';
import { agentSettings, PrefixMap } from '#libs/cni/checks';
import { maskIp, parseCidr, parseIp, type Cidr, type Ip } from '#libs/model';
import {
  hasMesh,
  readAffinities,
  readBlocks,
  readFelix,
  readPools,
  tunnelMode,
  type Block,
  type Felix,
  type Pool,
} from './calico-resources.js';

/** What Calico knows of one node, as calico-node has written it into the annotations. */
export interface CalicoNode {
  readonly name: string;
  /** The addresses by which the other nodes know it: the annotation's first. */
  readonly addresses: readonly Ip[];
  /** The node's segment, where the annotation says how long its prefix is. */
  readonly subnet4: Cidr | undefined;
  readonly ipipTunnel: Ip | undefined;
  readonly vxlanTunnel4: Ip | undefined;
  readonly vxlanTunnel6: Ip | undefined;
  readonly vxlanMac: string | undefined;
  /** calico-node has set it up. */
  readonly annotated: boolean;
}

export interface CalicoConfig {
  readonly pools: PrefixMap<Pool>;
  readonly allPools: readonly Pool[];
  readonly blocks: PrefixMap<Block>;
  readonly allBlocks: readonly Block[];
  readonly blocksByNode: ReadonlyMap<string, readonly Block[]>;
  /** What IPAMBlocks say where affinities say something else. */
  readonly disagreeing: readonly { readonly affinity: Block; readonly block: Block }[];
  readonly felix: Felix;
  readonly mesh: boolean;
  readonly nodes: ReadonlyMap<string, CalicoNode>;
}

export const isCalicoDaemon = (name: string): boolean => name === 'calico-node' || name.startsWith('calico-node-');

export function calicoConfig(cluster: ClusterIndex): CalicoConfig {
  const env = agentSettings(cluster, isCalicoDaemon)?.env ?? new Map<string, string>();
  const listed = readPools(cluster);
  const allPools = listed.length > 0 ? listed : poolOfEnvironment(env);
  const affinities = readAffinities(cluster);
  const ipamBlocks = readBlocks(cluster);
  const allBlocks = affinities.length > 0 ? affinities : ipamBlocks.length > 0 ? ipamBlocks : hostLocal(cluster);
  const blocks = new PrefixMap(allBlocks.map((block) => [block.cidr, block] as const));
  return {
    pools: new PrefixMap(allPools.map((pool) => [pool.cidr, pool] as const)),
    allPools,
    blocks,
    allBlocks,
    blocksByNode: groupByNode(allBlocks),
    disagreeing: ipamBlocks.flatMap((block) => {
      const found = blocks.lookup(block.cidr.net);
      const same = found === undefined || found.cidr.length !== block.cidr.length || found.value.node === block.node;
      return same ? [] : [{ affinity: found.value, block }];
    }),
    felix: readFelix(cluster, env),
    mesh: hasMesh(cluster),
    nodes: new Map([...cluster.nodes.values()].map((node) => [node.name, calicoNode(node)])),
  };
}

function groupByNode(blocks: readonly Block[]): Map<string, Block[]> {
  const byNode = new Map<string, Block[]>();
  for (const block of blocks) {
    const same = byNode.get(block.node);
    if (same === undefined) byNode.set(block.node, [block]);
    else same.push(block);
  }
  return byNode;
}

/** The pool that calico-node makes at its first start, where pools were not collected. */
function poolOfEnvironment(env: ReadonlyMap<string, string>): readonly Pool[] {
  const cidr = parseCidr(env.get('CALICO_IPV4POOL_CIDR') ?? '');
  if (cidr === undefined) return [];
  return [
    {
      name: 'default-ipv4-ippool',
      cidr,
      ipip: tunnelMode(env.get('CALICO_IPV4POOL_IPIP')),
      vxlan: tunnelMode(env.get('CALICO_IPV4POOL_VXLAN')),
      natOutgoing: env.get('CALICO_IPV4POOL_NAT_OUTGOING') !== 'false',
    },
  ];
}

/** `host-local` in place of calico-ipam: nodes give out addresses of their podCIDR. */
function hostLocal(cluster: ClusterIndex): readonly Block[] {
  const text = cluster.configMap('kube-system', 'calico-config')?.cni_network_config ?? '';
  if (!/"type"\s*:\s*"host-local"/.test(text)) return [];
  return [...cluster.nodes.values()].flatMap(({ name, podCidrs }) =>
    podCidrs.map((cidr) => ({ cidr, node: name, source: `Node/${name}:spec.podCIDRs` })),
  );
}

function calicoNode({ name, annotations, internalIps }: NodeObject): CalicoNode {
  const read = (key: string): string | undefined => annotations[`projectcalico.org/${key}`];
  const own = read('IPv4Address');
  const address = own === undefined ? undefined : parseIp(own.split('/')[0] ?? '');
  const length = Number(own?.split('/')[1] ?? 32);
  const address6 = parseIp(read('IPv6Address')?.split('/')[0] ?? '');
  const known = [address, address6].filter((ip) => ip !== undefined);
  return {
    name,
    addresses: [...known, ...internalIps.filter((ip) => !known.includes(ip))],
    subnet4: address === undefined || length >= 32 ? undefined : { net: maskIp(address, length), length },
    ipipTunnel: parseIp(read('IPv4IPIPTunnelAddr') ?? ''),
    vxlanTunnel4: parseIp(read('IPv4VXLANTunnelAddr') ?? ''),
    vxlanTunnel6: parseIp(read('IPv6VXLANTunnelAddr') ?? ''),
    vxlanMac: read('VXLANTunnelMACAddr'),
    annotated: own !== undefined || read('IPv6Address') !== undefined,
  };
}

/** The node's address of the family. */
export function addressFor(node: CalicoNode, family: 4 | 6): Ip | undefined {
  return node.addresses.find((ip) => (typeof ip === 'number') === (family === 4));
}
