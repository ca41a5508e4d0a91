import { portFinding } from '#libs/kube-proxy';
import { formatIp, formatSocket, type Evidence } from '#libs/model';
import { TCP, type NetNamespace, type Skb } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
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
  if (cluster.isServiceAddress(skb.dst)) return untranslated(world, from, skb, evidence);
  return {
    code: 'CLOUD_NO_ROUTE',
    subject: { kind: 'network', name: 'underlay' },
    evidence: [evidence],
    details: { destination: formatIp(skb.dst), table: 'it' },
  };
}

/** A packet to a service address that no rule translated: there is no such service or port, or kube-proxy has not done its work. */
function untranslated(world: World, from: NetNamespace | undefined, skb: Skb, route: Evidence): Finding {
  const protocol = skb.protocol === TCP ? 'TCP' : 'UDP';
  const destination = formatSocket(skb.dst, skb.dport);
  const entry = world.proxy.find(skb.dst, skb.dport, protocol);
  const why = entry === undefined ? portFinding(world.cluster, skb.dst, skb.dport, protocol) : undefined;
  if (why !== undefined) return { ...why, evidence: [...why.evidence, route] };
  const node = from?.place.name ?? 'the node';
  const text = `${destination} was not translated on ${node}; it took: ${route.text}`;
  const evidence: Evidence[] = [{ ...route, text }];
  if (entry === undefined)
    return {
      code: 'SERVICE_NOT_FOUND',
      subject: { kind: 'service', name: formatIp(skb.dst) },
      evidence,
      details: { destination: formatIp(skb.dst) },
    };
  const { namespace, name } = entry.service;
  return {
    code: 'PROXY_RULES_MISSING',
    subject: { kind: 'service', namespace, name },
    evidence,
    details: { node, destination },
  };
}
