import type { ClusterIndex } from '#libs/cluster';
import { cidrContains, ipv4, type Evidence, type Ip, type SuspicionCode } from '#libs/model';
import {
  lookupRoute,
  noRouteFacts,
  refusalFacts,
  sourceProblem,
  type Chooser,
  type FdbEntry,
  type Link,
  type NetNamespace,
  type RouteResult,
} from '#libs/netstack';
import { ArpResults, WatchedChooser } from './arp-results.js';
import { localRouteMissing } from './own-address.js';

/** One interface of one namespace. */
export interface Port {
  readonly ns: NetNamespace;
  readonly link: Link;
}

export type Peer =
  | ({ readonly kind: 'port' } & Port)
  /** The network outside the dumped namespaces: a physical device, or a lab's uplink. */
  | { readonly kind: 'outside' }
  /** The other end is in a namespace that was not collected. */
  | { readonly kind: 'uncollected' };

/** Who answers an ARP or neighbour request. */
interface ArpAnswer extends Port {
  readonly mac: string;
}

export interface ArpResult {
  readonly answers: readonly ArpAnswer[];
  /** A namespace on the segment was not collected, and might have answered. */
  readonly uncollected: boolean;
  /** Owners that keep silent, and what makes them. */
  readonly silent: readonly (Silence & { readonly port: Port })[];
}

/** Why an owner does not answer: a sysctl, or the way back to who asks. */
export interface Silence {
  readonly code: SuspicionCode;
  readonly evidence: readonly Evidence[];
  readonly details?: Readonly<Record<string, string | number>>;
}

/** How the namespaces of a snapshot are wired: veth pairs, bridges, and which interfaces lead outside. */
export class Fabric {
  private readonly veths = new Map<string, Port[]>();
  private readonly outside = new Map<Ip, Port>();
  private readonly macs = new Map<string, Port>();
  /** Nodes and outside hosts by every address that they have, on whatever interface. */
  private readonly holders = new Map<Ip, NetNamespace[]>();
  private readonly segments = new Map<Link, readonly (Port | 'uncollected')[]>();
  private readonly arpResults = new ArpResults();
  private readonly answerers = new Map<Link, Answerers>();
  private readonly peers = new Map<Link, Peer>();
  private readonly towards = new Map<Link, Map<string, TowardsMac>>();

  private readonly routers = new Map<Link, Ip | undefined>();

  constructor(
    private readonly namespaces: ReadonlyMap<string, NetNamespace>,
    private readonly cluster: ClusterIndex,
  ) {
    for (const ns of namespaces.values())
      for (const link of ns.links?.values() ?? [])
        if (link.kind === 'veth' && link.peerIndex !== undefined) {
          const key = vethKey(machineOf(ns), link.index, link.peerIndex);
          const same = this.veths.get(key);
          if (same === undefined) this.veths.set(key, [{ ns, link }]);
          else same.push({ ns, link });
        }
    for (const ns of namespaces.values())
      if (ns.place.kind !== 'pod')
        for (const link of ns.links?.values() ?? [])
          for (const { ip } of link.addresses) this.holders.set(ip, [...(this.holders.get(ip) ?? []), ns]);
    for (const ns of namespaces.values())
      for (const link of ns.links?.values() ?? [])
        if ((ns.place.kind !== 'pod' || SHARES_PARENT.has(link.kind)) && this.leadsOutside(ns, link)) {
          for (const { ip } of link.addresses) this.outside.set(ip, { ns, link });
          if (link.mac !== '' && ns.place.kind !== 'pod') this.macs.set(link.mac, { ns, link });
        }
  }

  /** The other end of a link. Pairs are found by both ifindexes within one machine, never by name. */
  peer(ns: NetNamespace, link: Link): Peer {
    let known = this.peers.get(link);
    if (known === undefined) this.peers.set(link, (known = this.findPeer(ns, link)));
    return known;
  }

