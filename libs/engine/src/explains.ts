import type { SuspicionCode } from '#libs/model';

/** A device or its address is not as it should be: what depends on it fails one after the other. */
const DEVICE = codes(
  'IFACE_MISSING',
  'IFACE_DOWN',
  'CARRIER_DOWN',
  'VETH_PEER_MISSING',
  'NO_MASTER',
  'WRONG_MASTER',
  'BRIDGE_PORT_BLOCKED',
  'VLAN_FILTERED',
  'TUNNEL_DEVICE_MISSING',
  'ADDRESS_MISSING',
  'POD_IP_MISMATCH',
  'ADDRESS_DUPLICATE',
  'MAC_MISMATCH',
  'ARP_OFF',
  'PREFIX_TOO_WIDE',
);

/** Packets leave by another way than they should. */
const ROUTING = codes(
  'RULE_MISSING',
  'RULE_DIVERTS',
  'RULE_PROHIBIT',
  'LOCAL_ROUTE_MISSING',
  'LOCAL_ADDRESS_HIJACK',
  'POD_CIDR_CONFLICT',
  'IPAM_BLOCK_MISMATCH',
  'POD_ROUTE_MISSING',
  'POD_CIDR_ROUTE_MISSING',
  'ROUTE_SHADOWED',
  'ROUTE_WRONG_GATEWAY',
  'ROUTE_WRONG_DEVICE',
  'ROUTE_BLACKHOLE',
  'ROUTE_UNREACHABLE',
  'ROUTE_PROHIBIT',
  'NEXTHOP_DEAD',
  'NO_ROUTE',
);

const TUNNEL = codes(
  'VNI_MISMATCH',
  'TUNNEL_PORT_MISMATCH',
  'TUNNEL_LOCAL_WRONG',
  'TUNNEL_REMOTE_WRONG',
  'FDB_MISSING',
  'FDB_WRONG_VTEP',
  'FDB_WRONG_PORT',
  'NEIGH_MISSING',
  'NEIGH_WRONG_MAC',
);

const ANSWERING = codes('PROXY_ARP_OFF', 'ARP_IGNORED', 'IFACE_FORWARDING_OFF', 'IP_FORWARD_OFF');

const TRANSLATION = codes(
  'MASQUERADE_MISSING',
  'MASQUERADE_UNEXPECTED',
  'BRIDGE_NF_CALL_OFF',
  'CHAIN_MISSING',
  'IPSET_STALE',
);

/** What rules that filter hang on: sets, chains, and the source that they see. */
const FILTERING = codes('MASQUERADE_UNEXPECTED', 'BRIDGE_NF_CALL_OFF', 'CHAIN_MISSING', 'IPSET_STALE');

/** A policy rule leads into a table of its own, and what stands there is as it was meant. */
const DIVERSION = codes('RULE_DIVERTS');

/** Rules by hand that translate packets or keep them from being tracked. */
const FOREIGN = codes('FOREIGN_RULE', 'CONNTRACK_NOTRACK');

const SIZES = codes('MTU_MISMATCH', 'MTU_OVERLAY_TOO_BIG');

/** What is in front explains what comes after it when both concern the same packet. */
const RANKS: readonly ReadonlySet<SuspicionCode>[] = [DEVICE, ROUTING, TUNNEL, ANSWERING, FOREIGN, TRANSLATION, SIZES];

