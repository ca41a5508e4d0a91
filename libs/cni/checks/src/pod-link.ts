import type { PodObject } from '#libs/cluster';
import { cidrContains, formatCidr, formatIp, ipv4, ipv6, type Cidr, type Evidence, type Ip } from '#libs/model';
import type { Link, NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import {
  addressFinding,
  arpFinding,
  duplicateFinding,
  linkStateFinding,
  mtuFinding,
  wideAddressFinding,
} from './devices.js';
import {
  addressEvidence,
  hostCidr,
  linkEvidence,
  missingLinkEvidence,
  objectEvidence,
  onInterface,
} from './evidence.js';
import { localRouteProblem, routeEvidence, routeTo } from './route-check.js';
import { forwardingFindings, proxyArpFinding } from './sysctls.js';
import { prefixOf } from './uplink.js';

const OUTSIDE_V4 = ipv4(0x08080808);
const OUTSIDE_V6 = ipv6(0x2001_4860_4860_0000_0000_0000_0000_8888n);

/** How a plugin ties a pod to its node. */
export interface PodPromise {
  readonly pod: PodObject;
  /** The other pod whose address it is. */
  readonly otherOwner?: (ip: Ip) => string | undefined;
  /** IPv4 addresses of the pod have at least this prefix length: the node's pod network on a bridge, 32 where each pod stands alone. */
  readonly prefixLength?: number;
  /** The bridge that the node's end belongs to; absent: it stands alone, and the pod has a route of its own. */
  readonly bridge?: string;
  /** The bridge may send a frame back to the pod that it came from. */
  readonly hairpin?: boolean;
  /** The bridge keeps pods of a node from each other. */
  readonly portIsolation?: boolean;
  /** The pod's gateway has no host: the node answers for it by proxy ARP. */
  readonly proxyArp?: boolean;
  /** The smallest device that the pod's packets to other nodes go through. */
  readonly carrier?: {
    readonly ns: NetNamespace;
    readonly link: Link;
    readonly tunnel: boolean;
    readonly bytes: number;
  };
  /** False where the node's end is reached otherwise than by a route (eBPF); default true. */
  readonly checkRoute?: boolean;
}

/** The pod's interface with its address, gateway and MTU, and the node's end of it. */
export function podFindings(pod: NetNamespace, node: NetNamespace | undefined, promise: PodPromise): Finding[] {
  if (pod.links === undefined) return [];
  const addresses = promise.pod.ips;
  const eth = interfaceOf(pod, addresses);
  const findings: (Finding | undefined)[] = [loopbackFinding(pod)];
  if (eth === undefined) return [...findings, nowhere(pod)].filter((found) => found !== undefined);
  const host = eth.peerIndex === undefined ? undefined : node?.linksByIndex.get(eth.peerIndex);
  findings.push(
    stateUnlessOther(pod, eth, host),
    arpFinding(pod, eth),
    ...addresses.map((ip) => podAddressFinding(pod, eth, promise.pod, ip)),
    ...wideAddresses(pod, eth, promise),
    ...takenAddresses(pod, promise),
    gatewayFinding(pod, eth, addresses),
    carrierFinding(pod, eth, promise),
  );
  if (node?.links !== undefined) findings.push(...hostEndFindings({ pod, eth, node, promise }));
  return findings.filter((found) => found !== undefined);
}

/** One end without carrier follows from the other end that is down. */
function stateUnlessOther(ns: NetNamespace, link: Link, other: Link | undefined): Finding | undefined {
  const finding = linkStateFinding(ns, link);
  return finding?.code === 'CARRIER_DOWN' && other !== undefined && !other.flags.has('UP') ? undefined : finding;
}

/** The interface that has the pod's address, else the one that leads to the node. */
function interfaceOf(pod: NetNamespace, addresses: readonly Ip[]): Link | undefined {
  for (const ip of addresses) {
    const link = pod.owns(ip);
    if (link !== undefined && link.name !== 'lo') return link;
  }
  const others = [...(pod.links?.values() ?? [])].filter(({ name }) => name !== 'lo');
  return others.find(({ name }) => name === 'eth0') ?? others.find(({ kind }) => kind === 'veth');
}

function nowhere(pod: NetNamespace): Finding {
  return {
    code: 'IFACE_MISSING',
    subject: onInterface(pod, 'eth0'),
    evidence: [missingLinkEvidence(pod, 'eth0', '')],
    details: { interface: 'eth0' },
    remedy: 'Recreate the pod: its network was never set up, or has been torn down.',
  };
}

function loopbackFinding(pod: NetNamespace): Finding | undefined {
  const lo = pod.link('lo');
  return lo === undefined ? undefined : linkStateFinding(pod, lo);
}

/** What the object says, and the kubelet's clients believe. */
function podAddressFinding(pod: NetNamespace, eth: Link, object: PodObject, ip: Ip): Finding | undefined {
  if (pod.owns(ip) !== undefined) return undefined;
  const status = objectEvidence(
    { kind: 'pod', namespace: object.namespace, name: object.name },
    `Pod/${object.namespace}/${object.name}:status.podIPs`,
    formatIp(ip),
  );
  if (eth.addresses.every((address) => typeof address.ip !== typeof ip || address.scope !== 0))
    return addressFinding(pod, eth, { ip, length: typeof ip === 'number' ? 32 : 128 }, status);
  return {
    code: 'POD_IP_MISMATCH',
    subject: pod.place,
    evidence: [status, addressEvidence(pod, eth)],
    details: { ip: formatIp(ip) },
  };
}

function wideAddresses(pod: NetNamespace, eth: Link, { prefixLength, pod: object }: PodPromise): Finding[] {
  if (prefixLength === undefined) return [];
  return eth.addresses
    .filter((address) => typeof address.ip === 'number' && address.prefixLength < prefixLength)
    .filter((address) => object.ips.includes(address.ip))
    .map((address) =>
      wideAddressFinding(pod, eth, {
        address,
        longer: prefixLength,
        swallowed: `more than ${formatCidr({ ...prefixOf({ ip: address.ip, prefixLength }) })}`,
      }),
    );
}

/** Addresses of other pods, on whatever interface of this one. */
function takenAddresses(pod: NetNamespace, { pod: object, otherOwner }: PodPromise): Finding[] {
  const findings: Finding[] = [];
  for (const link of pod.links?.values() ?? [])
    for (const { ip } of link.addresses) {
      const owner = object.ips.includes(ip) ? undefined : otherOwner?.(ip);
      if (owner !== undefined) findings.push(duplicateFinding(pod, link, ip, owner));
    }
  return findings;
}

/** Whatever is not on the pod's own segment needs a gateway. */
function gatewayFinding(pod: NetNamespace, eth: Link, addresses: readonly Ip[]): Finding | undefined {
  const first = addresses.find((ip) => pod.owns(ip) !== undefined);
  if (first === undefined || !eth.flags.has('UP')) return undefined;
  const family = typeof first === 'number' ? 4 : 6;
  const routing = pod.routing(family);
  if (routing === undefined) return undefined;
  for (const [name, fib] of routing.fibs.tables) {
    if (name === 'local') continue;
    for (const route of fib.matches(family === 4 ? OUTSIDE_V4 : OUTSIDE_V6))
      if (route.type === 'unicast' && route.dst.length === 0) return undefined;
  }
  const used = routeTo(pod, family === 4 ? OUTSIDE_V4 : OUTSIDE_V6);
  if (used?.kind === 'route') return undefined;
  return {
    code: 'NO_ROUTE',
    subject: pod.place,
    evidence: [
      { kind: 'route', at: pod.place, locator: 'main/default', text: `missing: default via <gateway> dev ${eth.name}` },
    ],
    details: { destination: 'anything but its own segment (no default route)' },
    remedy: 'Recreate the pod: the CNI plugin gives it its default route.',
  };
}

/** A pod that sends larger packets than its way to the other nodes takes. */
function carrierFinding(pod: NetNamespace, eth: Link, { carrier }: PodPromise): Finding | undefined {
  if (carrier === undefined || eth.mtu <= carrier.bytes) return undefined;
  const why = linkEvidence(carrier.ns, carrier.link);
  return mtuFinding(pod, eth, carrier.tunnel ? 'MTU_OVERLAY_TOO_BIG' : 'MTU_MISMATCH', carrier.bytes, why);
}

/** The node is the gateway of its pods: the bridge's address, or that of the node's end. */
function foreignGateway({ pod, eth, node, promise }: HostEnd, host: Link): Finding | undefined {
  const used = routeTo(pod, OUTSIDE_V4);
  if (used?.kind !== 'route' || used.route.dst.length !== 0 || used.hop.dev !== eth.name) return undefined;
  const { gateway } = used.hop;
  if (typeof gateway !== 'number' || node.owns(gateway) !== undefined) return undefined;
  const addresses = node.link(promise.bridge ?? host.name)?.addresses ?? [];
  // Without an address of the node there is nothing to compare with; that it lacks one is said of the node.
  const own = addresses.find(({ ip, prefixLength }) =>
    promise.bridge === undefined ? typeof ip === 'number' : cidrContains(prefixOf({ ip, prefixLength }), gateway),
  );
  if (own === undefined) return undefined;
  const expected = formatIp(own.ip);
  return {
    code: 'ROUTE_WRONG_GATEWAY',
    subject: pod.place,
    evidence: [routeEvidence(pod, used.table, used.route)],
    details: { destination: 'default', actual: formatIp(gateway), expected, interface: eth.name },
    remedy: `ip route replace default via ${expected} dev ${eth.name}`,
  };
}

interface HostEnd {
  readonly pod: NetNamespace;
  readonly eth: Link;
  readonly node: NetNamespace;
  readonly promise: PodPromise;
}

function hostEndFindings(end: HostEnd): (Finding | undefined)[] {
  const { eth, node, promise } = end;
  if (eth.kind !== 'veth' || eth.peerIndex === undefined) return [];
  const host = node.linksByIndex.get(eth.peerIndex);
  if (host === undefined || host.kind !== 'veth' || host.peerIndex !== eth.index) return [brokenPair(end, host)];
  const { bridge } = promise;
  return [
    stateUnlessOther(node, host, eth),
    arpFinding(node, host),
    host.mtu === eth.mtu ? undefined : unequalMtu(end, host),
    ...(bridge === undefined ? aloneFindings(end, host) : portFindings(end, host, bridge)),
    ...neighbourFindings(end, host),
    promise.proxyArp === true ? undefined : foreignGateway(end, host),
    promise.checkRoute === false ? undefined : podRoute(end, host),
  ];
}

/** Pairs are known by both indexes: names may be anything. */
function brokenPair({ pod, eth, node }: HostEnd, host: Link | undefined): Finding {
  const shown: Evidence =
    host === undefined
      ? { kind: 'link', at: node.place, locator: 'link', text: `no interface has index ${eth.peerIndex ?? 0}` }
      : linkEvidence(node, host);
  return {
    code: host === undefined ? 'VETH_PEER_MISSING' : 'VETH_PEER_MISMATCH',
    subject: onInterface(pod, eth.name),
    evidence: [linkEvidence(pod, eth), shown],
    details: { interface: eth.name },
  };
}

/** The smaller end is the wrong one: frames of the larger size do not get through it. */
function unequalMtu({ pod, eth, node }: HostEnd, host: Link): Finding {
  return host.mtu < eth.mtu
    ? mtuFinding(node, host, 'MTU_MISMATCH', eth.mtu, linkEvidence(pod, eth))
    : mtuFinding(pod, eth, 'MTU_MISMATCH', host.mtu, linkEvidence(node, host));
}

function aloneFindings({ node, promise }: HostEnd, host: Link): (Finding | undefined)[] {
  const foreign =
    host.master !== undefined && node.link(host.master)?.kind === 'bridge'
      ? ({
          code: 'WRONG_MASTER',
          subject: onInterface(node, host.name),
          evidence: [linkEvidence(node, host)],
          details: { interface: host.name, actual: host.master, bridge: 'no bridge' },
          remedy: `ip link set ${host.name} nomaster`,
        } satisfies Finding)
      : undefined;
  return [
    foreign,
    ...forwardingFindings(node, [host.name]).filter(({ code }) => code === 'IFACE_FORWARDING_OFF'),
    promise.proxyArp === true ? proxyArpFinding(node, host.name) : undefined,
  ];
}

function portFindings(end: HostEnd, host: Link, bridge: string): (Finding | undefined)[] {
  const { node, promise } = end;
  const subject = onInterface(node, host.name);
  const evidence = [linkEvidence(node, host)];
  const details = { interface: host.name, bridge };
  if (host.master === undefined) return [{ code: 'NO_MASTER', subject, evidence, details }];
  if (host.master !== bridge)
    return [{ code: 'WRONG_MASTER', subject, evidence, details: { ...details, actual: host.master } }];
  const { port } = host;
  if (port === undefined || !node.dump.files.has('bridge-link.json')) return macFindings(end, host, bridge);
  const shown = (text: string): Evidence[] => [
    {
      kind: 'link',
      at: node.place,
      locator: `bridge-link/${host.name}`,
      text: `${host.name} master ${bridge} ${text}`,
    },
  ];
  const blocked = (state: string, text: string): Finding => ({
    code: 'BRIDGE_PORT_BLOCKED',
    subject,
    evidence: shown(text),
    details: { ...details, state },
  });
  // A port or a bridge that is down is disabled for that reason.
  const works = host.flags.has('LOWER_UP') && node.link(bridge)?.flags.has('UP') === true;
  return [
    works && port.state !== 'forwarding' ? blocked(port.state, `state ${port.state}`) : undefined,
    port.isolated && promise.portIsolation !== true
      ? {
          ...blocked('isolated', 'isolated on'),
          remedy: `bridge link set dev ${host.name} isolated off`,
        }
      : undefined,
    promise.hairpin === true && !port.hairpin
      ? { code: 'HAIRPIN_OFF', subject, evidence: shown('hairpin off'), details }
      : undefined,
    ...macFindings(end, host, bridge),
  ];
}

/** Frames for the pod go to the port of whoever has its MAC address for good. */
function macFindings({ pod, eth, node }: HostEnd, host: Link, bridge: string): Finding[] {
  const findings: Finding[] = [];
  const link = node.link(bridge);
  if (link?.mac === eth.mac && eth.mac !== '')
    findings.push({
      code: 'ADDRESS_DUPLICATE',
      subject: onInterface(node, bridge),
      evidence: [linkEvidence(node, link), linkEvidence(pod, eth)],
      details: { address: eth.mac, owners: `${bridge} of ${node.place.name}, ${eth.name} of ${pod.place.name}` },
      remedy: `ip link set ${bridge} address <another MAC address>`,
    });
  for (const entry of node.fdb ?? [])
    if (entry.sticky && entry.mac === eth.mac && entry.master === bridge && entry.dev !== host.name)
      findings.push({
        code: 'FDB_WRONG_PORT',
        subject: onInterface(node, bridge),
        evidence: [{ kind: 'fdb', at: node.place, locator: `fdb/${entry.dev}/${entry.mac}`, text: entry.text }],
        details: { mac: entry.mac, actual: entry.dev, expected: host.name, interface: bridge },
      });
  return findings;
}

/** Entries that bind: permanent ones are believed whatever happens on the segment. */
function neighbourFindings({ pod, eth, node, promise }: HostEnd, host: Link): Finding[] {
  const towardsPod = promise.bridge ?? host.name;
  const findings: Finding[] = [];
  for (const ip of promise.pod.ips) {
    const found = wrongMac(node, towardsPod, ip, [eth.mac]);
    if (found !== undefined) findings.push({ ...found, concerns: hostCidr(ip) });
  }
  const gateway = node.link(promise.bridge ?? host.name);
  if (gateway === undefined) return findings;
  for (const entry of pod.neighbours ?? []) {
    if (entry.dev !== eth.name || !node.owns(entry.ip)) continue;
    const found = wrongMac(pod, eth.name, entry.ip, [gateway.mac]);
    if (found !== undefined) findings.push(found);
  }
  return findings;
}

function wrongMac(ns: NetNamespace, dev: string, ip: Ip, macs: readonly string[]): Finding | undefined {
  const entry = ns.neighbour(dev, ip);
  if (entry?.mac === undefined || !entry.states.some((state) => state === 'PERMANENT' || state === 'NOARP'))
    return undefined;
  if (macs.includes(entry.mac)) return undefined;
  return {
    code: 'NEIGH_WRONG_MAC',
    subject: onInterface(ns, dev),
    evidence: [
      {
        kind: 'neighbour',
        at: ns.place,
        locator: `neigh/${dev}/${formatIp(ip)}`,
        text: `${entry.text}; it has ${macs.join(', ')}`,
      },
    ],
    details: { destination: formatIp(ip), mac: entry.mac, interface: dev },
  };
}

/** The node's own way to this pod. What is said of the device itself is not said of its routes again. */
function podRoute({ node, promise }: HostEnd, host: Link): Finding | undefined {
  const dev = promise.bridge ?? host.name;
  const link = node.link(dev);
  if (link?.flags.has('UP') !== true) return undefined;
  for (const ip of promise.pod.ips) {
    const destination = promise.bridge === undefined ? hostCidr(ip) : networkOf(link, ip);
    // That the bridge lacks an address there is said of the node.
    if (destination === undefined) continue;
    const found = localRouteProblem(node, { destination, accepts: (name) => name === dev, device: dev }, ip);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The bridge's network, of which the kernel makes the route. */
function networkOf(bridge: Link, ip: Ip): Cidr | undefined {
  return bridge.addresses.map(prefixOf).find((cidr) => cidrContains(cidr, ip));
}