  private findPeer(ns: NetNamespace, link: Link): Peer {
    if (link.kind !== 'veth') return { kind: 'outside' };
    if (link.peerIndex !== undefined) {
      const ports = this.veths.get(vethKey(machineOf(ns), link.peerIndex, link.index)) ?? [];
      const others = ports.filter((port) => port.ns !== ns || link.peerNetnsId === undefined);
      const port = others.find((one) => one.ns.place.kind === 'node') ?? others[0];
      if (port !== undefined) return { kind: 'port', ...port };
    }
    // A veth whose other end is nowhere: with an address of its own it is this host's uplink, else it served a pod.
    return ns.place.kind !== 'pod' && this.hasHostAddress(ns, link) ? { kind: 'outside' } : { kind: 'uncollected' };
  }

  private hasHostAddress(ns: NetNamespace, link: Link): boolean {
    const carrier = link.master === undefined ? link : ns.link(link.master);
    const own = carrier?.addresses ?? [];
    if (ns.place.kind === 'external') return own.length > 0;
    const node = this.cluster.nodes.get(ns.place.name);
    return own.some(({ ip }) => node === undefined || node.addresses.includes(ip));
  }

  /** Whether frames of this device (a physical one, an uplink, or a bridge over one) reach the network outside. */
  leadsOutside(ns: NetNamespace, link: Link): boolean {
    if (link.name === 'lo' || link.kind === 'dummy') return false;
    if (link.kind === 'bridge') return ports(ns, link).some((port) => this.leadsOutside(ns, port));
    if (link.kind === 'veth' || PHYSICAL.has(link.kind)) return this.peer(ns, link).kind === 'outside';
    return false;
  }

  /**
   * The port of a bridge that leads to the MAC address, by what is behind it: learned entries follow the MAC as soon as it talks,
   * only sticky ones stay where they are.
   */
  portTowards(ns: NetNamespace, bridge: Link, mac: string): TowardsMac {
    let byMac = this.towards.get(bridge);
    if (byMac === undefined) this.towards.set(bridge, (byMac = new Map()));
    if (byMac.has(mac)) return byMac.get(mac);
    const found = this.findPortTowards(ns, bridge, mac);
    byMac.set(mac, found);
    return found;
  }

  private findPortTowards(ns: NetNamespace, bridge: Link, mac: string): TowardsMac {
    const sticky = (ns.fdb ?? []).find((entry) => entry.mac === mac && entry.master === bridge.name && entry.sticky);
    let uncollected = false;
    let outside: Link | undefined;
    for (const port of ports(ns, bridge)) {
      if (sticky !== undefined && sticky.dev !== port.name) continue;
      const peer = this.peer(ns, port);
      if (peer.kind === 'port' && (peer.link.mac === mac || sticky !== undefined)) return { port, peer };
      if (peer.kind === 'uncollected') uncollected = true;
      if (peer.kind === 'outside') outside = port;
    }
    if (outside !== undefined) return { port: outside, peer: 'outside' };
    return uncollected ? 'uncollected' : undefined;
  }

  /** The node or outside host that has the address on an interface towards the network outside. */
  outsideOwner(ip: Ip): Port | undefined {
    return this.outside.get(ip);
  }

  /** Hosts answer ARP for each of their addresses on each of their interfaces (arp_ignore 0): who else answers for this one. */
  otherHolder(from: NetNamespace, ip: Ip, sender: Ip, chooser: Chooser): Port | undefined {
    for (const ns of this.holders.get(ip) ?? []) {
      const port = ns === from ? undefined : this.uplink(ns);
      if (port !== undefined && this.answersOutside(port, ip, sender, chooser)) return port;
    }
    return undefined;
  }

  /** Whether the owner of an address on the network outside answers for it there. */
  answersOutside(owner: Port, target: Ip, sender: Ip, chooser: Chooser): boolean {
    return owner.link.flags.has('LOWER_UP') && arpReply(owner, target, sender, chooser) === 'answers';
  }

