import { describePacket, formatIp, parseIp, type Evidence, type Ip } from '#libs/model';
import {
  hook,
  type Answer,
  IPIP,
  send,
  showSkb,
  UDP,
  type Link,
  type NetNamespace,
  type Skb,
  icmpError,
} from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { isUp } from './fabric.js';
import { obstacle, runIn, type FlightContext, type Next } from './flight-context.js';
import { unreachableHost, type Transmit } from './segment.js';

const VXLAN_HEADERS_V4 = 50;

/** vxlan_xmit(): neighbour entry → MAC of the far tunnel end → forwarding entry → its address; then the outer packet is sent. */
export function encapsulateVxlan(context: FlightContext, ns: NetNamespace, link: Link, out: Transmit): Next {
  const { skb, nextHop } = out;
  const entry = ns.neighbour(link.name, nextHop);
  const subject = { ...ns.place, interface: link.name };
  const details = { destination: formatIp(nextHop), interface: link.name };
  if (entry?.mac === undefined || entry.states.includes('FAILED')) {
    obstacle(
      context,
      {
        code: 'NEIGH_MISSING',
        subject,
        evidence: [
          {
            kind: 'neighbour',
            at: ns.place,
            locator: `neigh/${link.name}/${formatIp(nextHop)}`,
            text: entry?.text ?? `no entry for ${formatIp(nextHop)} on ${link.name}`,
          },
        ],
        details,
      },
      'neighbor-unreachable',
      skb,
      unreachableHost(out),
    );
    return pastMissingEntry(context, ns, link, skb);
  }
  const { mac } = entry;
  const fdb = (ns.fdb ?? []).filter((one) => one.dev === link.name && one.dst !== undefined);
  const exact = fdb.find((one) => one.mac === mac) ?? fdb.find((one) => one.mac === '00:00:00:00:00:00');
  const remote = exact?.dst ?? parseAddress(link.info.remote);
  if (
    ns.fdb === undefined &&
    !context.chooser.guess(`where ${link.name} of ${ns.id} sends frames for ${mac} (bridge-fdb.json was not collected)`)
  )
    return { kind: 'lost', skb };
  if (remote === undefined) {
    obstacle(
      context,
      {
        code: 'FDB_MISSING',
        subject,
        evidence: [
          {
            kind: 'fdb',
            at: ns.place,
            locator: `fdb/${link.name}/${mac}`,
            text: `no entry for ${mac} on ${link.name}; ${entry.text}`,
          },
        ],
        details: { ...details, mac },
      },
      'dropped',
      skb,
    );
    return pastMissingEntry(context, ns, link, skb);
  }
  if (ns.owns(remote) !== undefined) return bypassLoop(context, ns, link, out, remote);
  const local = parseAddress(link.info.local);
  const foreign = local !== undefined && ns.owns(local) === undefined;
  if (foreign) foreignLocal(context, ns, link, skb, local);
  const device = { ...outerPacket(link, skb, remote, mac), ...(foreign ? { src: undefined } : {}) };
  const outer = { ...device, dport: exact?.port ?? device.dport, vni: exact?.vni ?? device.vni };
  const overrides = exact !== undefined && (outer.dport !== device.dport || outer.vni !== device.vni);
  context.state.tunnelEntry = overrides ? { ns, link, entry: exact } : undefined;
  context.recorder.step({
    kind: 'encapsulate',
    text: `VXLAN ${outer.vni} to ${formatIp(remote)}: ${describePacket(showSkb(skb))}`,
    interface: link.name,
    evidence:
      exact === undefined
        ? undefined
        : { kind: 'fdb', at: ns.place, locator: `fdb/${link.name}/${exact.mac}`, text: exact.text },
    before: showSkb(skb),
    after: showSkb({ ...outer, src: outer.src ?? remote }),
  });
  return { kind: 'again', outcome: send(runIn(context, ns), outer, link.lower) };
}

