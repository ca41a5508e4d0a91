import { codesOf } from './entry.js';

const code = codesOf('NEIGH');

/** ARP, neighbour discovery and forwarding entries of bridges and tunnels. */
export const NEIGH_CODES = {
  NEIGH_FAILED: code('critical', {
    message:
      '{subject} asks for the MAC address of {destination} and nobody on its segment answers: the packet is dropped (host unreachable).',
    cause: 'The next hop is down, has another address, is on another segment, or does not answer ARP.',
    check: ['ip neigh show {destination}  # run it {at}: FAILED', 'arping -I {interface} {destination}'],
    remedy: 'Bring {destination} up on the segment of {subject}, or correct the route {at} that names it as next hop.',
  }),
  NEIGH_INCOMPLETE: code('critical', {
    message:
      '{subject} has asked for the MAC address of {destination} and got no answer yet: packets wait, then are dropped (host unreachable).',
    cause: 'The next hop is down, has another address, is on another segment, or does not answer ARP.',
    check: ['ip neigh show {destination}  # run it {at}: INCOMPLETE', 'arping -I {interface} {destination}'],
    remedy: 'Bring {destination} up on the segment of {subject}, or correct the route {at} that names it as next hop.',
  }),
  NEIGH_WRONG_MAC: code('critical', {
    message:
      '{subject} has a fixed neighbour entry with a wrong MAC address for {destination}[ ({mac})]: frames go to nobody.',
    cause:
      'A PERMANENT entry was written by hand or by the CNI agent, and the host behind it has another MAC address now.',
    check: ['ip neigh show {destination}  # run it {at}', 'ip link show  # on the host that has {destination}'],
    remedy: '{at}: ip neigh del {destination} dev {interface}',
  }),
  NEIGH_MISSING: code('critical', {
    message:
      '{subject} has no neighbour entry for {destination}[ (node {owner})], and a tunnel device does not ask: packets into the tunnel are dropped.',
    cause:
      'The CNI agent writes one entry for each other node. It has not (not running, cannot see the node), or somebody deleted it.',
    check: [
      'ip neigh show dev {interface}  # run it {at}',
      'kubectl -n kube-system get pods -o wide  # the CNI agent of the node',
    ],
    remedy: 'Restart the CNI agent {at}: it writes the neighbour entry of {destination} again.',
  }),
  FDB_MISSING: code('critical', {
    message:
      '{subject} has no forwarding entry for the MAC address {mac}[ (node {owner})], so it does not know to which node the tunnel packet goes and drops it.',
    cause: 'The CNI agent writes one entry for each other node. It has not, or somebody deleted it.',
    check: ['bridge fdb show dev {interface} | grep {mac}  # run it {at}'],
    remedy: '{at}: bridge fdb append {mac} dev {interface} dst ADDRESS-OF-THE-NODE, or restart the CNI agent',
  }),
  FDB_WRONG_VTEP: code('critical', {
    message:
      'The forwarding entry of {subject} for {mac} leads to {actual}; the node behind it[ ({owner})] has {expected}: tunnel packets go to the wrong host.',
    cause: 'The node got another address, or the entry was written by hand.',
    check: ['bridge fdb show dev {interface} | grep {mac}  # run it {at}'],
    remedy: '{at}: bridge fdb replace {mac} dev {interface} dst {expected} self permanent',
  }),
  FDB_WRONG_PORT: code('critical', {
    message: 'The forwarding entry of {subject} for {mac} leads to port {actual}, which is not where that host is.',
    cause: 'A fixed forwarding entry of the bridge was written by hand, or two hosts have the same MAC address.',
    check: ['bridge fdb show | grep {mac}  # run it {at}'],
    remedy: '{at}: bridge fdb del {mac} dev {actual} master',
  }),
  ARP_TABLE_FULL: code('critical', {
    message: 'The neighbour table of {subject} is full: new hosts on its segments are not resolved.',
    cause:
      'There are more neighbours than net.ipv4.neigh.default.gc_thresh3 allows; large flat pod networks need more.',
    check: [
      'ip neigh | wc -l  # run it {at}',
      'sysctl net.ipv4.neigh.default.gc_thresh3',
      'dmesg | grep "neighbour table overflow"',
    ],
    remedy: '{at}: sysctl -w net.ipv4.neigh.default.gc_thresh3=8192',
  }),
} as const;