  /** What keeps the owner of an address silent to its router outside; undefined: it answers, or no router is known. */
  silentToRouter(owner: Port, target: Ip, chooser: Chooser): Silence | undefined {
    const router = this.routerOf(owner);
    if (router === undefined) return undefined;
    // Who has asked for its router is known to it (neigh_event_ns()).
    const entry = owner.ns.neighbour(owner.link.name, router);
    if (entry?.mac !== undefined && !entry.states.includes('FAILED')) return undefined;
    const reply = arpReply(owner, target, router, chooser);
    return typeof reply === 'string' ? undefined : reply;
  }

  /** The gateway on the network of a port: its own default gateway, or the one that the other hosts there use. */
  private routerOf({ link }: Port): Ip | undefined {
    if (!this.routers.has(link)) this.routers.set(link, this.findRouter(link));
    return this.routers.get(link);
  }

  private findRouter(link: Link): Ip | undefined {
    for (const port of this.outside.values())
      for (const route of port.ns.routing(4)?.fibs.tables.get('main')?.matches(ipv4(0)) ?? []) {
        const gateway = route.dst.length === 0 ? route.nextHops[0]?.gateway : undefined;
        if (
          gateway !== undefined &&
          link.addresses.some(({ ip, prefixLength }) => cidrContains({ net: ip, length: prefixLength }, gateway))
        )
          return gateway;
      }
    return undefined;
  }

  /** A node that has the address and of which nothing else is known. */
  uncollectedNode(ip: Ip): string | undefined {
    const node = this.cluster.nodeAt(ip);
    return node !== undefined && this.namespaces.get(`node/${node.name}`)?.links === undefined ? node.name : undefined;
  }

  /** The node or outside host whose interface towards the network outside has the MAC address. */
  outsideMac(mac: string): Port | undefined {
    return this.macs.get(mac);
  }

  /** Where packets from outside come in. */
  uplink(ns: NetNamespace): Port | undefined {
    const node = this.cluster.nodes.get(ns.place.name);
    for (const ip of node?.internalIps ?? []) {
      const port = this.outside.get(ip);
      if (port?.ns === ns) return port;
    }
    for (const port of this.outside.values()) if (port.ns === ns) return port;
    return undefined;
  }

  /** A sticky entry that sends answers for this station out of another port of its bridge (`ip link`'s own MAC, bridge(8) fdb sticky). */
  strayAnswers(ns: NetNamespace, link: Link): { readonly ns: NetNamespace; readonly entry: FdbEntry } | undefined {
    const peer = this.peer(ns, link);
    if (peer.kind !== 'port' || peer.link.master === undefined) return undefined;
    const entry = (peer.ns.fdb ?? []).find(
      (one) => one.sticky && one.mac === link.mac && one.master === peer.link.master && one.dev !== peer.link.name,
    );
    return entry === undefined ? undefined : { ns: peer.ns, entry };
  }

  /** The recorded station of a segment that has an address on its interface there. */
  stationWith(ns: NetNamespace, link: Link, ip: Ip): Port | undefined {
    for (const port of this.listeners(ns, link))
      if (port !== 'uncollected' && port.link.addresses.some((address) => address.ip === ip)) return port;
    return undefined;
  }

  private listeners(ns: NetNamespace, link: Link): readonly (Port | 'uncollected')[] {
    let known = this.segments.get(link);
    if (known === undefined) this.segments.set(link, (known = [...this.segment(ns, link)]));
    return known;
  }