/** Past an entry that is missing the packet goes to the tunnel's end on the node that it is meant for. */
function pastMissingEntry(context: FlightContext, ns: NetNamespace, link: Link, skb: Skb): Next {
  const { cluster, cni, namespaces } = context.world;
  const meant = cni.intendedNextHop(ns.place.name, skb.dst);
  const far = meant?.kind === 'node' ? namespaces.get(`node/${meant.name}`) : undefined;
  const end = [...(far?.links?.values() ?? [])].find((one) => one.kind === 'vxlan' && one.info.id === link.info.id);
  const remote =
    parseAddress(end?.info.local) ??
    (meant?.kind === 'node' ? cluster.nodes.get(meant.name)?.internalIps[0] : undefined);
  if (end === undefined || remote === undefined || ns.owns(remote) !== undefined) return { kind: 'lost', skb };
  context.state.tunnelEntry = undefined;
  return { kind: 'again', outcome: send(runIn(context, ns), outerPacket(link, skb, remote, end.mac), link.lower) };
}

/**
 * vxlan_encap_bypass(): a remote that is this host gets the frame at once, whoever its address names. The packet keeps its
 * route (netif_keep_dst()), so nothing is looked up again: it is forwarded into the same device until its TTL ends.
 */
function bypassLoop(context: FlightContext, ns: NetNamespace, link: Link, out: Transmit, remote: Ip): Next {
  const { skb } = out;
  const text = `the remote ${formatIp(remote)} is this host: back in by ${link.name}`;
  context.recorder.step({ kind: 'decapsulate', text, interface: link.name });
  const again: Skb = { ...skb };
  const run = runIn(context, ns);
  hook(run, 'PREROUTING', again, link.name, '');
  hook(run, 'FORWARD', again, link.name, link.name);
  const evidence: Evidence[] = [{ kind: 'address', at: ns.place, locator: `address/${formatIp(remote)}`, text }];
  const answer: Answer = out.local ? { kind: 'silence' } : icmpError(again.family, 'hop-limit');
  context.recorder.obstacle({
    facts: {
      code: 'ROUTING_LOOP',
      subject: { ...ns.place, interface: link.name },
      evidence,
      details: { destination: formatIp(skb.dst) },
    },
    cause: { code: 'LOCAL_ADDRESS_HIJACK', subject: ns.place, evidence, details: { destination: formatIp(remote) } },
    disposition: 'loop',
    // ip_forward() discards what a socket of this host still holds.
    answer,
    skb: again,
  });
  return { kind: 'lost', skb: again };
}

/** ip_route_output_key(): a tunnel cannot send from an address that the host does not have; the packet is dropped silently. */
function foreignLocal(context: FlightContext, ns: NetNamespace, link: Link, skb: Skb, local: Ip): void {
  const evidence = {
    kind: 'link' as const,
    at: ns.place,
    locator: `link/${link.name}`,
    text: `${link.name} local ${formatIp(local)}`,
  };
  obstacle(
    context,
    {
      code: 'TUNNEL_LOCAL_WRONG',
      subject: { ...ns.place, interface: link.name },
      evidence: [evidence],
      details: { actual: formatIp(local), expected: 'an address of this node', interface: link.name },
    },
    'dropped',
    skb,
  );
}

/** The mark stays on the packet within its namespace; the connection does not (iptunnel_xmit()). */
function outerPacket(link: Link, skb: Skb, remote: Ip, mac: string): Omit<Skb, 'src'> & { src?: Ip } {
  const inner: Skb = { ...skb, ct: undefined, untracked: undefined, physIn: undefined, physOut: undefined };
  return {
    family: typeof remote === 'number' ? 4 : 6,
    src: parseAddress(link.info.local),
    dst: remote,
    protocol: UDP,
    // The source port is a hash of the inner flow; no rule that we know asks for it.
    sport: 49152,
    dport: portOf(link),
    tcpFlags: 0,
    ttl: 64,
    mark: skb.mark,
    length: skb.length + VXLAN_HEADERS_V4,
    inner,
    innerMac: mac,
    vni: numberOf(link.info.id) ?? 0,
    tunnel: 'vxlan',
  };
}

/** Why no device of the host takes the packet out: the nearest one that would, if it were up or had this port or VNI. */
function noTunnelEnd(ns: NetNamespace, devices: readonly Link[], outer: Skb): Finding {
  const vni = outer.vni ?? 0;
  const onPort = devices.filter((link) => portOf(link) === outer.dport);
  const down = onPort.find((link) => numberOf(link.info.id) === vni);
  const near = down ?? onPort[0] ?? devices.find((link) => numberOf(link.info.id) === vni) ?? devices[0];
  const facts = {
    subject: near === undefined ? ns.place : { ...ns.place, interface: near.name },
    evidence: [
      { kind: 'link' as const, at: ns.place, locator: `link/${near?.name ?? 'vxlan'}`, text: tunnelText(near) },
    ],
  };
  if (near === undefined) return { ...facts, code: 'TUNNEL_DEVICE_MISSING', details: {} };
  const { name } = near;
  if (near === down) return { ...facts, code: 'IFACE_DOWN', details: { interface: name } };
  if (onPort.length === 0)
    return {
      ...facts,
      code: 'TUNNEL_PORT_MISMATCH',
      details: { actual: outer.dport, expected: portOf(near), interface: name },
    };
  return {
    ...facts,
    code: 'VNI_MISMATCH',
    details: { actual: numberOf(near.info.id) ?? 0, expected: vni, interface: name },
  };
}

