import { formatIp, type Evidence, type Ip } from '#libs/model';
import type { Port } from './fabric.js';

/** An interface has an address and table local lacks its entry: the host neither takes packets to it nor answers for it. */
export function localRouteMissing(
  { ns, link }: Port,
  ip: Ip,
): {
  readonly code: 'LOCAL_ROUTE_MISSING';
  readonly evidence: readonly Evidence[];
  readonly details: Readonly<Record<string, string>>;
} {
  const address = formatIp(ip);
  const text = `missing: local ${address} dev ${link.name}`;
  return {
    code: 'LOCAL_ROUTE_MISSING',
    evidence: [{ kind: 'route', at: ns.place, locator: `local/${address}`, text }],
    details: { address, destination: address, interface: link.name },
  };
}
