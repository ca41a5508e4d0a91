import { describePacket, formatIp, type Evidence } from '#libs/model';
import {
  deviceStop,
  egress,
  hook,
  ingress,
  lookupRoute,
  runFamilyHook,
  showSkb,
  TCP,
  type Chooser,
  type Link,
  type NetNamespace,
  type Skb,
} from '#libs/netstack';
import { isUp, portForwards, ports, type Port } from './fabric.js';
import { leave, obstacle, runIn, type FlightContext, type Next } from './flight-context.js';
import { linkEvidence, resolveNeighbour, uncollectedEnd, type Transmit } from './segment.js';

/** A frame leaves by a veth or a bridge port whose other end is known. */
export function crossVeth(context: FlightContext, from: Port, to: Port, skb: Skb, mac: string): Next {
  const { recorder } = context;
  if (!isUp(to.link)) {
    recorder.enter(to.ns.place);
    obstacle(
      context,
      {
        code: 'IFACE_DOWN',
        subject: { ...to.ns.place, interface: to.link.name },
        evidence: [linkEvidence(to)],
        details: { interface: to.link.name },
      },
      'interface-down',
      skb,
    );
  }
  if (skb.length > to.link.mtu + VLAN_TAG) tooLongFor(context, from, to, skb);
  const moved = leave(skb);
  moved.srcMac ??= from.link.mac;
  const link = {
    from: placeId(from.ns),
    to: placeId(to.ns),
    type: 'veth' as const,
    fromInterface: from.link.name,
    toInterface: to.link.name,
  };
  if (to.link.master !== undefined) {
    const bridge = to.ns.link(to.link.master);
    if (bridge !== undefined) {
      recorder.link(link, moved);
      recorder.enter(to.ns.place);
      recorder.receive(to.link.name, moved);
      ingress(runIn(context, to.ns), to.link.name, moved, mac);
      return bridgeInput(context, to.ns, bridge, to.link, moved, mac);
    }
  }
  if (mac !== '' && mac !== to.link.mac) {
    recorder.enter(to.ns.place);
    obstacle(
      context,
      {
        code: 'NEIGH_WRONG_MAC',
        subject: { ...from.ns.place, interface: from.link.name },
        evidence: [macEvidence(context, from, skb, mac), linkEvidence(to)],
        details: { destination: formatIp(skb.dst), mac, interface: from.link.name },
      },
      'dropped',
      skb,
    );
  }
  return { kind: 'arrive', ns: to.ns, iif: to.link.name, skb: moved, prerouted: false, link };
}

/** is_skb_forwardable(): the other end of a pair drops what is longer than its own MTU and a VLAN tag, and tells nobody. */
const VLAN_TAG = 4;

function tooLongFor(context: FlightContext, from: Port, to: Port, skb: Skb): void {
  obstacle(
    context,
    {
      code: 'PMTU_BLACKHOLE',
      subject: { ...to.ns.place, interface: to.link.name },
      evidence: [
        { ...linkEvidence(to), text: `${to.link.name} mtu ${to.link.mtu}; the packet has ${skb.length} bytes` },
        linkEvidence(from),
      ],
      details: { mtu: to.link.mtu },
    },
    'dropped',
    skb,
  );
}

function macEvidence(context: FlightContext, from: Port, skb: Skb, mac: string): Evidence {
  const entry = [...(from.ns.neighbours ?? [])].find((neighbour) => neighbour.mac === mac);
  return {
    kind: 'neighbour',
    at: from.ns.place,
    locator: `neigh/${entry?.dev ?? from.link.name}`,
    text: entry?.text ?? `the frame for ${formatIp(skb.dst)} carries ${mac}`,
  };
}

function placeId(ns: NetNamespace): string {
  return ns.id;
}

/** bridge-nf-call-iptables of the namespace, or of the bridge itself. Without br_netfilter the sysctl does not exist. */
function callsIptables(ns: NetNamespace, bridge: Link, skb: Skb, chooser: Chooser): boolean {
  const family = skb.family === 4 ? 'iptables' : 'ip6tables';
  if (bridge.info[`nf_call_${family}`] === 1) return true;
  const key = `net.bridge.bridge-nf-call-${family}`;
  if (ns.sysctlsCollected) return ns.sysctlNumber(key) === 1;
  return chooser.guess(`whether bridged packets pass iptables on ${ns.id} (${key} was not collected)`);
}

