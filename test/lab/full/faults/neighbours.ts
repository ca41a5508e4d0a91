import { cause } from '../cause.js';
import { bridged, calico, faultsOf, step } from '../fault.js';

const NOBODY = '02:00:00:00:00:99';

export const NEIGHBOUR_FAULTS = faultsOf('neighbour', [
  [
    'node-wrong-mac',
    'node1 has a wrong permanent MAC for node2',
    {
      causes: (t) => [cause('NEIGH_WRONG_MAC', 'node1', t.address('node2'))],
      steps: (t) => [step('node1', `ip neigh replace ${t.address('node2')} lladdr ${NOBODY} dev eth0 nud permanent`)],
    },
  ],
  [
    'node-mac-of-other',
    "node1 has node3's MAC for node2",
    {
      causes: (t) => [cause('NEIGH_WRONG_MAC', 'node1', t.address('node2'))],
      steps: (t) => [
        step('node1', `ip neigh replace ${t.address('node2')} lladdr ${t.nodeMac('node3')} dev eth0 nud permanent`),
      ],
    },
  ],
  [
    'router-wrong-mac',
    'node2 has a wrong permanent MAC for the router',
    {
      causes: () => [cause('NEIGH_WRONG_MAC', 'node2', '10.10.0.1')],
      steps: () => [step('node2', `ip neigh replace 10.10.0.1 lladdr ${NOBODY} dev eth0 nud permanent`)],
    },
  ],
  [
    'pod-gateway-wrong-mac',
    'client-1 has a wrong permanent MAC for its gateway',
    {
      causes: (t) => [cause('NEIGH_WRONG_MAC', t.at('client-1'), t.gateway('node2'))],
      steps: (t) => [
        step(t.at('client-1'), `ip neigh replace ${t.gateway('node2')} lladdr ${NOBODY} dev eth0 nud permanent`),
      ],
    },
  ],
  [
    'pod-wrong-mac',
    'node2 has a wrong permanent MAC for web-1',
    {
      causes: (t) => [cause('NEIGH_WRONG_MAC', 'node2', t.ip('web-1'))],
      steps: (t) => [
        step(
          'node2',
          `ip neigh replace ${t.ip('web-1')} lladdr ${NOBODY} dev ${t.isBridged ? 'cni0' : t.veth('web-1')} nud permanent`,
        ),
      ],
    },
  ],
  [
    'pod-mac-of-other',
    "node2 has client-1's MAC for web-1",
    {
      causes: (t) => [cause('NEIGH_WRONG_MAC', 'node2', t.ip('web-1'))],
      fits: bridged,
      steps: (t) => [
        step('node2', `ip neigh replace ${t.ip('web-1')} lladdr ${t.podMac('client-1')} dev cni0 nud permanent`),
      ],
    },
  ],
  [
    'pod-peer-wrong-mac',
    'client-1 has a wrong permanent MAC for web-1',
    {
      causes: (t) => [cause('NEIGH_WRONG_MAC', t.at('client-1'), t.ip('web-1'))],
      fits: bridged,
      steps: (t) => [
        step(t.at('client-1'), `ip neigh replace ${t.ip('web-1')} lladdr ${NOBODY} dev eth0 nud permanent`),
      ],
    },
  ],
  [
    'pod-arp-ignore',
    'web-1 answers no ARP',
    {
      causes: (t) => [cause('ARP_IGNORED', t.at('web-1'), 'net.ipv4.conf.eth0.arp_ignore')],
      steps: (t) => [step(t.at('web-1'), 'sysctl -qw net.ipv4.conf.eth0.arp_ignore=8')],
    },
  ],
  [
    'node-arp-ignore',
    'node2 answers no ARP on eth0',
    {
      causes: () => [cause('ARP_IGNORED', 'node2', 'net.ipv4.conf.eth0.arp_ignore')],
      steps: () => [step('node2', 'sysctl -qw net.ipv4.conf.eth0.arp_ignore=8')],
    },
  ],
  [
    'gateway-arp-ignore',
    'node2 answers its pods no ARP',
    {
      causes: () => [cause('ARP_IGNORED', 'node2', 'arp_ignore')],
      steps: (t) =>
        ['web-1', 'client-1'].map((pod) =>
          step('node2', `sysctl -qw net.ipv4.conf.${t.isBridged ? 'cni0' : t.veth(pod)}.arp_ignore=8`),
        ),
    },
  ],
  [
    'arp-ignore-1',
    'node2 answers ARP only for addresses of the interface',
    {
      causes: () => [cause('ARP_IGNORED', 'node2', 'net.ipv4.conf.all.arp_ignore')],
      steps: () => [step('node2', 'sysctl -qw net.ipv4.conf.all.arp_ignore=1')],
    },
  ],
  [
    'arp-ignore-2',
    'web-1 answers ARP only to its own subnet',
    {
      causes: (t) => [cause('ARP_IGNORED', t.at('web-1'), 'net.ipv4.conf.all.arp_ignore')],
      steps: (t) => [step(t.at('web-1'), 'sysctl -qw net.ipv4.conf.all.arp_ignore=2')],
    },
  ],
  [
    'proxy-arp-off',
    'node2 does no proxy ARP for web-1',
    {
      causes: (t) => [cause('PROXY_ARP_OFF', 'node2', t.veth('web-1'))],
      fits: calico,
      steps: (t) => [step('node2', `sysctl -qw net.ipv4.conf.${t.veth('web-1')}.proxy_arp=0`)],
    },
  ],
  [
    'proxy-arp-all',
    'node2 does proxy ARP on eth0',
    {
      harmless: 'it answers for what is not on that segment',
      steps: () => [step('node2', 'sysctl -qw net.ipv4.conf.eth0.proxy_arp=1')],
    },
  ],
  [
    'arp-filter',
    'node2 filters ARP by route',
    {
      harmless: 'the way back leads out of the same interface',
      steps: () => [step('node2', 'sysctl -qw net.ipv4.conf.all.arp_filter=1')],
    },
  ],
  // No NOARP entries: `ip neigh show` does not print them, so no dump holds them.
]);
