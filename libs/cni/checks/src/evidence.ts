import { formatCidr, formatIp, placeKey, type Cidr, type Evidence, type Ip, type Place } from '#libs/model';
import type { Link, NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';

export function onInterface(ns: NetNamespace, name: string): Place {
  return { ...ns.place, interface: name };
}

/** The first line of `ip link show`, with the MAC address. */
export function linkEvidence(ns: NetNamespace, link: Link): Evidence {
  const master = link.master === undefined ? '' : ` master ${link.master}`;
  return {
    kind: 'link',
    at: ns.place,
    locator: `link/${link.name}`,
    text: `${link.index}: ${link.name}: <${[...link.flags].join(',')}> mtu ${link.mtu}${master} ${link.mac}`,
  };
}

export function missingLinkEvidence(ns: NetNamespace, name: string, kind: string): Evidence {
  return {
    kind: 'link',
    at: ns.place,
    locator: `link/${name}`,
    text: `missing: ${name}${kind === '' ? '' : ` (${kind})`}`,
  };
}

/** What `ip -d link show` says of a VXLAN device. */
export function vxlanEvidence(ns: NetNamespace, link: Link): Evidence {
  const { id, local, port } = link.info;
  const from = local === undefined ? '' : ` local ${show(local)}`;
  const on = link.lower === undefined ? '' : ` dev ${link.lower}`;
  return {
    kind: 'link',
    at: ns.place,
    locator: `link/${link.name}`,
    text: `${link.name}: vxlan id ${show(id)}${from}${on} dstport ${show(port)}`,
  };
}

function show(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?';
}

/** The addresses of an interface, as they are. */
export function addressEvidence(ns: NetNamespace, link: Link): Evidence {
  const texts = link.addresses.map(({ text }) => text);
  return {
    kind: 'address',
    at: ns.place,
    locator: `address/${link.name}`,
    text: `${link.name}: ${texts.length === 0 ? 'no address' : texts.join(', ')}`,
  };
}

export function sysctlEvidence(ns: NetNamespace, key: string): Evidence {
  return { kind: 'sysctl', at: ns.place, locator: key, text: `${key} = ${ns.sysctl(key) ?? 'not collected'}` };
}

/** A field of a Kubernetes object: what the plugin or the user wants. */
export function objectEvidence(at: Place, locator: string, text: string): Evidence {
  return { kind: 'object', at, locator, text };
}

export function hostCidr(ip: Ip): Cidr {
  return { net: ip, length: typeof ip === 'number' ? 32 : 128 };
}

/** As `ip route` prints a destination: a host without its length. */
export function showDestination(cidr: Cidr): string {
  return cidr.length === (typeof cidr.net === 'number' ? 32 : 128) ? formatIp(cidr.net) : formatCidr(cidr);
}

/** The same cause may be met on the way to every other node: it is said once, the first time. */
export function uniqueFindings(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map<string, Finding>();
  for (const finding of findings) {
    const texts = finding.evidence.map(({ locator, text }) => `${locator} ${text}`);
    const key = [finding.code, placeKey(finding.subject), ...texts].join('\n');
    if (!seen.has(key)) seen.set(key, finding);
  }
  return [...seen.values()];
}
