import { cidrContains, formatIp, type Cidr, type Evidence, type Ip } from '#libs/model';
import type { Address, Link, NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { addressEvidence, hostCidr, linkEvidence, missingLinkEvidence, onInterface } from './evidence.js';

/** What a device of a plugin has to be. */
export interface DevicePromise {
  readonly name: string;
  /** As `ip -d link` names it (vxlan, bridge, ipip); absent: any. */
  readonly kind?: string;
  readonly missing: 'IFACE_MISSING' | 'TUNNEL_DEVICE_MISSING';
  /** In place of the code's own. */
  readonly remedy?: string;
}

/** There, of the right kind, up, and with its carrier; undefined when all is well or links were not collected. */
export function deviceFinding(ns: NetNamespace, promise: DevicePromise): Finding | undefined {
  if (ns.links === undefined) return undefined;
  const { name, kind, missing, remedy } = promise;
  const link = ns.link(name);
  const subject = onInterface(ns, name);
  if (link === undefined || (kind !== undefined && link.kind !== kind))
    return {
      code: missing,
      subject,
      evidence: [
        missingLinkEvidence(ns, name, kind ?? ''),
        ...(link === undefined ? [] : [{ ...linkEvidence(ns, link), text: `${name} is a ${link.kind} device` }]),
      ],
      details: { interface: name },
      ...(remedy === undefined ? {} : { remedy }),
    };
  return linkStateFinding(ns, link);
}

/** Up and with carrier. A bridge without a port has no carrier and is fine; so is a device whose ARP is off by nature. */
export function linkStateFinding(ns: NetNamespace, link: Link): Finding | undefined {
  const state = !link.flags.has('UP')
    ? 'IFACE_DOWN'
    : link.kind !== 'bridge' && link.flags.has('NO-CARRIER')
      ? 'CARRIER_DOWN'
      : undefined;
  if (state === undefined) return undefined;
  return {
    code: state,
    subject: onInterface(ns, link.name),
    evidence: [linkEvidence(ns, link)],
    details: { interface: link.name },
  };
}

/** Ethernet without ARP resolves nothing; undefined when it is on. */
export function arpFinding(ns: NetNamespace, link: Link): Finding | undefined {
  if (!link.flags.has('NOARP') || link.flags.has('LOOPBACK')) return undefined;
  return {
    code: 'ARP_OFF',
    subject: onInterface(ns, link.name),
    evidence: [linkEvidence(ns, link)],
    details: { interface: link.name },
  };
}

/** The address is on this interface; undefined when it is. */
export function addressFinding(
  ns: NetNamespace,
  link: Link,
  wanted: { readonly ip: Ip; readonly length: number },
  why: Evidence,
): Finding | undefined {
  if (link.addresses.some(({ ip }) => ip === wanted.ip)) return undefined;
  return {
    code: 'ADDRESS_MISSING',
    subject: onInterface(ns, link.name),
    evidence: [addressEvidence(ns, link), why],
    details: { address: `${formatIp(wanted.ip)}/${wanted.length}`, interface: link.name },
  };
}

/** An address whose prefix takes others' networks for the own segment. */
export function wideAddressFinding(
  ns: NetNamespace,
  link: Link,
  { address, longer, swallowed }: { readonly address: Address; readonly longer: number; readonly swallowed: string },
): Finding {
  return {
    code: 'PREFIX_TOO_WIDE',
    subject: onInterface(ns, link.name),
    evidence: [
      addressEvidence(ns, link),
      { kind: 'address', at: ns.place, locator: `address/${link.name}`, text: `${address.text} contains ${swallowed}` },
    ],
    details: { address: address.text, interface: link.name },
    remedy: `ip addr replace ${formatIp(address.ip)}/${longer} dev ${link.name}; ip addr del ${address.text} dev ${link.name}`,
  };
}

/** An address that another place has by right: `owner` is that place. */
export function duplicateFinding(ns: NetNamespace, link: Link, ip: Ip, owner: string): Finding {
  return {
    code: 'ADDRESS_DUPLICATE',
    subject: onInterface(ns, link.name),
    evidence: [{ ...addressEvidence(ns, link), text: `${formatIp(ip)} is on ${link.name}, and belongs to ${owner}` }],
    details: { address: formatIp(ip), owners: `${owner}, ${link.name} of ${ns.place.name}`, interface: link.name },
    remedy: `ip addr del ${formatIp(ip)} dev ${link.name}`,
    concerns: hostCidr(ip),
  };
}

/** The same MTU at both ends of something, or none larger than what carries it. */
export function mtuFinding(
  ns: NetNamespace,
  link: Link,
  code: 'MTU_MISMATCH' | 'MTU_OVERLAY_TOO_BIG',
  expected: number,
  why: Evidence,
): Finding {
  return {
    code,
    subject: onInterface(ns, link.name),
    evidence: [linkEvidence(ns, link), why],
    details: { actual: link.mtu, expected, interface: link.name },
    remedy: `ip link set ${link.name} mtu ${expected}`,
  };
}

/** Whether `wide` contains all of `narrow`, and more. */
export function containsCidr(wide: Cidr, narrow: Cidr): boolean {
  return wide.length < narrow.length && cidrContains(wide, narrow.net);
}
