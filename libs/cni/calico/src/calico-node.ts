import type { ClusterIndex } from '#libs/cluster';
import {
  addressFinding,
  behind,
  deviceFinding,
  deviceMtuFindings,
  forwardingFindings,
  masqueradeMissing,
  masqueradeUnexpected,
  linkEvidence,
  objectEvidence,
  onInterface,
  routeMtuFinding,
  someAddress,
  uplinkFindings,
  uplinkOf,
  VtepTable,
  vxlanFindings,
  vxlanLink,
  type Uplink,
} from '#libs/cni/checks';
import { cidrContains, formatCidr, formatIp, type Ip } from '#libs/model';
import type { Link, NetNamespace } from '#libs/netstack';
import type { Finding, NodeNamespaces } from '#libs/provider-kit';
import { addressFor, type CalicoConfig, type CalicoNode } from './calico-config.js';
import {
  annotationEvidence,
  blockEvidence,
  IPIP_DEVICE,
  ownerOf,
  remoteFinding,
  remotePromise,
  transport,
  tunnelSource,
  VXLAN_DEVICE,
} from './calico-routes.js';

/** RFC 2003: one more IPv4 header. */
const IPIP_OVERHEAD = 20;
const FORWARD_CHAIN = 'cali-FORWARD';
const VXLAN_PEERS = 'cali40all-vxlan-net';

export interface CalicoFacts {
  readonly cluster: ClusterIndex;
  readonly config: CalicoConfig;
  readonly namespaces: NodeNamespaces;
}

/** What calico-node (Felix, BIRD, the start-up container) has to have made on a node. */
export function inspectCalicoNode(ns: NetNamespace, own: CalicoNode, facts: CalicoFacts): Finding[] {
  const { cluster, config, namespaces } = facts;
  const uplink = uplinkOf(ns, own.addresses);
  const peers = [...config.nodes.values()].filter(({ name, annotated }) => annotated && name !== own.name);
  return [
    ...uplinkFindings(ns, namespaces, {
      addresses: own.addresses,
      networks: [...cluster.podCidrs, ...cluster.serviceCidrs],
      others: new Map(peers.map((peer) => [peer.name, peer.addresses])),
    }),
    ...vxlanDeviceFindings(ns, own, config, uplink),
    ...ipipDeviceFindings(ns, own, config, uplink),
    ...peers.flatMap((peer) => blockRouteFindings(ns, { own, peer }, facts)),
    ...vtepFindings(ns, { own, peers }, facts),
    changedMacFinding(ns, { own, peers }, namespaces),
    ...forwardingFindings(
      ns,
      [uplink?.link.name, own.vxlanTunnel4 && VXLAN_DEVICE[4], own.ipipTunnel && IPIP_DEVICE].filter(
        (name) => typeof name === 'string',
      ),
    ),
    ...(config.felix.bpf ? [] : felixFindings(ns, { own, peers, uplink }, config)),
    ...blockOwnerFindings(ns, own, config),
  ].filter((found) => found !== undefined);
}

/** Felix makes the device as soon as one pool may need it, and the node has a tunnel address. */
function vxlanDeviceFindings(
  ns: NetNamespace,
  own: CalicoNode,
  { felix, allPools }: CalicoConfig,
  uplink: Uplink | undefined,
): Finding[] {
  const { vxlanTunnel4 } = own;
  const wanted = allPools.some(({ vxlan, cidr }) => vxlan !== 'Never' && typeof cidr.net === 'number');
  // In eBPF mode the device is a flow based one, with nothing of its own to compare.
  if (!wanted || vxlanTunnel4 === undefined || felix.bpf) return [];
  const local = addressFor(own, 4);
  return vxlanFindings(
    ns,
    {
      name: VXLAN_DEVICE[4],
      vni: felix.vxlanVni,
      port: felix.vxlanPort,
      family: 4,
      address: tunnelSource(own, 'vxlan'),
      evidence: objectEvidence(
        { kind: 'cluster', name: 'calico' },
        'FelixConfiguration/default:spec',
        `vxlanVNI ${felix.vxlanVni}, vxlanPort ${felix.vxlanPort}`,
      ),
      ...(local === undefined
        ? {}
        : { local: { ip: local, evidence: annotationEvidence(own.name, 'IPv4Address', formatIp(local)) } }),
      ...(own.vxlanMac === undefined
        ? {}
        : { mac: { mac: own.vxlanMac, evidence: annotationEvidence(own.name, 'VXLANTunnelMACAddr', own.vxlanMac) } }),
    },
    uplink,
  );
}

