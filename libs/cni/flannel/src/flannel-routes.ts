import type { ClusterIndex } from '#libs/cluster';
import {
  directWay,
  hostCidr,
  hostEndOf,
  localRouteProblem,
  objectEvidence,
  routeTo,
  someAddress,
  type RoutePromise,
  type Way,
} from '#libs/cni/checks';
import { cidrContains, formatCidr, type Cidr, type Evidence, type Ip } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { FlannelConfig, FlannelNode } from './flannel-config.js';

/** `flannel.1` for IPv4, `flannel-v6.1` for IPv6. */
export function vtepName({ vni }: FlannelConfig, family: 4 | 6): string {
  return family === 4 ? `flannel.${vni}` : `flannel-v6.${vni}`;
}

/** The route to the pods of another node; undefined where flannel promises none, or it cannot be told. */
export function remotePromise(
  ns: NetNamespace,
  own: FlannelNode | undefined,
  other: FlannelNode,
  config: FlannelConfig,
  dst: Ip,
): RoutePromise | undefined {
  const isV4 = typeof dst === 'number';
  const destination = isV4 ? other.cidr4 : other.cidr6;
  if (destination === undefined || !cidrContains(destination, dst) || (!isV4 && !config.ipv6)) return undefined;
  const gateway = isV4 ? other.publicIp4 : other.publicIp6;
  const ways = waysTo(ns, own, { config, gateway, net: destination.net, isV4 });
  return ways === undefined ? undefined : { destination, owner: other.name, ways };
}

interface Target {
  readonly config: FlannelConfig;
  /** The other node; undefined: its address is not known. */
  readonly gateway: Ip | undefined;
  /** Address of its VXLAN device. */
  readonly net: Ip;
  readonly isV4: boolean;
}

function waysTo(ns: NetNamespace, own: FlannelNode | undefined, target: Target): RoutePromise['ways'] | undefined {
  const { config, gateway, net, isV4 } = target;
  const backend = own?.backend ?? config.backend;
  const hop = gateway === undefined ? undefined : hopTo(ns, gateway);
  const direct: Way =
    gateway === undefined ? { gateway: 'any' } : directWay(ns, gateway, own === undefined ? [] : uplinkAddresses(own));
  switch (backend) {
    case 'host-gw':
      return [direct];
    case 'vxlan': {
      const dev = vtepName(config, isV4 ? 4 : 6);
      const tunnel: Way = {
        gateway: net,
        dev,
        onlink: true,
        kind: 'vxlan',
        source: isV4 ? vtepAddress(own) : undefined,
      };
      return config.directRouting && hop?.gateway === undefined && hop !== undefined
        ? [direct, tunnel]
        : [tunnel, direct];
    }
    case 'wireguard':
      return [{ dev: isV4 ? 'flannel-wg' : 'flannel-wg-v6' }, { dev: 'flannel-wg' }];
    case 'ipip':
      return [{ gateway: gateway ?? 'any', dev: 'flannel.ipip', onlink: true }, direct];
    case 'alloc':
    case 'other':
      return undefined;
  }
}

/** The address by which the node by itself sends into the tunnel. */
export function vtepAddress(own: FlannelNode | undefined): Way['source'] {
  if (own?.cidr4 === undefined) return undefined;
  return { ip: own.cidr4.net, length: 32, evidence: podCidrEvidence(own.name, own.cidr4) };
}

function podCidrEvidence(node: string, cidr: Cidr): Evidence {
  return objectEvidence({ kind: 'node', name: node }, `Node/${node}:spec.podCIDR`, formatCidr(cidr));
}

/** The address by which other nodes send here, then those of the Node object. */
export function uplinkAddresses({ publicIp4, behindNat, object }: FlannelNode): readonly Ip[] {
  return publicIp4 === undefined || behindNat ? object.internalIps : [publicIp4, ...object.internalIps];
}

/** `isDefaultGateway` of the bridge plugin: the first address of the node's network, with its length. */
export function bridgeAddress(own: FlannelNode): Way['source'] {
  const { cidr4 } = own;
  const ip = cidr4 === undefined ? undefined : someAddress({ ...cidr4, length: Math.max(cidr4.length, 31) });
  return cidr4 === undefined || ip === undefined
    ? undefined
    : { ip, length: cidr4.length, evidence: podCidrEvidence(own.name, cidr4) };
}

function hopTo(ns: NetNamespace, ip: Ip): { readonly dev?: string; readonly gateway?: Ip } | undefined {
  const found = routeTo(ns, ip);
  return found?.kind === 'route' && found.route.type !== 'local' ? found.hop : undefined;
}

/** To the pods of the node itself: through the bridge, or (Canal) by a route for each pod. */
export function ownRouteFinding(
  ns: NetNamespace,
  { cluster, config }: { readonly cluster: ClusterIndex; readonly config: FlannelConfig },
  own: FlannelNode,
  dst: Ip,
): Finding | undefined {
  const cidr = typeof dst === 'number' ? own.cidr4 : own.cidr6;
  if (cidr === undefined || !cidrContains(cidr, dst)) return undefined;
  const { bridge } = config;
  if (bridge !== undefined)
    return localRouteProblem(
      ns,
      { destination: cidr, accepts: (dev) => dev === bridge, device: bridge, source: bridgeAddress(own) },
      dst,
    );
  const end = hostEndOf(cluster, ns, dst);
  const accepts = (dev: string): boolean => (end === undefined ? dev.startsWith('cali') : dev === end);
  const device = end ?? 'the cali interface of the pod';
  return localRouteProblem(ns, { destination: hostCidr(dst), accepts, device }, dst);
}
