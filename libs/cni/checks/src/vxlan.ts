import { formatIp, type Cidr, type Evidence, type Ip } from '#libs/model';
import type { FdbEntry, Link, NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { addressFinding, arpFinding, deviceFinding } from './devices.js';
import { hostCidr, onInterface, vxlanEvidence } from './evidence.js';
import { addressOf, deviceMtuFindings, type Uplink } from './uplink.js';

/** Outer IP, UDP, VXLAN and inner Ethernet headers (RFC 7348). */
const VXLAN_OVERHEAD_V4 = 50;
const VXLAN_OVERHEAD_V6 = 70;
const ANY_MAC = '00:00:00:00:00:00';

/** What the VXLAN device of a node has to be. */
export interface VxlanPromise {
  readonly name: string;
  readonly vni: number;
  readonly port: number;
  readonly family: 4 | 6;
  /** The outer source: the address by which the other nodes know this one; absent: any of its own. */
  readonly local?: { readonly ip: Ip; readonly evidence: Evidence };
  readonly address?: { readonly ip: Ip; readonly evidence: Evidence };
  /** Known to the other nodes, who write it into their neighbour entries. */
  readonly mac?: { readonly mac: string; readonly evidence: Evidence };
  /** Where the configuration says so. */
  readonly evidence: Evidence;
}

/** The device of the name when it is one that can be looked into: a VXLAN device that takes what to do from tables. */
export function vxlanLink(ns: NetNamespace, name: string): Link | undefined {
  const link = ns.link(name);
  return link?.kind === 'vxlan' && link.info.external !== true ? link : undefined;
}

export function vxlanFindings(ns: NetNamespace, promise: VxlanPromise, uplink: Uplink | undefined): Finding[] {
  const wrong = deviceFinding(ns, { name: promise.name, kind: 'vxlan', missing: 'TUNNEL_DEVICE_MISSING' });
  const link = vxlanLink(ns, promise.name);
  if (link === undefined) return wrong === undefined ? [] : [wrong];
  const overhead = promise.family === 4 ? VXLAN_OVERHEAD_V4 : VXLAN_OVERHEAD_V6;
  return [
    wrong,
    arpFinding(ns, link),
    numberFinding(ns, link, 'VNI_MISMATCH', promise),
    numberFinding(ns, link, 'TUNNEL_PORT_MISMATCH', promise),
    localFinding(ns, link, promise),
    promise.address === undefined
      ? undefined
      : addressFinding(ns, link, { ip: promise.address.ip, length: 32 }, promise.address.evidence),
    macFinding(ns, link, promise),
    ...(uplink === undefined ? [] : deviceMtuFindings(ns, uplink.link, link, overhead)),
  ].filter((found) => found !== undefined);
}

function numberFinding(
  ns: NetNamespace,
  link: Link,
  code: 'VNI_MISMATCH' | 'TUNNEL_PORT_MISMATCH',
  promise: VxlanPromise,
): Finding | undefined {
  const isVni = code === 'VNI_MISMATCH';
  const own = isVni ? link.info.id : link.info.port;
  const wanted = isVni ? promise.vni : promise.port;
  if (typeof own !== 'number' || own === wanted) return undefined;
  return {
    code,
    subject: onInterface(ns, link.name),
    evidence: [vxlanEvidence(ns, link), promise.evidence],
    // A port reads the other way round: what this end listens on, and what the others send to.
    details: isVni ? { actual: own, expected: wanted } : { expected: own, actual: wanted },
    remedy: remake(link.name),
  };
}

function localFinding(ns: NetNamespace, link: Link, { local }: VxlanPromise): Finding | undefined {
  const actual = addressOf(link.info.local) ?? addressOf(link.info.local6);
  // Without one the kernel takes the address that the route gives; the far end does not look at it.
  if (actual === undefined) return undefined;
  const foreign = ns.owns(actual) === undefined;
  const other = local !== undefined && typeof local.ip === typeof actual && local.ip !== actual;
  if (!foreign && !other) return undefined;
  return {
    code: 'TUNNEL_LOCAL_WRONG',
    subject: onInterface(ns, link.name),
    evidence: [vxlanEvidence(ns, link), ...(local === undefined ? [] : [local.evidence])],
    details: {
      actual: formatIp(actual),
      expected: local === undefined ? 'an address of the node' : formatIp(local.ip),
    },
    remedy: remake(link.name),
  };
}

function macFinding(ns: NetNamespace, link: Link, { mac }: VxlanPromise): Finding | undefined {
  if (mac === undefined || link.mac === '' || sameMac(link.mac, mac.mac)) return undefined;
  return {
    code: 'MAC_MISMATCH',
    subject: onInterface(ns, link.name),
    evidence: [
      { kind: 'link', at: ns.place, locator: `link/${link.name}`, text: `${link.name} has ${link.mac}` },
      mac.evidence,
    ],
    details: { mac: mac.mac },
    remedy: `ip link set ${link.name} address ${mac.mac}, or restart the CNI agent so that it tells the others.`,
  };
}

function remake(name: string): string {
  return `ip link del ${name}, and restart the CNI agent of the node: it makes the device anew.`;
}

/** The far end of a tunnel, as this node has to know it. */
export interface VtepPeer {
  readonly node: string;
  /** The pods behind it. */
  readonly concerns: Cidr;
  /** Address of its VXLAN device: the gateway of routes into the tunnel. */
  readonly tunnelIp: Ip;
  /** Of its VXLAN device; undefined: not known, and then only that there is an entry can be checked. */
  readonly mac?: string;
  /** Where its outer packets go. */
  readonly remote: Ip;
}

/** The forwarding entries of one VXLAN device by MAC address. */
export class VtepTable {
  private readonly byMac = new Map<string, FdbEntry[]>();
  /** False when bridge-fdb.json was not collected. */
  private readonly fdbKnown: boolean;

  constructor(
    private readonly ns: NetNamespace,
    private readonly link: Link,
  ) {
    this.fdbKnown = ns.fdb !== undefined;
    for (const entry of ns.fdb ?? []) {
      if (entry.dev !== link.name || entry.dst === undefined) continue;
      const mac = entry.mac.toLowerCase();
      const same = this.byMac.get(mac);
      if (same === undefined) this.byMac.set(mac, [entry]);
      else same.push(entry);
    }
  }

  /** The device resolves nothing by itself: neighbour and forwarding entry of each peer are written by the agent. */
  peerFindings(peer: VtepPeer): Finding[] {
    const { ns, link } = this;
    if (ns.neighbours === undefined) return peer.mac === undefined ? [] : this.forwarding(peer, peer.mac);
    const entry = ns.neighbour(link.name, peer.tunnelIp);
    if (entry?.mac === undefined || entry.states.includes('FAILED'))
      return [
        this.finding(peer, 'NEIGH_MISSING', {
          evidence: {
            kind: 'neighbour',
            at: ns.place,
            locator: `neigh/${link.name}/${formatIp(peer.tunnelIp)}`,
            text: entry?.text ?? `no entry for ${formatIp(peer.tunnelIp)} on ${link.name}`,
          },
          remedy: this.neighbourCommand(peer),
        }),
        ...(peer.mac === undefined ? [] : this.forwarding(peer, peer.mac)),
      ];
    const wrong = peer.mac !== undefined && !sameMac(entry.mac, peer.mac);
    return [
      ...(wrong ? [this.wrongNeighbour(peer, entry.mac, entry.text)] : []),
      ...this.forwarding(peer, peer.mac ?? entry.mac),
    ];
  }

  private wrongNeighbour(peer: VtepPeer, mac: string, text: string): Finding {
    const { ns, link } = this;
    return this.finding(peer, 'NEIGH_WRONG_MAC', {
      evidence: {
        kind: 'neighbour',
        at: ns.place,
        locator: `neigh/${link.name}/${formatIp(peer.tunnelIp)}`,
        text: `${text}; ${peer.node} has ${peer.mac ?? '?'}`,
      },
      remedy: this.neighbourCommand(peer),
      mac,
    });
  }

  private forwarding(peer: VtepPeer, mac: string): Finding[] {
    if (!this.fdbKnown) return [];
    const { ns, link } = this;
    const entries = this.byMac.get(mac.toLowerCase()) ?? this.byMac.get(ANY_MAC) ?? [];
    const at = { kind: 'fdb', at: ns.place, locator: `fdb/${link.name}/${mac}` } as const;
    const remedy = `bridge fdb replace ${mac} dev ${link.name} dst ${formatIp(peer.remote)} self permanent`;
    const [first] = entries;
    const right = entries.find(({ dst }) => dst === peer.remote);
    if (first === undefined) {
      // A device with a remote of its own needs no entries.
      if (addressOf(link.info.remote) === peer.remote) return [];
      const evidence = { ...at, text: `no entry for ${mac} on ${link.name}` };
      return [this.finding(peer, 'FDB_MISSING', { evidence, remedy, mac })];
    }
    if (right === undefined)
      return [
        this.finding(peer, 'FDB_WRONG_VTEP', {
          evidence: { ...at, text: first.text },
          remedy,
          mac,
          actual: first.dst === undefined ? 'nowhere' : formatIp(first.dst),
          expected: formatIp(peer.remote),
        }),
      ];
    const evidence = { ...at, text: right.text };
    const { id, port } = link.info;
    if (right.vni !== undefined && typeof id === 'number' && right.vni !== id)
      return [this.finding(peer, 'VNI_MISMATCH', { evidence, remedy, mac, actual: right.vni, expected: id })];
    if (right.port !== undefined && typeof port === 'number' && right.port !== port)
      return [
        this.finding(peer, 'TUNNEL_PORT_MISMATCH', { evidence, remedy, mac, actual: right.port, expected: port }),
      ];
    return [];
  }

  private finding(
    peer: VtepPeer,
    code: Finding['code'],
    facts: { readonly evidence: Evidence; readonly remedy: string } & Readonly<Record<string, unknown>>,
  ): Finding {
    const { evidence, remedy, mac, actual, expected } = facts;
    const details: Record<string, string | number> = {
      destination: formatIp(peer.tunnelIp),
      interface: this.link.name,
      owner: peer.node,
    };
    for (const [key, value] of Object.entries({ mac, actual, expected }))
      if (typeof value === 'string' || typeof value === 'number') details[key] = value;
    return {
      code,
      subject: onInterface(this.ns, this.link.name),
      evidence: [evidence],
      details,
      remedy,
      concerns: peer.concerns,
    };
  }

  private neighbourCommand(peer: VtepPeer): string {
    const mac = peer.mac ?? `<MAC of ${this.link.name} of ${peer.node}>`;
    return `ip neigh replace ${formatIp(peer.tunnelIp)} lladdr ${mac} dev ${this.link.name} nud permanent`;
  }
}

function sameMac(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** A pod network, or where none is known the tunnel address alone. */
export function behind(cidr: Cidr | undefined, tunnelIp: Ip): Cidr {
  return cidr ?? hostCidr(tunnelIp);
}