function ipipDeviceFindings(
  ns: NetNamespace,
  own: CalicoNode,
  { allPools, felix }: CalicoConfig,
  uplink: Uplink | undefined,
): Finding[] {
  const { ipipTunnel } = own;
  const wanted = allPools.some(({ ipip, vxlan }) => ipip !== 'Never' && vxlan === 'Never');
  if (!wanted || ipipTunnel === undefined || felix.bpf) return [];
  const wrong = deviceFinding(ns, { name: IPIP_DEVICE, kind: 'ipip', missing: 'TUNNEL_DEVICE_MISSING' });
  const link = ns.link(IPIP_DEVICE);
  if (link?.kind !== 'ipip') return wrong === undefined ? [] : [wrong];
  const source = tunnelSource(own, 'ipip');
  return [
    wrong,
    source === undefined ? undefined : addressFinding(ns, link, source, source.evidence),
    ...(uplink === undefined ? [] : deviceMtuFindings(ns, uplink.link, link, IPIP_OVERHEAD)),
  ].filter((found) => found !== undefined);
}

interface Pair {
  readonly own: CalicoNode;
  readonly peer: CalicoNode;
}

/** Every block of every other node has a route. */
function blockRouteFindings(ns: NetNamespace, { own, peer }: Pair, { cluster, config }: CalicoFacts): Finding[] {
  return (config.blocksByNode.get(peer.name) ?? []).flatMap(({ cidr }) => {
    const dst: Ip | undefined = someAddress(cidr);
    if (dst === undefined || ownerOf(cluster, config, dst) !== peer.name) return [];
    const promise = remotePromise(ns, config, { own, other: peer }, dst);
    if (promise === undefined) return [];
    const found = remoteFinding(ns, config, promise, dst) ?? routeMtuFinding(ns, promise, dst);
    return found === undefined ? [] : [found];
  });
}

/** The VXLAN manager of Felix writes neighbour and forwarding entries for every node with a tunnel address. */
function vtepFindings(
  ns: NetNamespace,
  { own, peers }: { readonly own: CalicoNode; readonly peers: readonly CalicoNode[] },
  { config, namespaces }: CalicoFacts,
): Finding[] {
  const link = own.vxlanTunnel4 === undefined || config.felix.bpf ? undefined : vxlanLink(ns, VXLAN_DEVICE[4]);
  // A device that is down or has lost its address has lost its neighbours with it.
  if (link === undefined || !link.flags.has('UP') || !link.addresses.some(({ ip }) => ip === own.vxlanTunnel4))
    return [];
  const table = new VtepTable(ns, link);
  return peers.flatMap((peer) => {
    const remote = addressFor(peer, 4);
    const blocks = config.blocksByNode.get(peer.name) ?? [];
    if (peer.vxlanTunnel4 === undefined || remote === undefined || !usesVxlan(config, own, peer)) return [];
    const far = namespaces(peer.name)?.link(VXLAN_DEVICE[4]);
    return table.peerFindings({
      node: peer.name,
      concerns: behind(blocks.length === 1 ? blocks[0]?.cidr : undefined, peer.vxlanTunnel4),
      tunnelIp: peer.vxlanTunnel4,
      mac: peer.vxlanMac ?? macKnownTo({ ns, peer, peers }, far, namespaces),
      remote,
    });
  });
}

interface Knowing {
  readonly ns: NetNamespace;
  readonly peer: CalicoNode;
  readonly peers: readonly CalicoNode[];
}

/** The MAC of the far device; where all nodes know it by another one, the device has changed, and is to blame. */
function macKnownTo(
  { ns, peer, peers }: Knowing,
  far: Link | undefined,
  namespaces: NodeNamespaces,
): string | undefined {
  if (far?.kind !== 'vxlan') return undefined;
  const here = peer.vxlanTunnel4 && ns.neighbour(VXLAN_DEVICE[4], peer.vxlanTunnel4)?.mac;
  if (here === undefined || here === far.mac) return far.mac;
  const others = peers.filter(({ name }) => name !== peer.name);
  return agreedMac(peer, others, namespaces) === here ? here : far.mac;
}

