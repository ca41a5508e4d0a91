import { bridged, calico, faultsOf, overlay, step } from '../fault.js';

export const LINK_FAULTS = faultsOf('link', [
  ['pod-eth0-down', "web-1's eth0 is down", { steps: (t) => [step(t.at('web-1'), 'ip link set eth0 down')] }],
  ['pod-lo-down', "web-1's loopback is down", { steps: (t) => [step(t.at('web-1'), 'ip link set lo down')] }],
  [
    'host-veth-down',
    "the node's end of web-1's veth is down",
    { steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} down`)] },
  ],
  ['bridge-down', 'cni0 of node2 is down', { fits: bridged, steps: () => [step('node2', 'ip link set cni0 down')] }],
  ['node-eth0-down', 'eth0 of node3 is down', { steps: () => [step('node3', 'ip link set eth0 down')] }],
  [
    'node-carrier-down',
    'the switch port of node3 is down',
    { steps: () => [step('router', 'ip link set node3 down')] },
  ],
  ['node-lo-down', 'the loopback of node2 is down', { steps: () => [step('node2', 'ip link set lo down')] }],
  [
    'veth-no-master',
    "web-1's veth is on no bridge",
    { fits: bridged, steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} nomaster`)] },
  ],
  [
    'veth-wrong-master',
    "web-1's veth is on another bridge",
    {
      fits: bridged,
      steps: (t) => [
        step(
          'node2',
          `ip link add br9 type bridge && ip link set br9 up && ip link set ${t.veth('web-1')} nomaster && ip link set ${t.veth('web-1')} master br9`,
        ),
      ],
    },
  ],
  [
    'hairpin-off',
    'no port of node1 reflects',
    {
      fits: bridged,
      steps: (t) =>
        ['web-0', 'client-0', 'db-0'].map((pod) => step('node1', `bridge link set dev ${t.veth(pod)} hairpin off`)),
    },
  ],
  [
    'isolated-ports',
    'web-0 and client-0 are on isolated ports',
    {
      fits: bridged,
      steps: (t) => ['web-0', 'client-0'].map((pod) => step('node1', `bridge link set dev ${t.veth(pod)} isolated on`)),
    },
  ],
  [
    'port-disabled',
    "web-1's port is disabled",
    { fits: bridged, steps: (t) => [step('node2', `bridge link set dev ${t.veth('web-1')} state 0`)] },
  ],
  [
    'port-blocking',
    "web-1's port is blocking",
    { fits: bridged, steps: (t) => [step('node2', `bridge link set dev ${t.veth('web-1')} state 4`)] },
  ],
  [
    'port-learning',
    "web-1's port learns but does not forward",
    { fits: bridged, steps: (t) => [step('node2', `bridge link set dev ${t.veth('web-1')} state 2`)] },
  ],
  [
    'bridge-mac-of-pod',
    "cni0 of node2 has web-1's MAC",
    { fits: bridged, steps: (t) => [step('node2', `ip link set cni0 address ${t.podMac('web-1')}`)] },
  ],
  [
    'pod-mac-changed',
    'web-1 has got another MAC',
    { steps: (t) => [step(t.at('web-1'), 'ip link set eth0 address 02:00:00:00:00:77')] },
  ],
  ['pod-mtu-small', "web-1's MTU is 576", { steps: (t) => [step(t.at('web-1'), 'ip link set eth0 mtu 576')] }],
  ['node-mtu-small', 'the MTU of eth0 is 1200 on node2', { steps: () => [step('node2', 'ip link set eth0 mtu 1200')] }],
  [
    'host-veth-mtu-small',
    "the node's end of web-1's veth has MTU 600",
    { steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} mtu 600`)] },
  ],
  [
    'pod-mtu-over-tunnel',
    'client-1 has MTU 1500 over the tunnel',
    {
      fits: overlay,
      steps: (t) => [
        step('node2', `ip link set ${t.veth('client-1')} mtu 1500`),
        step(t.at('client-1'), 'ip link set eth0 mtu 1500'),
      ],
    },
  ],
  ['pod-arp-off', 'web-1 does no ARP', { steps: (t) => [step(t.at('web-1'), 'ip link set eth0 arp off')] }],
  [
    'host-veth-arp-off',
    "the node's end of web-1's veth does no ARP",
    { steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} arp off`)] },
  ],
  ['node-arp-off', 'eth0 of node2 does no ARP', { steps: () => [step('node2', 'ip link set eth0 arp off')] }],
  [
    'vtep-down',
    'the VXLAN device of node2 is down',
    { fits: overlay, steps: (t) => [step('node2', `ip link set ${t.vtep.device} down`)] },
  ],
  [
    'cali-mac-changed',
    "the node's end of web-1's veth has another MAC",
    { fits: calico, steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} address 02:00:00:00:00:78`)] },
  ],
]);
