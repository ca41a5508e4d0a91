import { cidrContains, formatCidr, formatIp, maskIp, parseIp, type Cidr, type Evidence, type Ip } from '#libs/model';
import type { Address, Link, NetNamespace } from '#libs/netstack';
import type { Finding, NodeNamespaces } from '#libs/provider-kit';
import {
  addressFinding,
  arpFinding,
  containsCidr,
  duplicateFinding,
  linkStateFinding,
  mtuFinding,
  wideAddressFinding,
} from './devices.js';
import { addressEvidence, linkEvidence, objectEvidence, onInterface } from './evidence.js';
import { routeTo, type Way } from './route-check.js';

/** A node's way to the other nodes. */
export interface Uplink {
  readonly link: Link;
  readonly address: Address;
}

/** The interface that has one of the addresses, tried in this order. */
export function uplinkOf(ns: NetNamespace, addresses: readonly Ip[]): Uplink | undefined {
  for (const ip of addresses) {
    const link = ns.owns(ip);
    const address = link?.addresses.find((one) => one.ip === ip);
    // A node's own address on lo, an anycast or VIP set-up, says nothing of the way to the others.
    if (link !== undefined && address !== undefined && !link.flags.has('LOOPBACK')) return { link, address };
  }
  return undefined;
}

export interface UplinkPromise {
  /** Addresses by which the other nodes know this one. */
  readonly addresses: readonly Ip[];
  /** Networks that are not on the nodes' segment: those of pods and services. */
  readonly networks: readonly Cidr[];
  /** Addresses of the other nodes, by node. */
  readonly others: ReadonlyMap<string, readonly Ip[]>;
}

/** The node has its address, on a device that is up, and with a prefix that leaves pods and services where they are. */
export function uplinkFindings(ns: NetNamespace, nodes: NodeNamespaces, promise: UplinkPromise): Finding[] {
  if (ns.links === undefined) return [];
  const lo = ns.link('lo');
  const loopback = lo === undefined ? undefined : linkStateFinding(ns, lo);
  const uplink = uplinkOf(ns, promise.addresses);
  if (uplink === undefined)
    return [loopback, ...missingAddress(ns, nodes, promise)].filter((found) => found !== undefined);
  const { link } = uplink;
  const findings = [
    loopback,
    linkStateFinding(ns, link),
    arpFinding(ns, link),
    narrowAddress(ns, nodes, promise, uplink),
  ];
  return [
    ...findings.filter((found) => found !== undefined),
    ...wideAddresses(ns, nodes, promise, link),
    ...takenAddresses(ns, nodes, promise),
  ];
}

/** Addresses that another node has as well, by which the others know it. */
function takenAddresses(ns: NetNamespace, nodes: NodeNamespaces, { others, addresses: own }: UplinkPromise): Finding[] {
  const findings: Finding[] = [];
  for (const [name, addresses] of others)
    for (const ip of addresses) {
      const link = ns.owns(ip);
      if (link !== undefined && !own.includes(ip) && nodes(name)?.owns(ip) !== undefined)
        findings.push(duplicateFinding(ns, link, ip, `node ${name}`));
    }
  return findings;
}

/** A node that has its address alone, and not the segment that all others are on with it. */
function narrowAddress(
  ns: NetNamespace,
  nodes: NodeNamespaces,
  { others }: UplinkPromise,
  { link, address }: Uplink,
): Finding | undefined {
  if (typeof address.ip !== 'number' || address.prefixLength < 32) return undefined;
  if (link.addresses.some(({ ip, prefixLength }) => typeof ip === 'number' && prefixLength < 32)) return undefined;
  const wide = othersAround(nodes, others, address.ip);
  const [first] = wide;
  if (first === undefined || wide.some(({ prefixLength }) => prefixLength !== first.prefixLength)) return undefined;
  const hop = routeTo(ns, first.ip);
  // On-link by a route of its own is as good.
  if (hop?.kind === 'route' && hop.hop.gateway === undefined) return undefined;
  const wanted = { ip: address.ip, length: first.prefixLength };
  const details = { address: `${formatIp(wanted.ip)}/${wanted.length}`, interface: link.name };
  const text = `the other nodes of the segment have /${wanted.length} (${first.text})`;
  return {
    code: 'ADDRESS_MISSING',
    subject: onInterface(ns, link.name),
    evidence: [addressEvidence(ns, link), { kind: 'address', at: ns.place, locator: `address/${link.name}`, text }],
    details,
  };
}

/** Addresses of other nodes whose own segment contains this one. */
function othersAround(nodes: NodeNamespaces, others: UplinkPromise['others'], ip: Ip): Address[] {
  const found: Address[] = [];
  for (const [name, addresses] of others) {
    const ns = nodes(name);
    const address = ns === undefined ? undefined : uplinkOf(ns, addresses)?.address;
    if (address !== undefined && cidrContains(prefixOf(address), ip)) found.push(address);
  }
  return found;
}