/** By which MAC the nodes know a node's VXLAN device, if they agree; undefined where none is collected. */
function agreedMac(node: CalicoNode, others: readonly CalicoNode[], namespaces: NodeNamespaces): string | undefined {
  let agreed: string | undefined;
  for (const { name } of others) {
    const mac = node.vxlanTunnel4 && namespaces(name)?.neighbour(VXLAN_DEVICE[4], node.vxlanTunnel4)?.mac;
    if (mac === undefined) continue;
    if (agreed !== undefined && agreed !== mac) return undefined;
    agreed = mac;
  }
  return agreed;
}

/** Two nodes or more that know the own device by one other MAC: it has changed since they learned it. */
function changedMacFinding(
  ns: NetNamespace,
  { own, peers }: { readonly own: CalicoNode; readonly peers: readonly CalicoNode[] },
  namespaces: NodeNamespaces,
): Finding | undefined {
  const link = vxlanLink(ns, VXLAN_DEVICE[4]);
  if (link === undefined || own.vxlanTunnel4 === undefined || own.vxlanMac !== undefined) return undefined;
  const knowing = peers.filter(({ name }) => {
    const mac = own.vxlanTunnel4 && namespaces(name)?.neighbour(VXLAN_DEVICE[4], own.vxlanTunnel4)?.mac;
    return mac !== undefined && mac !== link.mac;
  });
  const mac = knowing.length < 2 ? undefined : agreedMac(own, peers, namespaces);
  if (mac === undefined) return undefined;
  const names = knowing.map(({ name }) => name);
  return {
    code: 'MAC_MISMATCH',
    subject: onInterface(ns, link.name),
    evidence: [
      linkEvidence(ns, link),
      {
        kind: 'neighbour',
        at: { kind: 'node', name: names[0] ?? '' },
        locator: `neigh/${link.name}/${formatIp(own.vxlanTunnel4)}`,
        text: `${formatIp(own.vxlanTunnel4)} lladdr ${mac} on ${names.slice(0, 3).join(', ')}`,
      },
    ],
    details: { mac, interface: link.name },
    remedy: `ip link set ${link.name} address ${mac}, or restart calico-node on all nodes.`,
  };
}

function usesVxlan({ allPools }: CalicoConfig, own: CalicoNode, peer: CalicoNode): boolean {
  return allPools.some((pool) => transport(pool, own, peer) === 'vxlan');
}

interface Around {
  readonly own: CalicoNode;
  readonly peers: readonly CalicoNode[];
  readonly uplink: Uplink | undefined;
}

/** Rules and sets of Felix that are there in every cluster. */
function felixFindings(ns: NetNamespace, around: Around, config: CalicoConfig): Finding[] {
  return [
    forwardChainFinding(ns),
    ...masqueradeFindings(ns, around, config),
    ...peerSetFindings(ns, around, config),
    ...poolSetFindings(ns, config),
  ].filter((found) => found !== undefined);
}

/** Either in iptables (whichever back end), or in a native table named calico. */
function forwardChainFinding(ns: NetNamespace): Finding | undefined {
  const rulesets = ns.iptables(4);
  if (ns.native === undefined || rulesets.some((ruleset) => ruleset === undefined)) return undefined;
  const inIptables = rulesets.some((ruleset) => ruleset?.tables.get('filter')?.chains.has(FORWARD_CHAIN) === true);
  if (inIptables || ns.native.some(({ name }) => name === 'calico')) return undefined;
  return {
    code: 'CHAIN_MISSING',
    subject: ns.place,
    evidence: [
      {
        kind: 'chain',
        at: ns.place,
        locator: `filter/${FORWARD_CHAIN}`,
        text: `missing: chain ${FORWARD_CHAIN} of table filter`,
      },
    ],
    details: { chain: FORWARD_CHAIN },
    remedy: 'Restart calico-node on the node: Felix writes its chains again.',
  };
}

