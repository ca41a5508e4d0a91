import type { ClusterIndex } from '#libs/cluster';
import {
  addressFinding,
  arpFinding,
  bridgeNetfilterFinding,
  containsCidr,
  deviceFinding,
  deviceMtuFindings,
  forwardingFindings,
  masqueradeMissing,
  masqueradeUnexpected,
  mtuFinding,
  linkEvidence,
  objectEvidence,
  prefixOf,
  routeMtuFinding,
  routeProblem,
  someAddress,
  uplinkFindings,
  uplinkOf,
  VtepTable,
  vxlanFindings,
  vxlanLink,
  wideAddressFinding,
  type Uplink,
  type VxlanPromise,
} from '#libs/cni/checks';
import { cidrContains, formatCidr, formatIp, type Evidence, type Ip } from '#libs/model';
import type { Link, NetNamespace } from '#libs/netstack';
import type { Finding, NodeNamespaces } from '#libs/provider-kit';
import { annotation, type FlannelConfig, type FlannelNode } from './flannel-config.js';
import { bridgeAddress, remotePromise, uplinkAddresses, vtepAddress, vtepName } from './flannel-routes.js';

export interface FlannelFacts {
  readonly cluster: ClusterIndex;
  readonly config: FlannelConfig;
  /** Nodes that flannel has set up, by name. */
  readonly nodes: ReadonlyMap<string, FlannelNode>;
}

/** What flanneld and its CNI plugin have to have made on a node. */
export function inspectFlannelNode(
  ns: NetNamespace,
  own: FlannelNode,
  facts: FlannelFacts,
  namespaces: NodeNamespaces,
): Finding[] {
  const uplink = uplinkOf(ns, uplinkAddresses(own));
  const peers = [...facts.nodes.values()].filter(({ name }) => name !== own.name);
  return [
    ...uplinkFindings(ns, namespaces, {
      addresses: uplinkAddresses(own),
      networks: [...facts.config.networks, ...facts.cluster.podCidrs, ...facts.cluster.serviceCidrs],
      others: new Map(peers.map((peer) => [peer.name, uplinkAddresses(peer)])),
    }),
    ...ifaceFindings(ns, facts.config, uplink),
    ...bridgeFindings(ns, own, facts, uplink),
    ...tunnelFindings(ns, own, facts.config, uplink),
    ...peers.flatMap((peer) => peerRouteFindings(ns, own, peer, facts.config)),
    ...vtepFindings(ns, own, peers, facts.config),
    ...forwardingFindings(ns, devicesOf(own, facts.config, uplink)),
    ...masqueradeFindings(ns, own, peers, facts.config, uplink),
  ];
}

/** `--iface` names a device that is there. */
function ifaceFindings(ns: NetNamespace, { iface }: FlannelConfig, uplink: Uplink | undefined): Finding[] {
  if (iface === undefined || uplink?.link.name === iface) return [];
  const found = deviceFinding(ns, { name: iface, missing: 'IFACE_MISSING' });
  return found === undefined ? [] : [found];
}

function devicesOf(own: FlannelNode, config: FlannelConfig, uplink: Uplink | undefined): string[] {
  return [uplink?.link.name, config.bridge, own.backend === 'vxlan' ? vtepName(config, 4) : undefined].filter(
    (name) => name !== undefined,
  );
}

/** The CNI plugin makes the bridge for the first pod of a node: without pods there need not be one. */
function bridgeFindings(
  ns: NetNamespace,
  own: FlannelNode,
  { cluster, config }: FlannelFacts,
  uplink: Uplink | undefined,
): Finding[] {
  const { bridge } = config;
  if (bridge === undefined || ns.links === undefined) return [];
  const link = ns.link(bridge);
  if (link === undefined && !hasPods(cluster, own.name)) return [];
  const wrong = deviceFinding(ns, { name: bridge, kind: 'bridge', missing: 'IFACE_MISSING' });
  if (link?.kind !== 'bridge') return wrong === undefined ? [] : [wrong];
  return [
    wrong,
    arpFinding(ns, link),
    bridgeNetfilterFinding(ns, bridge),
    ...bridgeAddressFindings(ns, link, own),
    ...bridgeMtuFindings(ns, link, own, config, uplink),
  ].filter((found) => found !== undefined);
}

function hasPods(cluster: ClusterIndex, node: string): boolean {
  for (const pod of cluster.pods.values())
    if (pod.node === node && !pod.hostNetwork && pod.phase === 'Running' && !pod.terminating) return true;
  return false;
}

function bridgeAddressFindings(ns: NetNamespace, link: Link, own: FlannelNode): Finding[] {
  const { cidr4 } = own;
  const wanted = bridgeAddress(own);
  if (cidr4 === undefined || wanted === undefined) return [];
  const inside = link.addresses.filter(({ ip }) => cidrContains(cidr4, ip));
  if (inside.length === 0) {
    const found = addressFinding(ns, link, wanted, wanted.evidence);
    return found === undefined ? [] : [found];
  }
  return inside
    .filter((address) => containsCidr(prefixOf(address), cidr4))
    .map((address) =>
      wideAddressFinding(ns, link, {
        address,
        longer: cidr4.length,
        swallowed: `more than ${formatCidr(cidr4)}, the network of this node`,
      }),
    );
}

