import { localRouteProblem, routeTo, type RoutePromise, type Way } from '#libs/cni/checks';
import { cidrContains, type Ip } from '#libs/model';
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
  const ways = waysTo(ns, own?.backend ?? config.backend, { config, gateway, net: destination.net, isV4 });
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

function waysTo(ns: NetNamespace, backend: FlannelNode['backend'], target: Target): RoutePromise['ways'] | undefined {
  const { config, gateway, net, isV4 } = target;
  const hop = gateway === undefined ? undefined : hopTo(ns, gateway);
  const direct: Way = gateway === undefined ? { gateway: 'any' } : { gateway, dev: hop?.dev };
  switch (backend) {
    case 'host-gw':
      return [direct];
    case 'vxlan': {
      const tunnel: Way = { gateway: net, dev: vtepName(config, isV4 ? 4 : 6), onlink: true };
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

function hopTo(ns: NetNamespace, ip: Ip): { readonly dev?: string; readonly gateway?: Ip } | undefined {
  const found = routeTo(ns, ip);
  return found?.kind === 'route' && found.route.type !== 'local' ? found.hop : undefined;
}

/** To the pods of the node itself: through the bridge, or (Canal) by a route for each pod. */
export function ownRouteFinding(
  ns: NetNamespace,
  own: FlannelNode,
  { bridge }: FlannelConfig,
  dst: Ip,
): Finding | undefined {
  const cidr = typeof dst === 'number' ? own.cidr4 : own.cidr6;
  if (cidr === undefined || !cidrContains(cidr, dst)) return undefined;
  if (bridge !== undefined)
    return localRouteProblem(ns, { destination: cidr, accepts: (dev) => dev === bridge, device: bridge }, dst);
  const host = { net: dst, length: typeof dst === 'number' ? 32 : 128 };
  return localRouteProblem(ns, { destination: host, accepts: isCali, device: 'the cali interface of the pod' }, dst);
}

function isCali(dev: string): boolean {
  return dev.startsWith('cali');
}
