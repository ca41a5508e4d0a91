import { codesOf } from './entry.js';

const code = codesOf('LINK');

/** Interfaces, veth pairs, bridges and their ports. */
export const LINK_CODES = {
  IFACE_MISSING: code('critical', {
    message: 'There is no interface {interface} {at}[ ({text})]: what should leave or arrive by it is lost.',
    cause: 'The interface was deleted, or the pod or CNI agent that makes it was not set up to the end.',
    check: ['ip link show {interface}  # run it {at}'],
    remedy:
      '{at}: make {interface} again. For a pod: recreate the pod; for a device of the CNI plugin: restart its agent on the node.',
  }),
  IFACE_DOWN: code('critical', {
    message: '{subject} is administratively down: nothing leaves and nothing arrives by it.',
    cause: 'Somebody or something has run `ip link set {interface} down`, or the interface was made and never set up.',
    check: ['ip link show {interface}  # run it {at}: no UP between < and >'],
    remedy: '{at}: ip link set {interface} up',
  }),
  CARRIER_DOWN: code('critical', {
    message: '{subject} is up and has no carrier: the other end of the link is down or gone, so nothing passes.',
    cause:
      'The other end of a veth pair is down, or for a real interface the cable, the switch port or the virtual network card.',
    check: ['ip link show {interface}  # run it {at}: NO-CARRIER', 'ethtool {interface}  # Link detected: no'],
    remedy:
      'Set up the other end of {interface} {at}: for a veth pair `ip link set PEER up`, else cable, switch port or virtual card.',
  }),
  NO_MASTER: code('critical', {
    message:
      '{subject} is attached to no bridge[; it belongs to {bridge}]: its pod reaches neither the node nor other pods.',
    cause: 'The port was taken out of the bridge, or the bridge was deleted and made again without its ports.',
    check: ['ip link show {interface}  # run it {at}: no `master`', 'bridge link'],
    remedy: '{at}: ip link set {interface} master {bridge}',
  }),
  WRONG_MASTER: code('critical', {
    message:
      '{subject} is attached to {actual}, it should be attached to {bridge}: frames of its pod end up elsewhere.',
    cause: 'Somebody moved the port, or a second CNI plugin or Docker took it over.',
    check: ['ip link show {interface}  # run it {at}: the word after `master`'],
    remedy: '{at}: ip link set {interface} master {bridge}',
  }),
  VETH_PEER_MISSING: code('critical', {
    message: 'The other end of {subject} is not on its node: what the pod sends goes nowhere.',
    cause: 'The node end of the veth pair was moved to another namespace. (Deleting one end deletes both.)',
    check: [
      'ip -d link show {interface}  # run it {at}: the number after @if is the index of the other end on the node',
    ],
    remedy:
      'Recreate the pod, so that the CNI plugin makes its interface pair again: kubectl -n {namespace} delete pod {name}',
  }),
  VETH_PEER_MISMATCH: code('critical', {
    message:
      'The other end of {subject} belongs to something else: what the pod sends does not come out where its node expects it.',
    cause:
      'The interface index that the pod names as its peer is another device on the node: the pair was replaced on one side only.',
    check: ['ip -d link show {interface}  # run it {at}, compare with `ip link` of the node'],
    remedy:
      'Recreate the pod, so that the CNI plugin makes its interface pair again: kubectl -n {namespace} delete pod {name}',
  }),
  BRIDGE_PORT_BLOCKED: code('critical', {
    message: 'Bridge port {subject} does not forward frames (it is {state}): they are dropped at this port.',
    cause: 'Spanning tree has blocked the port, somebody set its state, or both ports are isolated from each other.',
    check: ['bridge -d link show dev {interface}  # run it {at}: state, isolated'],
    remedy:
      '{at}: bridge link set dev {interface} state 3 (forwarding); for an isolated port: bridge link set dev {interface} isolated off',
  }),
  HAIRPIN_OFF: code('critical', {
    message:
      'Bridge port {subject} has hairpin off: a frame may not leave by the port that it came in by, so a pod cannot reach itself through its Service.',
    cause: 'The bridge drops frames that would go back out of their own port unless hairpin mode is on for it.',
    check: ['bridge -d link show dev {interface}  # run it {at}: hairpin off'],
    remedy: '{at}: bridge link set dev {interface} hairpin on. For all new pods: hairpinMode in the CNI configuration.',
  }),
  VLAN_FILTERED: code('critical', {
    message: 'Bridge port {subject} does not carry VLAN {vlan}: the bridge drops the frame there.',
    cause: 'vlan_filtering is on for the bridge, and the VLAN is not among those of this port.',
    check: ['bridge vlan show dev {interface}  # run it {at}'],
    remedy: '{at}: bridge vlan add dev {interface} vid {vlan}',
  }),
  ADDRESS_MISSING: code('critical', {
    message: '{subject} lacks the address {address}: nobody answers for it[ ({text})].',
    cause: 'The address was removed, or put on another interface or host.',
    check: ['ip addr show  # run it {at}'],
    remedy: '{at}: put the address back on its interface: ip addr add {address}[ dev {interface}]',
  }),
  ADDRESS_DUPLICATE: code('critical', {
    message: '{address} is configured in more than one place: {owners}. Which of them answers is chance.',
    cause: 'An address was configured by hand, or two nodes give out addresses from the same network.',
    check: ['ip addr | grep {address}  # run it on each of them', 'arping -D -I INTERFACE {address}'],
    remedy: 'Remove it where it does not belong: ip addr del {address} dev INTERFACE',
  }),
  PREFIX_TOO_WIDE: code('critical', {
    message:
      '{subject} has {address}: its prefix takes networks behind other hosts for its own segment, so it asks for them by ARP and nobody answers.',
    cause: 'The address was configured with a prefix length that is too short.',
    check: ['ip addr show {interface}  # run it {at}', 'ip route show dev {interface}'],
    remedy: '{at}: add the address with its right prefix length, then ip addr del {address} dev {interface}',
  }),
  ARP_OFF: code('critical', {
    message:
      '{subject} has ARP switched off: it neither asks for the MAC address of others nor answers, so frames reach nobody.',
    cause: 'Somebody or something has run `ip link set {interface} arp off`.',
    check: ['ip link show {interface}  # run it {at}: NOARP between < and >'],
    remedy: '{at}: ip link set {interface} arp on',
  }),
  MAC_MISMATCH: code('critical', {
    message:
      'Frames for {subject} carry the MAC address {mac}, which is not its own[ ({text})]: they are dropped there.',
    cause:
      'The MAC address of the interface was changed after others learned it, or a neighbour or forwarding entry is wrong.',
    check: ['ip link show  # run it {at}', 'ip neigh; bridge fdb  # run it on the sender'],
    remedy:
      'Delete the entry with {mac} on the sender (ip neigh del, bridge fdb del), or restart the CNI agent {at} so that it tells the others.',
  }),
  TC_DROP: code('critical', {
    message: 'A traffic control filter at {subject}[ ({direction})] drops the packet: {text}.',
    cause:
      'A tc filter with the action drop stands at this interface: an eBPF CNI, a bandwidth limiter, a chaos tool, or a test left it.',
    check: ['tc -s filter show dev {interface} ingress; tc -s filter show dev {interface} egress  # run it {at}'],
    remedy: '{at}: tc filter del dev {interface} {direction}. If a chaos tool or agent wrote it, stop that first.',
  }),
  DROPS_HIGH: code('warning', {
    message: '{subject} has dropped packets[ ({count})]: some connections through it may stall.',
    cause: 'Its queue was full, its ring buffer too small, or frames arrived for a protocol that nobody handles.',
    check: ['ip -s -s link show {interface}  # run it {at}, twice: does the number rise?'],
    remedy:
      '{at}: look at load and driver (ethtool -S {interface}); enlarge the ring with ethtool -G, or the queue with ip link set txqueuelen.',
  }),
} as const;