function missingAddress(ns: NetNamespace, nodes: NodeNamespaces, { addresses, others }: UplinkPromise): Finding[] {
  const [first] = addresses;
  if (first === undefined || addresses.some((ip) => ns.owns(ip) !== undefined)) return [];
  const dev = deviceTowards(ns, first);
  if (dev === undefined) return [];
  const length = othersAround(nodes, others, first)[0]?.prefixLength ?? (typeof first === 'number' ? 32 : 128);
  const finding = addressFinding(ns, dev, { ip: first, length }, nodeAddressEvidence(ns.place.name, first));
  return finding === undefined ? [] : [finding];
}

function nodeAddressEvidence(node: string, ip: Ip): Evidence {
  return objectEvidence({ kind: 'node', name: node }, `Node/${node}:status.addresses`, `InternalIP ${formatIp(ip)}`);
}

/** A route via another node on the own segment: out of the device that reaches the node, or would if all were well. */
export function directWay(ns: NetNamespace, gateway: Ip, own: readonly Ip[]): Way {
  const found = routeTo(ns, gateway);
  const reached = found?.kind === 'route' && found.route.type !== 'local' ? found.hop.dev : undefined;
  const ip = own.find((one) => typeof one === typeof gateway);
  const dev = reached ?? uplinkOf(ns, own)?.link.name ?? (ip === undefined ? undefined : deviceTowards(ns, ip)?.name);
  if (ip === undefined) return { gateway, dev };
  const source = { ip, length: typeof ip === 'number' ? 32 : 128, evidence: nodeAddressEvidence(ns.place.name, ip) };
  return { gateway, dev, source };
}

/** Where the address would be: the device of the default route, else the only one that could lead outside. */
function deviceTowards(ns: NetNamespace, ip: Ip): Link | undefined {
  for (const route of ns
    .routing(typeof ip === 'number' ? 4 : 6)
    ?.fibs.tables.get('main')
    ?.matches(ip) ?? []) {
    const dev = route.nextHops[0]?.dev;
    const link = dev === undefined ? undefined : ns.link(dev);
    if (link !== undefined) return link;
  }
  const bare = [...(ns.links?.values() ?? [])].filter(
    (link) => link.name !== 'lo' && link.master === undefined && (link.kind === '' || link.name === 'eth0'),
  );
  return bare.length === 1 ? bare[0] : undefined;
}

/**
 * A prefix that contains pods or services is only wrong when the node stands alone with it: other nodes of the same segment,
 * or another entry of the same address, say how long it should be.
 */
function wideAddresses(ns: NetNamespace, nodes: NodeNamespaces, promise: UplinkPromise, link: Link): Finding[] {
  const findings: Finding[] = [];
  for (const address of link.addresses) {
    if (typeof address.ip !== 'number') continue;
    const own = prefixOf(address);
    const swallowed = promise.networks.find((cidr) => containsCidr(own, cidr));
    if (swallowed === undefined) continue;
    const longer =
      longest(link.addresses.filter(({ ip, prefixLength }) => ip === address.ip && prefixLength !== 32)) ?? 0;
    const elsewhere = longer > address.prefixLength ? longer : othersLength(nodes, promise, own);
    if (elsewhere !== undefined && elsewhere > address.prefixLength)
      findings.push(wideAddressFinding(ns, link, { address, longer: elsewhere, swallowed: formatCidr(swallowed) }));
  }
  return findings;
}

/** How long the prefixes of the other nodes within this one are, when all that are known agree that it is longer. */
function othersLength(nodes: NodeNamespaces, { others }: UplinkPromise, own: Cidr): number | undefined {
  const lengths: number[] = [];
  for (const [name, addresses] of others) {
    const ns = nodes(name);
    const found = ns === undefined ? undefined : uplinkOf(ns, addresses)?.address;
    if (found === undefined || !cidrContains(own, found.ip)) continue;
    if (found.prefixLength <= own.length) return undefined;
    lengths.push(found.prefixLength);
  }
  return lengths.length === 0 ? undefined : Math.min(...lengths);
}

function longest(addresses: readonly Address[]): number | undefined {
  return addresses.length === 0 ? undefined : Math.max(...addresses.map(({ prefixLength }) => prefixLength));
}

export function prefixOf({ ip, prefixLength }: Pick<Address, 'ip' | 'prefixLength'>): Cidr {
  return { net: maskIp(ip, prefixLength), length: prefixLength };
}

/** Devices of the plugin carry no more than the uplink does, less what a tunnel adds. */
export function deviceMtuFindings(
  ns: NetNamespace,
  uplink: Link,
  device: Link,
  overheadBytes: number,
): readonly Finding[] {
  const expected = uplink.mtu - overheadBytes;
  if (device.mtu <= expected) return [];
  if (overheadBytes > 0) return [mtuFinding(ns, device, 'MTU_OVERLAY_TOO_BIG', expected, linkEvidence(ns, uplink))];
  // Without a tunnel the pods' devices were made after the uplink, which has been made smaller since.
  return [mtuFinding(ns, uplink, 'MTU_MISMATCH', device.mtu, linkEvidence(ns, device))];
}

/** An address text of `ip -d link`, of an annotation: whatever is there may not be one. */
export function addressOf(value: unknown): Ip | undefined {
  return typeof value === 'string' ? parseIp(value) : undefined;
}
