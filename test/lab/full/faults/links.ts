import { cause } from '../cause.js';
import { bridged, calico, faultsOf, overlay, quickArp, step } from '../fault.js';

export const LINK_FAULTS = faultsOf('link', [
  [
    'pod-eth0-down',
    "web-1's eth0 is down",
    {
      causes: (t) => [cause('IFACE_DOWN', t.at('web-1'), 'eth0')],
      steps: (t) => [step(t.at('web-1'), 'ip link set eth0 down')],
    },
  ],
  [
    'pod-lo-down',
    "web-1's loopback is down",
    { harmless: 'nobody asks a pod by its loopback', steps: (t) => [step(t.at('web-1'), 'ip link set lo down')] },
  ],
  [
    'host-veth-down',
    "the node's end of web-1's veth is down",
    {
      causes: (t) => [cause('IFACE_DOWN', 'node2', t.veth('web-1'))],
      steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} down`)],
    },
  ],
  [
    'bridge-down',
    'cni0 of node2 is down',
    {
      causes: () => [cause('IFACE_DOWN', 'node2', 'cni0')],
      fits: bridged,
      steps: () => [step('node2', 'ip link set cni0 down')],
    },
  ],
  [
    'node-eth0-down',
    'eth0 of node3 is down',
    { causes: () => [cause('IFACE_DOWN', 'node3', 'eth0')], steps: () => [step('node3', 'ip link set eth0 down')] },
  ],
  [
    'node-carrier-down',
    'the switch port of node3 is down',
    { causes: () => [cause('CARRIER_DOWN', 'node3', 'eth0')], steps: () => [step('router', 'ip link set node3 down')] },
  ],
  [
    'node-lo-down',
    'the loopback of node2 is down',
    { causes: () => [cause('IFACE_DOWN', 'node2', 'lo')], steps: () => [step('node2', 'ip link set lo down')] },
  ],
  [
    'veth-no-master',
    "web-1's veth is on no bridge",
    {
      causes: (t) => [cause('NO_MASTER', 'node2', t.veth('web-1'))],
      fits: bridged,
      steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} nomaster`)],
    },
  ],
  [
    'veth-wrong-master',
    "web-1's veth is on another bridge",
    {
      causes: (t) => [cause('WRONG_MASTER', 'node2', t.veth('web-1'))],
      fits: bridged,
      steps: (t) => [
        step(
          'node2',
          `ip link add br9 type bridge && ${quickArp('br9')} && ip link set br9 up && ip link set ${t.veth('web-1')} nomaster && ip link set ${t.veth('web-1')} master br9`,
        ),
      ],
    },
  ],
  [
    'hairpin-off',
    'no port of node1 reflects',
    {
      causes: (t) => [cause('HAIRPIN_OFF', 'node1', t.veth('web-0'))],
      fits: bridged,
      steps: (t) =>
        ['web-0', 'client-0', 'db-0'].map((pod) => step('node1', `bridge link set dev ${t.veth(pod)} hairpin off`)),
    },
  ],
  [
    'isolated-ports',
    'web-0 and client-0 are on isolated ports',
    {
      causes: (t) => [cause('BRIDGE_PORT_BLOCKED', 'node1', `${t.veth('web-0')} | ${t.veth('client-0')}`)],
      fits: bridged,
      steps: (t) => ['web-0', 'client-0'].map((pod) => step('node1', `bridge link set dev ${t.veth(pod)} isolated on`)),
    },
  ],
  [
    'port-disabled',
    "web-1's port is disabled",
    {
      causes: (t) => [cause('BRIDGE_PORT_BLOCKED', 'node2', t.veth('web-1'))],
      fits: bridged,
      steps: (t) => [step('node2', `bridge link set dev ${t.veth('web-1')} state 0`)],
    },
  ],
  [
    'port-blocking',
    "web-1's port is blocking",
    {
      causes: (t) => [cause('BRIDGE_PORT_BLOCKED', 'node2', t.veth('web-1'))],
      fits: bridged,
      steps: (t) => [step('node2', `bridge link set dev ${t.veth('web-1')} state 4`)],
    },
  ],
  [
    'port-learning',
    "web-1's port learns but does not forward",
    {
      causes: (t) => [cause('BRIDGE_PORT_BLOCKED', 'node2', t.veth('web-1'))],
      fits: bridged,
      steps: (t) => [step('node2', `bridge link set dev ${t.veth('web-1')} state 2`)],
    },
  ],
  [
    'bridge-mac-of-pod',
    "cni0 of node2 has web-1's MAC",
    {
      causes: (t) => [cause('MAC_MISMATCH NEIGH_WRONG_MAC ADDRESS_DUPLICATE', 'node2', 'cni0', t.podMac('web-1'))],
      fits: bridged,
      steps: (t) => [step('node2', `ip link set cni0 address ${t.podMac('web-1')}`)],
    },
  ],
  [
    'pod-mac-changed',
    'web-1 has got another MAC',
    {
      causes: (t) => [
        cause('MAC_MISMATCH NEIGH_WRONG_MAC', t.at('web-1')),
        cause('MAC_MISMATCH NEIGH_WRONG_MAC', 'node2', t.ip('web-1')),
      ],
      steps: (t) => [step(t.at('web-1'), 'ip link set eth0 address 02:00:00:00:00:77')],
    },
  ],
  [
    'pod-mtu-small',
    "web-1's MTU is 576",
    { harmless: 'small requests pass', steps: (t) => [step(t.at('web-1'), 'ip link set eth0 mtu 576')] },
  ],
  [
    'node-mtu-small',
    'the MTU of eth0 is 1200 on node2',
    { harmless: 'small requests pass', steps: () => [step('node2', 'ip link set eth0 mtu 1200')] },
  ],
  [
    'host-veth-mtu-small',
    "the node's end of web-1's veth has MTU 600",
    { harmless: 'small requests pass', steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} mtu 600`)] },
  ],
  [
    'pod-mtu-over-tunnel',
    'client-1 has MTU 1500 over the tunnel',
    {
      harmless: 'small requests pass',
      fits: overlay,
      steps: (t) => [
        step('node2', `ip link set ${t.veth('client-1')} mtu 1500`),
        step(t.at('client-1'), 'ip link set eth0 mtu 1500'),
      ],
    },
  ],
  [
    'pod-arp-off',
    'web-1 does no ARP',
    {
      causes: (t) => [cause('ARP_OFF', t.at('web-1'), 'eth0')],
      steps: (t) => [step(t.at('web-1'), 'ip link set eth0 arp off')],
    },
  ],
  [
    'host-veth-arp-off',
    "the node's end of web-1's veth does no ARP",
    {
      causes: (t) => [cause('ARP_OFF', 'node2', t.veth('web-1'))],
      steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} arp off`)],
    },
  ],
  [
    'node-arp-off',
    'eth0 of node2 does no ARP',
    { causes: () => [cause('ARP_OFF', 'node2', 'eth0')], steps: () => [step('node2', 'ip link set eth0 arp off')] },
  ],
  [
    'vtep-down',
    'the VXLAN device of node2 is down',
    {
      causes: (t) => [cause('IFACE_DOWN', 'node2', t.vtep.device)],
      fits: overlay,
      steps: (t) => [step('node2', `ip link set ${t.vtep.device} down`)],
    },
  ],
  [
    'cali-mac-changed',
    "the node's end of web-1's veth has another MAC",
    {
      harmless: 'the pod asks anew for the MAC of its gateway',
      fits: calico,
      steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} address 02:00:00:00:00:78`)],
    },
  ],
]);