/** br_handle_frame(): by its MAC address the frame goes up to the host, or on to another port. */
function bridgeInput(context: FlightContext, ns: NetNamespace, bridge: Link, port: Link, skb: Skb, mac: string): Next {
  const { recorder } = context;
  if (!isUp(bridge))
    obstacle(
      context,
      {
        code: 'IFACE_DOWN',
        subject: { ...ns.place, interface: bridge.name },
        evidence: [linkEvidence({ ns, link: bridge })],
        details: { interface: bridge.name },
      },
      'interface-down',
      skb,
    );
  if (!portForwards(port)) blockedPort(context, ns, port, skb);
  const vid = vlanOf(context, ns, bridge, port, skb);
  bridgeHook(context, ns, 'prerouting', skb, port.name, '');
  const filtered = callsIptables(ns, bridge, skb, context.chooser);
  let target = mac;
  if (filtered) {
    skb.physIn = port.name;
    const before = skb.dst;
    hook(runIn(context, ns), 'PREROUTING', skb, bridge.name, '');
    if (before !== skb.dst) {
      const redirected = bridgeRedirect(context, ns, bridge, skb);
      if (redirected === undefined) return { kind: 'lost', skb };
      target = redirected;
    }
  }
  if (target === bridge.mac || isLocalMac(ns, bridge, target)) {
    recorder.step({ kind: 'bridge', text: `${bridge.name}: for this host`, interface: bridge.name });
    bridgeHook(context, ns, 'input', skb, port.name, '');
    return { kind: 'arrive', ns, iif: bridge.name, skb, prerouted: filtered };
  }
  return bridgeForward(context, ns, bridge, port, skb, target, filtered, vid);
}

/**
 * br_nf_pre_routing_finish(): DNAT changed the destination. When the route leads back into the bridge the frame gets the
 * new owner's MAC address and stays bridged, else it goes up to be routed. undefined: an obstacle, nobody owns the address.
 */
function bridgeRedirect(context: FlightContext, ns: NetNamespace, bridge: Link, skb: Skb): string | undefined {
  const routing = ns.routing(skb.family);
  if (routing === undefined) return bridge.mac;
  const flow = {
    dst: skb.dst,
    src: skb.src,
    iif: bridge.name,
    mark: skb.mark,
    protocol: skb.protocol,
    sport: skb.sport,
    dport: skb.dport,
    tos: 0,
  };
  const result = lookupRoute(routing, flow, context.chooser);
  if (result.kind !== 'route' || result.route.type !== 'unicast' || result.hop.dev !== bridge.name) return bridge.mac;
  // With forwarding off ip_route_input() fails and the packet dies like a routed one: let the host's input say so.
  if ((ns.conf(skb.family, bridge.name, 'forwarding') ?? 1) === 0) return bridge.mac;
  context.recorder.step({
    kind: 'route',
    text: `route ${result.route.text}: stays on the bridge`,
    interface: bridge.name,
  });
  const out: Transmit = {
    kind: 'transmit',
    dev: bridge.name,
    nextHop: result.hop.gateway ?? skb.dst,
    skb,
    route: result.route.text,
    local: false,
  };
  return resolveNeighbour(context, ns, bridge, out);
}

/** br_allowed_ingress(): the VLAN of an untagged frame on a bridge that filters; undefined on one that does not. */
function vlanOf(context: FlightContext, ns: NetNamespace, bridge: Link, port: Link, skb: Skb): number | undefined {
  if (bridge.info.vlan_filtering !== 1) return undefined;
  if (ns.vlans === undefined) {
    if (
      !context.chooser.guess(
        `whether ${bridge.name} of ${ns.id} lets the frame pass (vlan_filtering is on, bridge-vlan.json was not collected)`,
      )
    )
      vlanFiltered(context, ns, port, 0, skb, 'insufficient-info');
    return undefined;
  }
  const pvid = ns.vlans.get(port.name)?.pvid;
  if (pvid === undefined) vlanFiltered(context, ns, port, 0, skb);
  return pvid;
}

function vlanFiltered(
  context: FlightContext,
  ns: NetNamespace,
  port: Link,
  vid: number,
  skb: Skb,
  disposition: 'dropped' | 'insufficient-info' = 'dropped',
): void {
  const vlans = [...(ns.vlans?.get(port.name)?.vids.keys() ?? [])].join(', ');
  obstacle(
    context,
    {
      code: 'VLAN_FILTERED',
      subject: { ...ns.place, interface: port.name },
      evidence: [
        {
          kind: 'link',
          at: ns.place,
          locator: `bridge-vlan/${port.name}`,
          text: `${port.name} carries VLANs: ${vlans === '' ? 'none' : vlans}`,
        },
      ],
      details: { vlan: vid === 0 ? 'for untagged frames' : vid, interface: port.name },
    },
    disposition,
    skb,
  );
}

/** nftables tables of family bridge: they drop where iptables does not look. */
function bridgeHook(context: FlightContext, ns: NetNamespace, name: string, skb: Skb, iif: string, oif: string): void {
  if (ns.native === undefined || ns.native.length === 0) return;
  const run = runIn(context, ns);
  runFamilyHook({
    ns,
    family: 'bridge',
    hook: name,
    skb,
    iif,
    oif,
    chooser: context.chooser,
    observer: {
      step: (step) => context.recorder.step(step),
      stopped: (stop) => deviceStop(run, iif === '' ? oif : iif, skb, stop),
    },
  });
}