/** Where the sender's forwarding entry names another port or VNI than its device, the entry is what is wrong. */
function wrongEntry({ state }: FlightContext, finding: Finding): Finding {
  const { tunnelEntry } = state;
  if (tunnelEntry === undefined) return finding;
  const { ns, link, entry } = tunnelEntry;
  const locator = `fdb/${link.name}/${entry.mac}`;
  return {
    ...finding,
    subject: { ...ns.place, interface: link.name },
    evidence: [{ kind: 'fdb', at: ns.place, locator, text: entry.text }, ...finding.evidence],
  };
}

function tunnelText(link: Link | undefined): string {
  if (link === undefined) return 'no vxlan device';
  return `${link.name} vxlan id ${numberOf(link.info.id) ?? 0} dstport ${portOf(link)} ${isUp(link) ? 'up' : 'down'}`;
}

/** The port that Linux's vxlan takes where none is given (not IANA's 4789). */
function portOf(link: Link): number {
  return numberOf(link.info.port) ?? 8472;
}

/** vxlan_rcv(): a device with this port and VNI takes the packet out again. undefined: the outer packet is for nobody here. */
export function decapsulateVxlan(context: FlightContext, ns: NetNamespace, outer: Skb): Next | undefined {
  const inner = outer.inner;
  if (inner === undefined) return undefined;
  const devices = [...(ns.links?.values() ?? [])].filter((link) => link.kind === 'vxlan');
  const onPort = devices.filter((link) => portOf(link) === outer.dport);
  const device = onPort.find((link) => isUp(link) && numberOf(link.info.id) === outer.vni);
  if (device === undefined) {
    const finding = wrongEntry(context, noTunnelEnd(ns, devices, outer));
    obstacle(context, finding, finding.code === 'IFACE_DOWN' ? 'interface-down' : 'dropped', outer);
    return undefined;
  }
  context.recorder.step({
    kind: 'decapsulate',
    text: `VXLAN ${outer.vni ?? 0} by ${device.name}: ${describePacket(showSkb(inner))}`,
    interface: device.name,
    before: showSkb(outer),
    after: showSkb(inner),
  });
  if (outer.innerMac !== undefined && outer.innerMac !== device.mac)
    obstacle(
      context,
      {
        code: 'MAC_MISMATCH',
        subject: { ...ns.place, interface: device.name },
        evidence: [
          {
            kind: 'link',
            at: ns.place,
            locator: `link/${device.name}`,
            text: `${device.name} has ${device.mac}, the frame is for ${outer.innerMac}`,
          },
        ],
        details: { mac: outer.innerMac },
      },
      'dropped',
      inner,
    );
  return { kind: 'arrive', ns, iif: device.name, skb: { ...inner, mark: 0 }, prerouted: false };
}

/** ipip_tunnel_xmit(): the far end is the device's remote, or for a device without one the route's gateway. */
export function encapsulateIp(context: FlightContext, ns: NetNamespace, link: Link, out: Transmit): Next {
  const { skb, nextHop } = out;
  const remote = parseAddress(link.info.remote) ?? (nextHop === skb.dst ? undefined : nextHop);
  if (remote === undefined) {
    obstacle(
      context,
      {
        code: 'TUNNEL_REMOTE_WRONG',
        subject: { ...ns.place, interface: link.name },
        evidence: [
          {
            kind: 'route',
            at: ns.place,
            locator: `link/${link.name}`,
            text: `${out.route}: no gateway, and ${link.name} has no remote`,
          },
        ],
        details: { actual: 'nowhere', expected: 'the node of the pod' },
      },
      'dropped',
      skb,
    );
    return { kind: 'lost', skb };
  }
  return sendOuter(context, ns, link, { ...plainOuter(link, skb, remote), protocol: IPIP, length: skb.length + 20 });
}

