import { codesOf } from './entry.js';

const code = codesOf('SYSCTL');

/** Kernel settings that make a host drop or ignore packets. */
export const SYSCTL_CODES = {
  IP_FORWARD_OFF: code('critical', {
    message: '{subject} does not forward packets ({text}): what is not for itself is dropped silently.',
    cause:
      'IP forwarding was switched off, most often by `sysctl --system` with a hardening file, or by a network manager.',
    check: ['sysctl {key}  # run it {at}', 'grep -r ip_forward /etc/sysctl.conf /etc/sysctl.d'],
    remedy: '{at}: sysctl -w {key}=1, and set it in /etc/sysctl.d as well',
    remedyForPod:
      'Leave the pod as it is: the packet is not for it. Correct what led the packet there: a route, a neighbour or forwarding entry, or an address that the pod should have and lacks.',
  }),
  IFACE_FORWARDING_OFF: code('critical', {
    message: '{subject} does not forward packets that come in there ({text}): they are dropped silently.',
    cause:
      'Forwarding is on for the host and off for this interface; it was made while forwarding was off, or set by hand.',
    check: ['sysctl {key}  # run it {at}'],
    remedy: '{at}: sysctl -w {key}=1',
    remedyForPod:
      'Leave the pod as it is: the packet is not for it. Correct what led the packet there: a route, a neighbour or forwarding entry, or an address that the pod should have and lacks.',
  }),
  RP_FILTER_DROP: code('critical', {
    message:
      '{subject} drops the packet silently: the way back to its source {source} does not lead out of the interface that it came in by ({text}).',
    cause: 'Strict reverse path filtering (RFC 3704) together with routes that are not the same in both directions.',
    check: [
      'sysctl {key}  # run it {at}',
      'ip route get {source}  # should name the interface',
      'nstat -az TcpExtIPReversePathFilter',
    ],
    remedy:
      '{at}: correct the routes until `ip route get {source}` names that interface. Where the two ways are meant to differ and the value is 1: sysctl -w {key}=2',
  }),
  MARTIAN_SOURCE: code('critical', {
    message: '{subject} drops the packet silently: {source} may not be the source of what comes in there[: {text}].',
    cause:
      'The source is an own address of the host, a loopback, multicast or broadcast address: an address is configured twice, or a packet came back.',
    check: [
      'ip addr | grep {source}  # run it {at}',
      'sysctl -w net.ipv4.conf.all.log_martians=1; dmesg | grep martian',
    ],
    remedy:
      '{at}: ip addr del {source} dev INTERFACE, unless the address belongs there; then remove it from the sender.',
  }),
  ROUTE_LOCALNET_OFF: code('critical', {
    message: '{subject} drops packets from or to 127.0.0.0/8 on other interfaces than lo ({text}).',
    cause: 'Node ports at 127.0.0.1 and some redirections need route_localnet on the interface.',
    check: ['sysctl {key}  # run it {at}'],
    remedy: '{at}: sysctl -w {key}=1',
  }),
  ARP_IGNORED: code('critical', {
    message: '{subject} does not answer ARP for {destination} ({text}), so others on the segment cannot send to it.',
    cause:
      'arp_ignore is set: for load balancing by direct routing or kube-proxy in ipvs mode with strictARP it should be 1, not more.',
    check: ['sysctl {key}  # run it {at}'],
    remedy: '{at}: sysctl -w {key}=0',
  }),
  PROXY_ARP_OFF: code('critical', {
    message: '{subject} does not answer ARP for the gateway of its pod ({text}): the pod cannot send anything.',
    cause:
      'Pods of this plugin have a link-local gateway that the node answers for by proxy ARP, and that was switched off.',
    check: ['sysctl {key}  # run it {at}'],
    remedy: '{at}: sysctl -w {key}=1',
  }),
  BRIDGE_NF_CALL_OFF: code('critical', {
    message:
      'Frames between two pods on a bridge {at} do not pass iptables ({text}), so answers of a Service on the same node are not translated back and the client drops them.',
    cause: 'The module br_netfilter is not loaded, or the switch is off.',
    check: ['sysctl net.bridge.bridge-nf-call-iptables  # run it {at}', 'lsmod | grep br_netfilter'],
    remedy: '{at}: modprobe br_netfilter; sysctl -w net.bridge.bridge-nf-call-iptables=1',
  }),
} as const;