function masqueradeFindings(ns: NetNamespace, { own, peers, uplink }: Around, config: CalicoConfig): Finding[] {
  if (uplink === undefined) return [];
  const other = peers.map(({ name }) => config.blocksByNode.get(name)?.[0]).find((block) => block !== undefined);
  return (config.blocksByNode.get(own.name) ?? []).flatMap(({ cidr }) => {
    const pool = config.pools.lookup(cidr.net)?.value;
    if (pool === undefined) return [];
    const why = objectEvidence(
      { kind: 'cluster', name: 'calico' },
      `IPPool/${pool.name}:spec.natOutgoing`,
      `natOutgoing of ${formatCidr(pool.cidr)} is on`,
    );
    const remedy = 'Restart calico-node on the node: Felix writes the rule again.';
    const missing = pool.natOutgoing ? masqueradeMissing(ns, cidr, uplink.link.name, { why, remedy }) : undefined;
    const unexpected =
      other === undefined ? undefined : masqueradeUnexpected(ns, cidr, { cidr: other.cidr, oif: uplink.link.name });
    return [missing, unexpected].filter((found) => found !== undefined);
  });
}

/** Felix takes VXLAN from these addresses only. */
function peerSetFindings(ns: NetNamespace, { own, peers }: Around, config: CalicoConfig): Finding[] {
  const set = ns.ipsets?.get(VXLAN_PEERS);
  if (set === undefined) return [];
  const wanted = peers.filter((peer) => peer.vxlanTunnel4 !== undefined && usesVxlan(config, own, peer));
  return wanted.flatMap((peer) => {
    const ip = addressFor(peer, 4);
    if (ip === undefined || holds(set, ip)) return [];
    const blocks = config.blocksByNode.get(peer.name) ?? [];
    return [
      staleSet(
        ns,
        VXLAN_PEERS,
        `${formatIp(ip)} of ${peer.name}`,
        behind(blocks.length === 1 ? blocks[0]?.cidr : undefined, ip),
      ),
    ];
  });
}

/** Which packets are masqueraded hangs on these sets. */
function poolSetFindings(ns: NetNamespace, { allPools }: CalicoConfig): Finding[] {
  const findings: Finding[] = [];
  for (const { cidr, natOutgoing } of allPools) {
    if (typeof cidr.net !== 'number') continue;
    for (const name of ['cali40all-ipam-pools', ...(natOutgoing ? ['cali40masq-ipam-pools'] : [])]) {
      const set = ns.ipsets?.get(name);
      if (set !== undefined && !holds(set, cidr.net)) findings.push(staleSet(ns, name, formatCidr(cidr)));
    }
  }
  return findings;
}

type IpSet = NonNullable<NetNamespace['ipsets']> extends ReadonlyMap<string, infer S> ? S : never;

function holds(set: IpSet, ip: Ip): boolean {
  return set.members.some(({ parts: [part] }) => part?.kind === 'net' && cidrContains(part.net, ip));
}

function staleSet(ns: NetNamespace, set: string, missing: string, concerns?: Finding['concerns']): Finding {
  return {
    code: 'IPSET_STALE',
    subject: ns.place,
    evidence: [{ kind: 'rule', at: ns.place, locator: `ipset/${set}`, text: `no member contains ${missing}` }],
    details: { set },
    remedy: 'Restart calico-node on the node: Felix fills its sets again.',
    ...(concerns === undefined ? {} : { concerns }),
  };
}

/** IPAMBlock and BlockAffinity name different nodes: one gives out the addresses, the other is routed to. */
function blockOwnerFindings(ns: NetNamespace, own: CalicoNode, { disagreeing }: CalicoConfig): Finding[] {
  return disagreeing
    .filter(({ affinity, block }) => affinity.node === own.name || block.node === own.name)
    .map(({ affinity, block }) => ({
      code: 'IPAM_BLOCK_MISMATCH',
      subject: ns.place,
      evidence: [blockEvidence(block), blockEvidence(affinity)],
      details: { destination: formatCidr(block.cidr), actual: block.node, expected: affinity.node },
      remedy: 'calicoctl ipam check',
      concerns: block.cidr,
    }));
}
