import { formatIp, type Evidence, type Ip, type Place } from '#libs/model';
import type { NamespaceRun } from '../outcome.js';
import { type Skb } from '../skb.js';
import { type RouteResult } from './lookup.js';

export function noRouteEvidence(run: NamespaceRun, skb: Skb): Evidence {
  const file = skb.family === 4 ? 'ip-route.json' : 'ip6-route.json';
  return { kind: 'file', at: run.ns.place, locator: file, text: `no route of ${file} contains ${formatIp(skb.dst)}` };
}

export function routeEvidence(at: Place, result: Extract<RouteResult, { kind: 'route' }>): Evidence {
  const { net, length } = result.route.dst;
  return { kind: 'route', at, locator: `${result.table}/${formatIp(net)}/${length}`, text: result.route.text };
}

export function sourceEvidence(at: Place, iif: string, src: Ip): Evidence {
  return {
    kind: 'address',
    at: { ...at, interface: iif },
    locator: `address/${formatIp(src)}`,
    text: `a packet from ${formatIp(src)} came in by ${iif}`,
  };
}