/** The peers of a wireguard device are in no dump: the packet is taken to go to the node that owns the address. */
export function encapsulateWireguard(
  context: FlightContext,
  ns: NetNamespace,
  link: Link,
  out: Transmit,
): Next | undefined {
  const { cluster, cni } = context.world;
  const { skb } = out;
  const intended = cni.intendedNextHop(ns.place.name, skb.dst);
  const node = intended?.kind === 'node' ? cluster.nodes.get(intended.name) : undefined;
  const remote = node?.internalIps.find((ip) => typeof ip === typeof skb.dst) ?? node?.internalIps[0];
  if (remote === undefined) return undefined;
  context.state.assumptions.add(
    `the wireguard peer of ${link.name} on ${ns.place.name} for ${formatIp(skb.dst)} is node ${node?.name ?? ''}`,
  );
  const port = numberOf(link.info.listen_port) ?? 51820;
  return sendOuter(context, ns, link, {
    ...plainOuter(link, skb, remote),
    protocol: UDP,
    sport: port,
    dport: port,
    length: skb.length + 60,
  });
}

function plainOuter(link: Link, skb: Skb, remote: Ip): Omit<Skb, 'src'> & { src?: Ip } {
  return {
    family: typeof remote === 'number' ? 4 : 6,
    src: parseAddress(link.info.local),
    dst: remote,
    protocol: IPIP,
    sport: 0,
    dport: 0,
    tcpFlags: 0,
    ttl: 64,
    mark: skb.mark,
    length: skb.length,
    inner: { ...skb, ct: undefined, untracked: undefined, physIn: undefined, physOut: undefined },
    tunnel: link.kind,
  };
}

function sendOuter(context: FlightContext, ns: NetNamespace, link: Link, outer: Omit<Skb, 'src'> & { src?: Ip }): Next {
  const inner = outer.inner;
  context.recorder.step({
    kind: 'encapsulate',
    text: `${link.kind} by ${link.name} to ${formatIp(outer.dst)}`,
    interface: link.name,
    ...(inner === undefined ? {} : { before: showSkb(inner) }),
    after: showSkb({ ...outer, src: outer.src ?? outer.dst }),
  });
  return { kind: 'again', outcome: send(runIn(context, ns), outer, link.lower) };
}

/** The receiving end of ipip and wireguard: a device of the kind, the one that names both ends before one that takes any. */
export function decapsulateIp(context: FlightContext, ns: NetNamespace, outer: Skb): Next | undefined {
  const { inner, tunnel } = outer;
  if (inner === undefined || tunnel === undefined) return undefined;
  const devices = [...(ns.links?.values() ?? [])].filter((link) => link.kind === tunnel);
  const fits = (link: Link, field: string, ip: Ip): boolean => {
    const value = parseAddress(link.info[field]);
    return value === undefined || value === ip;
  };
  const usable = devices.filter((link) => fits(link, 'local', outer.dst) && fits(link, 'remote', outer.src));
  const device = usable.find((link) => parseAddress(link.info.remote) !== undefined) ?? usable[0];
  if (device === undefined || !isUp(device)) {
    const text =
      devices.length === 0
        ? `no ${tunnel} device`
        : devices.map((link) => `${link.name} ${isUp(link) ? 'up' : 'down'}`).join('; ');
    obstacle(
      context,
      {
        code: device === undefined ? 'TUNNEL_DEVICE_MISSING' : 'IFACE_DOWN',
        subject: { ...ns.place, interface: device?.name ?? tunnel },
        evidence: [{ kind: 'link', at: ns.place, locator: `link/${tunnel}`, text }],
        details: { interface: device?.name ?? tunnel },
      },
      device === undefined ? 'dropped' : 'interface-down',
      outer,
      // ipip without a device answers protocol unreachable (ip_local_deliver_finish()); the inner sender does not see it.
    );
    return undefined;
  }
  context.recorder.step({
    kind: 'decapsulate',
    text: `${tunnel} by ${device.name}`,
    interface: device.name,
    before: showSkb(outer),
    after: showSkb(inner),
  });
  return { kind: 'arrive', ns, iif: device.name, skb: { ...inner, mark: 0 }, prerouted: false };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function parseAddress(value: unknown): Ip | undefined {
  return typeof value === 'string' ? parseIp(value) : undefined;
}
