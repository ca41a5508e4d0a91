import { codesOf } from './entry.js';

const code = codesOf('MTU');

/** Packet sizes along the way. */
export const MTU_CODES = {
  MTU_MISMATCH: code('warning', {
    message:
      '{subject} has MTU {actual}, the rest of the way {expected}: larger packets do not get through the smaller one.',
    cause:
      'The two ends of a link, or a pod and the way that its packets take, were set up with different packet sizes.',
    check: ['ip link show {interface}  # run it {at}: mtu', 'ping -M do -s 1472 DESTINATION  # from the pod'],
    remedy: '{at}: ip link set {interface} mtu {expected}',
  }),
  MTU_OVERLAY_TOO_BIG: code('warning', {
    message:
      '{subject} has MTU {actual}; the tunnel that carries its packets leaves room for {expected}: full-size packets are lost or fragmented.',
    cause: 'The tunnel adds a header (VXLAN 50 bytes, IPIP 20), and the MTU in front of it was not lowered by that.',
    check: ['ip link show {interface}  # run it {at}: mtu', 'ip -d link show type vxlan  # run it on the node'],
    remedy: '{at}: ip link set {interface} mtu {expected}. For new pods: the mtu in the CNI configuration.',
  }),
  PMTU_BLACKHOLE: code('critical', {
    message:
      'Packets that are longer than {mtu} bytes are dropped at {subject}, and the sender is not told: small requests work, large answers hang.',
    cause:
      'An interface on the way is smaller than the sender believes, and no ICMP "fragmentation needed" reaches the sender (a bridge never sends one, a firewall may eat it).',
    check: ['ip link show {interface}  # run it {at}: mtu', 'tracepath DESTINATION  # from the client'],
    remedy:
      'Give all interfaces on the way the same MTU (raise {subject} above {mtu}, or lower the MTU of the pods to {mtu}), and let ICMP type 3 code 4 pass.',
  }),
  MSS_CLAMP_MISSING: code('info', {
    message: 'No rule clamps the TCP MSS at {subject}: connections through it depend on path MTU discovery.',
    cause: 'Where ICMP is filtered somewhere, a TCPMSS rule is what keeps large segments small enough.',
    check: ['iptables -t mangle -S FORWARD | grep TCPMSS  # run it {at}'],
    remedy:
      'Only where large answers hang, {at}: iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu',
  }),
} as const;