  /** Interfaces that hear a broadcast sent out of `link`. */
  private *segment(ns: NetNamespace, link: Link, seen: Set<string> = new Set()): Iterable<Port | 'uncollected'> {
    const key = `${ns.id} ${link.name}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (link.kind === 'bridge') {
      for (const port of ports(ns, link)) if (portForwards(port)) yield* this.segment(ns, port, seen);
      return;
    }
    const peer = this.peer(ns, link);
    if (peer.kind === 'uncollected') yield 'uncollected';
    if (peer.kind !== 'port' || !isUp(peer.link)) return;
    if (peer.link.master === undefined) {
      yield peer;
      return;
    }
    const bridge = peer.ns.link(peer.link.master);
    if (bridge === undefined || !portForwards(peer.link)) return;
    if (isUp(bridge)) yield { ns: peer.ns, link: bridge };
    for (const port of ports(peer.ns, bridge))
      if (port.name !== peer.link.name && portForwards(port) && !(port.port?.isolated && peer.link.port?.isolated))
        yield* this.segment(peer.ns, port, seen);
  }

  /** Who on the segment of `link` answers for `target`; `sender` is the address that asks. */
  arp(ns: NetNamespace, link: Link, target: Ip, sender: Ip, chooser: Chooser): ArpResult {
    const known = this.arpResults.get(link, target, sender);
    if (known !== undefined) return known;
    const watched = new WatchedChooser(chooser);
    const result = this.findArp(ns, link, target, sender, watched);
    if (!watched.wasAsked) this.arpResults.set(link, target, sender, result);
    return result;
  }

  private findArp(ns: NetNamespace, link: Link, target: Ip, sender: Ip, chooser: Chooser): ArpResult {
    const answers: ArpAnswer[] = [];
    const silent: ArpResult['silent'][number][] = [];
    const { uncollected, candidates } = this.mayAnswer(ns, link);
    for (const port of candidates(target)) {
      const reply = arpReply(port, target, sender, chooser);
      // The bridge does not send its answer to a station that has its own address.
      const same = port.link.kind === 'bridge' && port.link.mac === link.mac;
      if (reply === 'answers' && !same) answers.push({ ...port, mac: port.link.mac });
      else if (reply !== 'answers' && reply !== 'silent') silent.push({ port, ...reply });
    }
    return { answers, uncollected, silent };
  }

  private mayAnswer(ns: NetNamespace, link: Link): Answerers {
    let known = this.answerers.get(link);
    if (known === undefined) this.answerers.set(link, (known = answerersOf(this.listeners(ns, link))));
    return known;
  }
}

/** Devices of pods that put their frames on the segment of a device of the host. */
export const SHARES_PARENT = new Set(['ipvlan', 'macvlan']);

const PHYSICAL = new Set(['', 'bond', 'team', 'vlan', 'macvlan', 'ipvlan']);

function machineOf(ns: NetNamespace): string {
  return ns.place.kind === 'pod' ? `node/${ns.place.node ?? ''}` : `${ns.place.kind}/${ns.place.name}`;
}

function vethKey(machine: string, index: number, peer: number): string {
  return `${machine} ${index} ${peer}`;
}

export function isUp(link: Link): boolean {
  return link.flags.has('UP');
}

export function ports(ns: NetNamespace, bridge: Link): readonly Link[] {
  let known = portsOf.get(bridge);
  if (known === undefined) {
    known = [...(ns.links?.values() ?? [])].filter((link) => link.master === bridge.name);
    portsOf.set(bridge, known);
  }
  return known;
}

const portsOf = new WeakMap<Link, readonly Link[]>();

export function portForwards(port: Link): boolean {
  return isUp(port) && (port.port === undefined || port.port.state === 'forwarding');
}

/** The port of a bridge behind which a MAC address is; `outside`: the network outside; undefined: none. */
export type TowardsMac = { readonly port: Link; readonly peer: Port | 'outside' } | 'uncollected' | undefined;

/** Who of a segment is worth asking: a bridge has a hundred pods, and one of them has the address. */
interface Answerers {
  readonly uncollected: boolean;
  readonly candidates: (target: Ip) => readonly Port[];
}

/** An owner, a proxy, or (Calico's gateway) one that should be a proxy; in the order of the segment. */
function answerersOf(listeners: readonly (Port | 'uncollected')[]): Answerers {
  const all = listeners.filter((port) => port !== 'uncollected');
  const always = all.filter(
    ({ ns, link }) =>
      (ns.place.kind !== 'pod' && link.master === undefined && link.kind !== 'bridge') || proxies(ns, link),
  );
  const owners = new Map<Ip, Port[]>();
  for (const port of all) for (const ip of port.ns.addresses) append(owners, ip, port);
  const merged = new Map<Ip, readonly Port[]>();
  return {
    uncollected: all.length < listeners.length,
    candidates: (target) => {
      const own = owners.get(target);
      if (own === undefined) return always;
      if (always.length === 0) return own;
      let both = merged.get(target);
      if (both === undefined)
        merged.set(target, (both = all.filter((port) => own.includes(port) || always.includes(port))));
      return both;
    },
  };
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function proxies(ns: NetNamespace, link: Link): boolean {
  return ns.conf(4, 'all', 'proxy_arp') === 1 || ns.conf(4, link.name, 'proxy_arp') === 1;
}

type Reply = 'answers' | 'silent' | Silence;

/** arp_process(): a host answers for its own addresses, and with proxy_arp for those it has a route to elsewhere. */
function arpReply({ ns, link }: Port, target: Ip, sender: Ip, chooser: Chooser): Reply {
  if (!isUp(link) || link.flags.has('NOARP')) return 'silent';
  const owned = ns.owns(target) !== undefined;
  // IPv6 neighbour discovery: the owner answers on the interface that has the address; NDP proxies are not modelled.
  if (typeof target === 'bigint') return link.addresses.some(({ ip }) => ip === target) ? 'answers' : 'silent';
  const routing = ns.routing(4);
  if (routing === undefined) return owned ? 'answers' : 'silent';
  const flow = { dst: target, src: sender, iif: link.name, mark: 0, protocol: 0, sport: 0, dport: 0, tos: 0 };
  const result = lookupRoute(routing, flow, chooser);
  // It answers for what its own tables call its own, whatever its interfaces have.
  if (
    owned &&
    link.addresses.some(({ ip }) => ip === target) &&
    (result.kind !== 'route' || result.route.type !== 'local')
  )
    return localRouteMissing({ ns, link }, target);
  if (result.kind !== 'route') return proxies(ns, link) ? noWay(ns, result, target) : 'silent';
  // The request's sender passes the same source check as a packet would.
  const towards = result.route.type === 'local' ? 'lo' : (result.hop.dev ?? 'lo');
  const problem = sourceProblem(ns, routing, flow, towards, chooser);
  if (problem !== undefined) return result.route.type === 'local' || proxies(ns, link) ? problem : 'silent';
  if (result.route.type === 'local') {
    const ignore = Math.max(ns.conf(4, 'all', 'arp_ignore') ?? 0, ns.conf(4, link.name, 'arp_ignore') ?? 0);
    const onThis = link.addresses.some(({ ip }) => ip === target);
    if (ignore === 0 || (ignore <= 3 && onThis)) return 'answers';
    return { code: 'ARP_IGNORED', evidence: [sysctlEvidence(ns, link.name, 'arp_ignore')] };
  }
  const forwards = (ns.conf(4, link.name, 'forwarding') ?? ns.sysctlNumber('net.ipv4.ip_forward')) !== 0;
  if (!forwards || result.route.type !== 'unicast' || result.hop.dev === link.name) return 'silent';
  if (proxies(ns, link)) return 'answers';
  return { code: 'PROXY_ARP_OFF', evidence: [sysctlEvidence(ns, link.name, 'proxy_arp')] };
}

/** arp_process() answers as a proxy only for what the host has a route to. */
function noWay(ns: NetNamespace, result: Exclude<RouteResult, { kind: 'route' }>, target: Ip): Silence {
  return result.kind === 'refused' ? refusalFacts(ns.place, result, target) : noRouteFacts(ns, target);
}

function sysctlEvidence(ns: NetNamespace, dev: string, name: string): Evidence {
  const key = ns.confKey(4, dev, name);
  return { kind: 'sysctl', at: ns.place, locator: key, text: `${key} = ${ns.sysctl(key) ?? 'not collected'}` };
}
