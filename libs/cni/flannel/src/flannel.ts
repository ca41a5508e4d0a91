import type { ClusterIndex, NodeObject } from '#libs/cluster';
import { cidrContains, formatCidr, formatIp, parseIp, type Cidr, type Evidence, type Ip } from '#libs/model';
import { firstChoice, lookupRoute, type NetNamespace, type RouteResult } from '#libs/netstack';
import type { CniNetwork, CniPlugin, Detection, Finding, IntendedNextHop } from '#libs/provider-kit';
import { flannelConfig, type FlannelConfig } from './flannel-config.js';

/** flannel: every node owns one pod network, and each node knows the way to those of the others. */
export const flannel: CniPlugin = {
  name: 'flannel',
  detect,
  forCluster: (cluster) => new FlannelNetwork(cluster, flannelConfig(cluster)),
};

function detect(cluster: ClusterIndex): Detection {
  const reasons: string[] = [];
  for (const { metadata } of cluster.all('DaemonSet'))
    if (metadata.name.includes('flannel'))
      reasons.push(`DaemonSet ${metadata.namespace ?? 'default'}/${metadata.name}`);
  for (const { metadata } of cluster.all('ConfigMap'))
    if (metadata.name === 'kube-flannel-cfg')
      reasons.push(`ConfigMap ${metadata.namespace ?? 'default'}/${metadata.name}`);
  for (const node of cluster.nodes.values())
    if (node.annotations['flannel.alpha.coreos.com/public-ip'] !== undefined)
      reasons.push(`annotations of node ${node.name}`);
  return { detected: reasons.length > 0, reasons };
}

class FlannelNetwork implements CniNetwork {
  readonly plugin = 'flannel';
  readonly podRoutesInUnderlay: boolean;

  constructor(
    private readonly cluster: ClusterIndex,
    private readonly config: FlannelConfig,
  ) {
    this.podRoutesInUnderlay = config.backend === 'alloc';
  }

  routeFinding(node: NetNamespace, dst: Ip): Finding | undefined {
    const owner = this.cluster.nodeOfPodAddress(dst);
    const cidr = owner?.podCidrs.find((candidate) => cidrContains(candidate, dst));
    if (owner === undefined || cidr === undefined) return undefined;
    return owner.name === node.place.name ? this.ownRoute(node, cidr, dst) : this.remoteRoute(node, owner, cidr, dst);
  }

  intendedNextHop(node: string, dst: Ip): IntendedNextHop | undefined {
    const [pod] = this.cluster.podsAt(dst);
    const owner = pod?.node ?? this.cluster.nodeOfPodAddress(dst)?.name;
    if (owner !== undefined && owner !== node) return { kind: 'node', name: owner };
    return pod === undefined ? undefined : { kind: 'pod', namespace: pod.namespace, name: pod.name };
  }

  /** host-gw: via the other node; vxlan: out of the tunnel device, or via the node where DirectRouting applies. */
  private remoteRoute(ns: NetNamespace, other: NodeObject, cidr: Cidr, dst: Ip): Finding | undefined {
    if (this.config.backend === 'alloc') return undefined;
    const found = routeTo(ns, dst);
    if (found === undefined) return undefined;
    const gateway = publicIp(other);
    if (found.kind === 'route' && found.route.dst.length > 0 && this.isIntended(ns, found, gateway)) return undefined;
    const destination = formatCidr(cidr);
    const tunnel = this.config.backend === 'vxlan';
    const dev = tunnel ? `flannel.${this.config.vni}` : (deviceTo(ns, gateway) ?? 'the interface between the nodes');
    const via = tunnel ? formatIp(cidr.net) : gateway === undefined ? 'the other node' : formatIp(gateway);
    return {
      code: found.kind === 'route' && found.route.dst.length > 0 ? 'ROUTE_WRONG_GATEWAY' : 'POD_CIDR_ROUTE_MISSING',
      subject: ns.place,
      evidence: [
        {
          kind: 'route',
          at: ns.place,
          locator: `main/${destination}`,
          text: `missing: ${destination} via ${via} dev ${dev}${tunnel ? ' onlink' : ''}`,
        },
        ...usedRoute(ns, found),
      ],
      details: { destination, owner: other.name, gateway: via, interface: dev, expected: via, actual: actual(found) },
    };
  }

  private ownRoute(ns: NetNamespace, cidr: Cidr, dst: Ip): Finding | undefined {
    const found = routeTo(ns, dst);
    if (found === undefined || (found.kind === 'route' && found.route.dst.length >= cidr.length)) return undefined;
    const destination = formatCidr(cidr);
    return {
      code: 'POD_ROUTE_MISSING',
      subject: ns.place,
      evidence: [
        {
          kind: 'route',
          at: ns.place,
          locator: `main/${destination}`,
          text: `missing: ${destination} dev ${this.config.bridge}`,
        },
        ...usedRoute(ns, found),
      ],
      details: { destination },
    };
  }

  private isIntended(
    ns: NetNamespace,
    found: Extract<RouteResult, { kind: 'route' }>,
    gateway: Ip | undefined,
  ): boolean {
    if (gateway !== undefined && found.hop.gateway === gateway) return true;
    return this.config.backend === 'vxlan' && ns.link(found.hop.dev ?? '')?.kind === 'vxlan';
  }
}

/** undefined when the routes were not collected: nothing can be said then. */
function routeTo(ns: NetNamespace, dst: Ip): RouteResult | undefined {
  const routing = ns.routing(typeof dst === 'number' ? 4 : 6);
  if (routing === undefined) return undefined;
  return lookupRoute(routing, { dst, iif: 'lo', mark: 0, protocol: 6, sport: 0, dport: 0, tos: 0 }, firstChoice);
}

function usedRoute(ns: NetNamespace, found: RouteResult): Evidence[] {
  if (found.kind !== 'route') return [];
  const { net, length } = found.route.dst;
  return [
    { kind: 'route', at: ns.place, locator: `${found.table}/${formatIp(net)}/${length}`, text: found.route.text },
  ];
}

function actual(found: RouteResult): string {
  if (found.kind !== 'route') return 'nowhere';
  return found.hop.gateway === undefined ? (found.hop.dev ?? 'nowhere') : formatIp(found.hop.gateway);
}

function publicIp(node: NodeObject): Ip | undefined {
  return parseIp(node.annotations['flannel.alpha.coreos.com/public-ip'] ?? '') ?? node.internalIps[0];
}

function deviceTo(ns: NetNamespace, ip: Ip | undefined): string | undefined {
  const found = ip === undefined ? undefined : routeTo(ns, ip);
  return found?.kind === 'route' ? found.hop.dev : undefined;
}
