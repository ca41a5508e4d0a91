import { cause } from '../cause.js';
import { bridged, faultsOf, quickArp, step } from '../fault.js';

function set(key: string, value: number): string {
  return `sysctl -qw net.${key}=${value}`;
}

export const SYSCTL_FAULTS = faultsOf('sysctl', [
  [
    'ip-forward-off',
    'node2 does not forward',
    {
      causes: () => [cause('IP_FORWARD_OFF', 'node2', 'net.ipv4.ip_forward | forwarding')],
      steps: () => [step('node2', set('ipv4.ip_forward', 0))],
    },
  ],
  [
    'eth0-forwarding-off',
    'node2 does not forward what comes in by eth0',
    {
      causes: () => [cause('IFACE_FORWARDING_OFF', 'node2', 'net.ipv4.conf.eth0.forwarding')],
      steps: () => [step('node2', set('ipv4.conf.eth0.forwarding', 0))],
    },
  ],
  [
    'pod-side-forwarding-off',
    'node2 does not forward what comes from its pods',
    {
      causes: (t) => [
        cause(
          'IFACE_FORWARDING_OFF',
          'node2',
          `conf.${t.isBridged ? 'cni0' : t.veth('web-1')}.forwarding | conf.${t.veth('client-1')}.forwarding`,
        ),
      ],
      steps: (t) =>
        (t.isBridged ? ['cni0'] : [t.veth('web-1'), t.veth('client-1')]).map((device) =>
          step('node2', set(`ipv4.conf.${device}.forwarding`, 0)),
        ),
    },
  ],
  [
    'rp-filter-strict-asymmetric',
    "node2 filters reverse paths and looks for node1's pods elsewhere",
    {
      causes: (t) => [
        cause('RP_FILTER_DROP ROUTE_WRONG_DEVICE', 'node2', t.cidr('node1')),
        cause('RP_FILTER_DROP', 'node2', 'rp_filter'),
      ],
      steps: (t) => [
        step(
          'node2',
          `${set('ipv4.conf.eth0.rp_filter', 1)} && ip link add br9 type bridge && ${quickArp('br9')} && ip link set br9 up && ip route replace ${t.cidr('node1')} dev br9`,
        ),
      ],
    },
  ],
  [
    'rp-filter-off-asymmetric',
    "node2 filters nothing and looks for node1's pods elsewhere",
    {
      causes: (t) => [cause('ROUTE_WRONG_DEVICE', 'node2', t.cidr('node1'))],
      steps: (t) => [
        step(
          'node2',
          `${set('ipv4.conf.eth0.rp_filter', 0)} && ip link add br9 type bridge && ${quickArp('br9')} && ip link set br9 up && ip route replace ${t.cidr('node1')} dev br9`,
        ),
      ],
    },
  ],
  [
    'rp-filter-strict-all',
    'all nodes filter reverse paths strictly',
    {
      harmless: 'all ways are symmetric',
      steps: () => ['node1', 'node2', 'node3'].map((node) => step(node, set('ipv4.conf.all.rp_filter', 1))),
    },
  ],
  [
    'rp-filter-strict-detour',
    "node1 sends node2's pods over node3, node2 is strict",
    {
      causes: (t) => [
        cause('ROUTE_WRONG_GATEWAY', 'node1', t.cidr('node2')),
        cause('RP_FILTER_DROP', 'node2', 'rp_filter'),
      ],
      steps: (t) => [
        step('node1', `ip route replace ${t.cidr('node2')} ${t.via('node3')}`),
        step('node2', set('ipv4.conf.all.rp_filter', 1)),
      ],
    },
  ],
  [
    'rp-filter-no-route-back',
    'node2 has no route back to outside',
    {
      causes: () => [cause('RP_FILTER_DROP', 'node2', 'rp_filter'), cause('NO_ROUTE', 'node2')],
      steps: () => [step('node2', `${set('ipv4.conf.eth0.rp_filter', 2)} && ip route del default`)],
    },
  ],
  [
    'pod-rp-filter',
    'web-1 filters reverse paths and has no default route',
    {
      causes: (t) => [cause('RP_FILTER_DROP NO_ROUTE', t.at('web-1'))],
      steps: (t) => [step(t.at('web-1'), `${set('ipv4.conf.all.rp_filter', 1)} && ip route del default`)],
    },
  ],
  [
    'route-localnet-off',
    'node1 does not route 127.0.0.0/8',
    {
      causes: () => [cause('ROUTE_LOCALNET_OFF MARTIAN_SOURCE', 'node1', 'route_localnet')],
      steps: () => [step('node1', set('ipv4.conf.all.route_localnet', 0))],
    },
  ],
  [
    'bridge-nf-call-off',
    'iptables do not see what node1 bridges',
    {
      causes: () => [cause('BRIDGE_NF_CALL_OFF', 'node1', 'bridge-nf-call-iptables')],
      fits: bridged,
      steps: () => [step('node1', set('bridge.bridge-nf-call-iptables', 0))],
    },
  ],
  [
    'detour-be-liberal',
    'a detour over node3, whose conntrack is liberal',
    {
      causes: (t) => [cause('ROUTE_WRONG_GATEWAY', 'node1', t.cidr('node2'))],
      steps: (t) => [
        step('node1', `ip route replace ${t.cidr('node2')} ${t.via('node3')}`),
        step('node3', set('netfilter.nf_conntrack_tcp_be_liberal', 1)),
      ],
    },
  ],
  [
    'detour-not-loose',
    'a detour over node3, whose conntrack picks up nothing',
    {
      causes: (t) => [cause('ROUTE_WRONG_GATEWAY', 'node1', t.cidr('node2'))],
      steps: (t) => [
        step('node1', `ip route replace ${t.cidr('node2')} ${t.via('node3')}`),
        step('node3', set('netfilter.nf_conntrack_tcp_loose', 0)),
      ],
    },
  ],
  [
    'answers-detour',
    "node2 sends its answers to node1's pods over node3",
    {
      causes: (t) => [cause('ROUTE_WRONG_GATEWAY ASYMMETRIC_ROUTE', 'node2', t.cidr('node1'))],
      steps: (t) => [step('node2', `ip route replace ${t.cidr('node1')} ${t.via('node3')}`)],
    },
  ],
  [
    'answers-detour-liberal',
    "node2's answers go over node3, whose conntrack is liberal",
    {
      causes: (t) => [cause('ROUTE_WRONG_GATEWAY ASYMMETRIC_ROUTE', 'node2', t.cidr('node1'))],
      steps: (t) => [
        step('node2', `ip route replace ${t.cidr('node1')} ${t.via('node3')}`),
        step('node3', set('netfilter.nf_conntrack_tcp_be_liberal', 1)),
      ],
    },
  ],
  [
    'pod-forwarding-on',
    'web-1 forwards',
    { harmless: 'nothing is sent through it', steps: (t) => [step(t.at('web-1'), set('ipv4.ip_forward', 1))] },
  ],
  [
    'accept-local-detour',
    'node1 gets its own packets back',
    {
      causes: () => [cause('RULE_DIVERTS', 'node1', 'lookup 110')],
      steps: (t) => [
        step(
          'node1',
          `ip rule add pref 50 from ${t.address('node1')} to ${t.address('node2')} iif lo table 110 && ip route add default via 10.10.0.1 dev eth0 table 110`,
        ),
      ],
    },
  ],
]);