/** Obstacles that may be the consequence of something else, and of what. Any other obstacle is a cause in itself. */
const CONSEQUENCES: ReadonlyMap<SuspicionCode, readonly ReadonlySet<SuspicionCode>[]> = new Map([
  ['NO_ROUTE', [DEVICE, ROUTING, TRANSLATION, FOREIGN]],
  ['ROUTE_BLACKHOLE', [DIVERSION, codes('POD_ROUTE_MISSING'), FOREIGN]],
  ['PROXY_RULES_MISSING', [FOREIGN]],
  ['PMTU_BLACKHOLE', [SIZES]],
  ['TTL_EXCEEDED', [ROUTING, TUNNEL, FOREIGN]],
  ['ROUTE_UNREACHABLE', [DIVERSION]],
  ['ROUTE_PROHIBIT', [DIVERSION]],
  ['IP_FORWARD_OFF', [TUNNEL]],
  ['TARGET_PORT_MISMATCH', [FOREIGN]],
  ['CLOUD_NO_ROUTE', [DEVICE, ROUTING, TUNNEL, TRANSLATION, FOREIGN]],
  ['ENDS_BEYOND_MODEL', [DEVICE, ROUTING, TUNNEL]],
  ['GATEWAY_UNREACHABLE', [DEVICE, ROUTING, TUNNEL]],
  ['NEIGH_FAILED', [DEVICE, ROUTING, ANSWERING, TRANSLATION, FOREIGN, TUNNEL]],
  ['NEIGH_INCOMPLETE', [DEVICE, ROUTING, ANSWERING]],
  ['NEIGH_MISSING', [DEVICE, ROUTING, TUNNEL]],
  ['FDB_MISSING', [DEVICE, ROUTING, TUNNEL]],
  // The entry is wrong whoever leads there, unless the MAC address is that of before.
  ['NEIGH_WRONG_MAC', [DEVICE, codes('FDB_WRONG_PORT')]],
  ['MAC_MISMATCH', [DEVICE, ROUTING, TUNNEL]],
  ['PROXY_ARP_OFF', [DEVICE, ROUTING]],
  ['ARP_IGNORED', [DEVICE, ROUTING]],
  ['CARRIER_DOWN', [DEVICE]],
  ['VETH_PEER_MISSING', [DEVICE]],
  ['IFACE_DOWN', [TUNNEL, DEVICE]],
  ['TUNNEL_DEVICE_MISSING', [TUNNEL, DEVICE]],
  ['VNI_MISMATCH', [TUNNEL, DEVICE]],
  ['TUNNEL_PORT_MISMATCH', [TUNNEL, DEVICE]],
  ['POD_ROUTE_MISSING', [DEVICE]],
  ['POD_CIDR_ROUTE_MISSING', [DEVICE]],
  ['NEXTHOP_DEAD', [DEVICE]],
  ['RP_FILTER_DROP', [DEVICE, ROUTING, TUNNEL, TRANSLATION, FOREIGN]],
  ['MARTIAN_SOURCE', [DEVICE, ROUTING, TUNNEL, TRANSLATION, FOREIGN]],
  ['ROUTING_LOOP', [ROUTING, TUNNEL, DEVICE, FOREIGN]],
  ['IFACE_FORWARDING_OFF', [ROUTING, TUNNEL]],
  ['NO_LISTENER', [codes('LOCAL_ADDRESS_HIJACK', 'ADDRESS_DUPLICATE', 'POD_CIDR_CONFLICT'), TUNNEL, FOREIGN]],
  ['LISTENER_LOOPBACK_ONLY', [codes('LOCAL_ADDRESS_HIJACK', 'ADDRESS_DUPLICATE', 'POD_CIDR_CONFLICT'), TUNNEL]],
  ['CONNTRACK_INVALID_DROP', [ROUTING, TRANSLATION, TUNNEL, FOREIGN]],
  ['WRONG_SOURCE_ADDRESS', [ROUTING, TRANSLATION, DEVICE, TUNNEL, FOREIGN]],
  ['ASYMMETRIC_ROUTE', [ROUTING, TRANSLATION, DEVICE, TUNNEL, FOREIGN]],
  ['POLICY_STALE', [codes('IPSET_STALE')]],
  ['POLICY_DENIED_INGRESS', [FOREIGN, codes('MASQUERADE_UNEXPECTED')]],
  ['CALICO_POLICY_DENIED', [FOREIGN, codes('MASQUERADE_UNEXPECTED')]],
  ['ADMIN_POLICY_DENIED', [FOREIGN, codes('MASQUERADE_UNEXPECTED')]],
  ['FILTER_DROP', [FILTERING]],
  ['FILTER_REJECT', [FILTERING]],
  ['CHAIN_POLICY_DROP', [FILTERING]],
  ['NFT_DROP', [FILTERING]],
]);

/** How fundamental a finding is as the cause of an obstacle, from 0; undefined: it does not explain it. */
export function explains(obstacle: SuspicionCode, cause: SuspicionCode): number | undefined {
  const kinds = CONSEQUENCES.get(obstacle);
  if (kinds?.some((kind) => kind.has(cause)) !== true) return undefined;
  return RANKS.findIndex((kind) => kind.has(cause));
}

function codes(...list: readonly SuspicionCode[]): ReadonlySet<SuspicionCode> {
  return new Set(list);
}