function isLocalMac(ns: NetNamespace, bridge: Link, mac: string): boolean {
  return ports(ns, bridge).some((port) => port.mac === mac);
}

function blockedPort(context: FlightContext, ns: NetNamespace, port: Link, skb: Skb): void {
  const up = isUp(port);
  obstacle(
    context,
    {
      code: up ? 'BRIDGE_PORT_BLOCKED' : 'IFACE_DOWN',
      subject: { ...ns.place, interface: port.name },
      evidence: [
        {
          kind: 'link',
          at: ns.place,
          locator: `bridge-link/${port.name}`,
          text: `${port.name} state ${up ? (port.port?.state ?? 'unknown') : 'down'}`,
        },
      ],
      details: { interface: port.name, state: port.port?.state ?? 'unknown' },
    },
    up ? 'dropped' : 'interface-down',
    skb,
  );
}

/** br_forward(): to the port behind which the MAC address lives. `from` undefined: the host itself sends. */
export function bridgeForward(
  context: FlightContext,
  ns: NetNamespace,
  bridge: Link,
  from: Link | undefined,
  skb: Skb,
  mac: string,
  filtered: boolean,
  vid = vlanOf(context, ns, bridge, bridge, skb),
): Next {
  const { recorder } = context;
  // br_dev_xmit() does not send to an address of its own.
  const own = from === undefined && (mac === bridge.mac || isLocalMac(ns, bridge, mac));
  const found = own ? undefined : context.world.fabric.portTowards(ns, bridge, mac);
  if (found === 'uncollected') {
    return uncollectedEnd(
      context,
      ns,
      skb,
      `where ${bridge.name} of ${ns.id} sends frames for ${mac} (a pod on this bridge was not collected)`,
    );
  }
  if (found === undefined) {
    // The frame is flooded, and for each port that it would leave by the packet is forwarded first (br_flood(), br_nf_forward_ip()).
    const [flooded] = ports(ns, bridge).filter((port) => port !== from && portForwards(port));
    if (filtered && flooded !== undefined) {
      skb.physOut = flooded.name;
      hook(runIn(context, ns), 'FORWARD', skb, bridge.name, bridge.name);
    }
    unknownPort(context, ns, bridge, skb, mac);
    return { kind: 'lost', skb };
  }
  const { port, peer } = found;
  if (from !== undefined && port.name === from.name && !(from.port?.hairpin ?? false))
    obstacle(
      context,
      {
        code: 'HAIRPIN_OFF',
        subject: { ...ns.place, interface: port.name },
        evidence: [
          {
            kind: 'link',
            at: ns.place,
            locator: `bridge-link/${port.name}`,
            text: `${port.name} master ${bridge.name} hairpin off`,
          },
        ],
        details: { interface: port.name },
      },
      'dropped',
      skb,
    );
  if (from?.port?.isolated && port.port?.isolated)
    obstacle(
      context,
      {
        code: 'BRIDGE_PORT_BLOCKED',
        subject: { ...ns.place, interface: port.name },
        evidence: [
          {
            kind: 'link',
            at: ns.place,
            locator: `bridge-link/${port.name}`,
            text: `${from.name} and ${port.name} are isolated`,
          },
        ],
        details: { interface: port.name, state: 'isolated' },
      },
      'dropped',
      skb,
    );
  if (!portForwards(port)) blockedPort(context, ns, port, skb);
  if (vid !== undefined && ns.vlans?.get(port.name)?.vids.get(vid)?.untagged !== true)
    vlanFiltered(context, ns, port, vid, skb);
  recorder.step({ kind: 'bridge', text: `${bridge.name}: to port ${port.name}`, interface: port.name });
  bridgeHook(context, ns, from === undefined ? 'output' : 'forward', skb, from?.name ?? '', port.name);
  if (filtered) {
    skb.physOut = port.name;
    hook(runIn(context, ns), 'FORWARD', skb, bridge.name, bridge.name);
    hook(runIn(context, ns), 'POSTROUTING', skb, '', bridge.name);
  }
  bridgeHook(context, ns, 'postrouting', skb, '', port.name);
  recorder.transmit(port.name, skb);
  egress(runIn(context, ns), port.name, skb, mac);
  if (peer === 'outside') return { kind: 'exits', skb };
  return crossVeth(context, { ns, link: port }, peer, skb, mac);
}

function unknownPort(context: FlightContext, ns: NetNamespace, bridge: Link, skb: Skb, mac: string): void {
  obstacle(
    context,
    {
      code: 'MAC_MISMATCH',
      subject: { ...ns.place, interface: bridge.name },
      evidence: [
        {
          kind: 'fdb',
          at: ns.place,
          locator: `fdb/${bridge.name}/${mac}`,
          text: `no port of ${bridge.name} leads to ${mac}: ${describePacket(showSkb(skb))}`,
        },
      ],
      details: { mac, protocol: skb.protocol === TCP ? 'tcp' : 'udp' },
    },
    'dropped',
    skb,
  );
}
