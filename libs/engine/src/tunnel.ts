import { describePacket, formatIp, parseIp, type Ip } from '#libs/model';
import { send, showSkb, UDP, type Link, type NetNamespace, type Outcome, type Skb } from '#libs/netstack';
import { isUp } from './fabric.js';
import { obstacle, runIn, type FlightContext, type Next } from './flight-context.js';

type Transmit = Extract<Outcome, { kind: 'transmit' }>;

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
      out.local ? { kind: 'errno', errno: 'EHOSTUNREACH' } : { kind: 'icmp', type: 3, code: 1 },
    );
    return { kind: 'lost', skb };
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
    return { kind: 'lost', skb };
  }
  const outer = outerPacket(link, skb, remote, mac);
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
    dport: numberOf(link.info.port) ?? 8472,
    tcpFlags: 0,
    ttl: 64,
    mark: skb.mark,
    length: skb.length + VXLAN_HEADERS_V4,
    inner,
    innerMac: mac,
    vni: numberOf(link.info.id) ?? 0,
  };
}

/** vxlan_rcv(): a device with this port and VNI takes the packet out again. undefined: the outer packet is for nobody here. */
export function decapsulateVxlan(context: FlightContext, ns: NetNamespace, outer: Skb): Next | undefined {
  const inner = outer.inner;
  if (inner === undefined) return undefined;
  const devices = [...(ns.links?.values() ?? [])].filter((link) => link.kind === 'vxlan');
  const onPort = devices.filter((link) => (numberOf(link.info.port) ?? 8472) === outer.dport);
  const device = onPort.find((link) => isUp(link) && numberOf(link.info.id) === outer.vni);
  if (device === undefined) {
    const text =
      devices.length === 0
        ? 'no vxlan device'
        : devices
            .map(
              (link) =>
                `${link.name} id ${String(link.info.id)} dstport ${String(link.info.port)} ${isUp(link) ? 'up' : 'down'}`,
            )
            .join('; ');
    const down = onPort.find((link) => numberOf(link.info.id) === outer.vni);
    const code =
      devices.length === 0
        ? 'TUNNEL_DEVICE_MISSING'
        : down !== undefined
          ? 'IFACE_DOWN'
          : onPort.length === 0
            ? 'TUNNEL_PORT_MISMATCH'
            : 'VNI_MISMATCH';
    obstacle(
      context,
      {
        code,
        subject: { ...ns.place, interface: down?.name ?? onPort[0]?.name ?? devices[0]?.name ?? 'vxlan' },
        evidence: [{ kind: 'link', at: ns.place, locator: 'link/vxlan', text }],
        details: { actual: outer.vni ?? 0, expected: String(onPort[0]?.info.id ?? ''), interface: down?.name ?? '' },
      },
      code === 'IFACE_DOWN' ? 'interface-down' : 'dropped',
      outer,
    );
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

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function parseAddress(value: unknown): Ip | undefined {
  return typeof value === 'string' ? parseIp(value) : undefined;
}