function bridgeMtuFindings(
  ns: NetNamespace,
  link: Link,
  own: FlannelNode,
  config: FlannelConfig,
  uplink: Uplink | undefined,
): readonly Finding[] {
  const vtep = own.backend === 'vxlan' ? vxlanLink(ns, vtepName(config, 4)) : undefined;
  if (vtep !== undefined)
    return link.mtu <= vtep.mtu ? [] : [mtuFinding(ns, link, 'MTU_OVERLAY_TOO_BIG', vtep.mtu, linkEvidence(ns, vtep))];
  const plain = own.backend === 'host-gw' || own.backend === 'alloc';
  return uplink === undefined || !plain ? [] : deviceMtuFindings(ns, uplink.link, link, 0);
}

function tunnelFindings(
  ns: NetNamespace,
  own: FlannelNode,
  config: FlannelConfig,
  uplink: Uplink | undefined,
): Finding[] {
  if (own.backend !== 'vxlan' || own.cidr4 === undefined) return [];
  const node = { kind: 'node', name: own.name };
  const written = (name: string, text: string): Evidence =>
    objectEvidence(node, `Node/${own.name}:metadata.annotations[${annotation(name)}]`, text);
  const { publicIp4, vtepMac, backendData } = own;
  const promise: VxlanPromise = {
    name: vtepName(config, 4),
    vni: config.vni,
    port: config.port,
    family: 4,
    address: vtepAddress(own),
    evidence: objectEvidence(
      { kind: 'cluster', name: 'flannel' },
      'ConfigMap/kube-flannel-cfg:data.net-conf.json',
      `Backend vxlan, VNI ${config.vni}, Port ${config.port}`,
    ),
    ...(publicIp4 === undefined || own.behindNat || !own.annotated
      ? {}
      : { local: { ip: publicIp4, evidence: written('public-ip', formatIp(publicIp4)) } }),
    ...(vtepMac === undefined || backendData === undefined
      ? {}
      : { mac: { mac: vtepMac, evidence: written('backend-data', backendData) } }),
  };
  return vxlanFindings(ns, promise, uplink);
}

function peerRouteFindings(ns: NetNamespace, own: FlannelNode, peer: FlannelNode, config: FlannelConfig): Finding[] {
  const dst = peer.cidr4 === undefined ? undefined : someAddress(peer.cidr4);
  const promise = dst === undefined ? undefined : remotePromise(ns, own, peer, config, dst);
  if (dst === undefined || promise === undefined) return [];
  const found = routeProblem(ns, promise, dst) ?? routeMtuFinding(ns, promise, dst);
  return found === undefined ? [] : [found];
}

/** VXLAN peers: with DirectRouting those of the own segment have none. */
function vtepFindings(
  ns: NetNamespace,
  own: FlannelNode,
  peers: readonly FlannelNode[],
  config: FlannelConfig,
): Finding[] {
  const link = own.backend === 'vxlan' ? vxlanLink(ns, vtepName(config, 4)) : undefined;
  // A device that is down or has lost its address has lost its neighbours with it.
  if (link === undefined || !link.flags.has('UP') || !link.addresses.some(({ ip }) => ip === own.cidr4?.net)) return [];
  const table = new VtepTable(ns, link);
  return peers.flatMap(({ name, backend, cidr4, publicIp4, vtepMac }) => {
    if (backend !== 'vxlan' || cidr4 === undefined || publicIp4 === undefined) return [];
    if (config.directRouting && isOnSegment(ns, publicIp4)) return [];
    return table.peerFindings({ node: name, concerns: cidr4, tunnelIp: cidr4.net, mac: vtepMac, remote: publicIp4 });
  });
}

function isOnSegment(ns: NetNamespace, ip: Ip): boolean {
  for (const link of ns.links?.values() ?? [])
    for (const address of link.addresses)
      if (address.prefixLength < 32 && cidrContains(prefixOf(address), ip)) return true;
  return false;
}

function masqueradeFindings(
  ns: NetNamespace,
  own: FlannelNode,
  peers: readonly FlannelNode[],
  config: FlannelConfig,
  uplink: Uplink | undefined,
): Finding[] {
  if (own.cidr4 === undefined || uplink === undefined) return [];
  const { name } = uplink.link;
  const missing =
    config.ipMasq?.isOn === true
      ? masqueradeMissing(ns, own.cidr4, name, {
          why: objectEvidence({ kind: 'cluster', name: 'flannel' }, config.ipMasq.locator, config.ipMasq.text),
          remedy: 'Restart flanneld on the node: it writes the rules again.',
        })
      : undefined;
  const peer = peers.find(({ cidr4 }) => cidr4 !== undefined)?.cidr4;
  const oif = own.backend === 'vxlan' && ns.link(vtepName(config, 4)) !== undefined ? vtepName(config, 4) : name;
  const unexpected = peer === undefined ? undefined : masqueradeUnexpected(ns, own.cidr4, { cidr: peer, oif });
  return [missing, unexpected].filter((found) => found !== undefined);
}
