import { formatIp, type Evidence } from '#libs/model';
import type { NetNamespace, Skb } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { serviceFinding } from './service-intent.js';
import type { World } from './world.js';

/** Why a packet that went outside came to nothing: a route that should have kept it inside, a service that nobody serves, or no way at all. */
export function lostFinding(world: World, from: NetNamespace | undefined, skb: Skb, route: string): Finding {
  const { cluster, cni } = world;
  const place = from?.place ?? { kind: 'network', name: 'underlay' };
  if (from?.place.kind === 'node' && cluster.isPodAddress(skb.dst)) {
    const finding = cni.routeFinding(from, skb.dst);
    if (finding !== undefined) return finding;
  }
  const evidence: Evidence = { kind: 'route', at: place, locator: `route/${formatIp(skb.dst)}`, text: route };
  if (cluster.isServiceAddress(skb.dst)) return serviceFinding(world, from, skb, evidence);
  return {
    code: 'CLOUD_NO_ROUTE',
    subject: { kind: 'network', name: 'underlay' },
    evidence: [evidence],
    details: { destination: formatIp(skb.dst), table: 'it' },
  };
}
