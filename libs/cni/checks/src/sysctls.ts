import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { onInterface, sysctlEvidence } from './evidence.js';

const IP_FORWARD = 'net.ipv4.ip_forward';
const BRIDGE_NF_CALL = 'net.bridge.bridge-nf-call-iptables';

/**
 * IN_DEV_FORWARD(): packets that come in by these devices are forwarded. ip_forward is only the switch that sets all devices;
 * each device has a flag of its own (Documentation/networking/ip-sysctl.rst).
 */
export function forwardingFindings(ns: NetNamespace, devices: readonly string[]): Finding[] {
  const off = devices.filter((dev) => ns.link(dev) !== undefined && ns.conf(4, dev, 'forwarding') === 0);
  const all = ns.sysctlNumber(IP_FORWARD);
  if (all === 0) {
    const known = devices.filter((dev) => ns.conf(4, dev, 'forwarding') !== undefined);
    if (known.length > 0 && off.length === 0) return [];
    return [
      {
        code: 'IP_FORWARD_OFF',
        subject: ns.place,
        evidence: [sysctlEvidence(ns, IP_FORWARD)],
        details: { key: IP_FORWARD },
      },
    ];
  }
  return off.map((dev): Finding => {
    const key = ns.confKey(4, dev, 'forwarding');
    return {
      code: 'IFACE_FORWARDING_OFF',
      subject: onInterface(ns, dev),
      evidence: [sysctlEvidence(ns, key)],
      details: { key, interface: dev },
    };
  });
}

/** br_netfilter: frames between two ports of the bridge pass iptables, so that answers of a service find their way back. */
export function bridgeNetfilterFinding(ns: NetNamespace, bridge: string): Finding | undefined {
  const link = ns.link(bridge);
  if (link === undefined || ns.sysctl(BRIDGE_NF_CALL) !== '0') return undefined;
  if (link.info.nf_call_iptables === 1) return undefined;
  return {
    code: 'BRIDGE_NF_CALL_OFF',
    subject: onInterface(ns, bridge),
    evidence: [sysctlEvidence(ns, BRIDGE_NF_CALL)],
    details: { key: BRIDGE_NF_CALL },
  };
}

/** proxy_arp: the node answers for the link-local gateway that its pods have (arp_fwd_proxy()). */
export function proxyArpFinding(ns: NetNamespace, dev: string): Finding | undefined {
  const key = ns.confKey(4, dev, 'proxy_arp');
  if (ns.sysctl(key) !== '0' || ns.conf(4, 'all', 'proxy_arp') === 1) return undefined;
  return {
    code: 'PROXY_ARP_OFF',
    subject: onInterface(ns, dev),
    evidence: [sysctlEvidence(ns, key)],
    details: { key, interface: dev },
  };
}
