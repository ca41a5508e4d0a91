import { codesOf } from './entry.js';

const code = codesOf('CONNTRACK');

/** Connection tracking. */
export const CONNTRACK_CODES = {
  CONNTRACK_FULL: code('critical', {
    message:
      'The connection table of {subject} is full ({text}): new connections are dropped silently, old ones go on.',
    cause:
      'More connections than net.netfilter.nf_conntrack_max: a burst, a leak of connections, or many short UDP exchanges (DNS).',
    check: [
      'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max  # run it {at}',
      'dmesg | grep "table full"',
    ],
    remedy:
      '{at}: sysctl -w net.netfilter.nf_conntrack_max=524288 (kube-proxy sets it: conntrack.maxPerCore), then find who opens so many connections.',
  }),
  CONNTRACK_NEAR_FULL: code('warning', {
    message: 'The connection table of {subject} is nearly full ({count} of {max}): soon new connections are dropped.',
    cause: 'More connections than planned for: a burst, a leak of connections, or many short UDP exchanges (DNS).',
    check: ['sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max  # run it {at}'],
    remedy: '{at}: sysctl -w net.netfilter.nf_conntrack_max=524288 (kube-proxy sets it: conntrack.maxPerCore)',
  }),
  CONNTRACK_STALE_ENTRY: code('critical', {
    message:
      '{subject} still holds an old connection for these addresses and ports, and treats the packet as part of it: {text}.',
    cause:
      'The entry was made before the rules or endpoints changed. UDP clients that never change their port keep it alive.',
    check: ['conntrack -L -d ADDRESS  # run it {at}'],
    remedy: '{at}: conntrack -D -p PROTOCOL --orig-src SOURCE --orig-dst DESTINATION with the values of that entry',
  }),
  CONNTRACK_INVALID_DROP: code('critical', {
    message:
      '{subject} drops the packet silently, because connection tracking finds it INVALID (it never saw the start of the connection), in {rule}: {text}',
    cause: 'The two directions take different ways, so this host sees only the answers.',
    check: ['conntrack -S  # run it {at}: invalid rises', 'ip route get SOURCE  # at both ends'],
    remedy:
      'Let both directions pass this host (correct the route back). Until then, {at}: sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1',
  }),
  CONNTRACK_NOTRACK: code('info', {
    message:
      'The packet is not tracked at {subject}[, by {rule}: {text}]: NAT and rules by connection state do not apply to it.',
    cause: 'A rule in the table raw (NOTRACK, CT --notrack) or a Calico policy with doNotTrack matches.',
    check: ['iptables -t raw -S  # run it {at}'],
    remedy: 'Nothing to change when it is meant; else remove the rule.',
  }),
} as const;
