import { cause } from '../cause.js';
import { bridged, faultsOf, step } from '../fault.js';

export const ADDRESS_FAULTS = faultsOf('address', [
  [
    'pod-address-missing',
    'web-1 has no address',
    {
      causes: (t) => [cause('ADDRESS_MISSING POD_IP_MISMATCH', t.at('web-1'))],
      steps: (t) => [step(t.at('web-1'), 'ip address flush dev eth0')],
    },
  ],
  [
    'bridge-address-missing',
    'cni0 of node2 has no address',
    {
      causes: () => [cause('ADDRESS_MISSING', 'node2', 'cni0')],
      fits: bridged,
      steps: () => [step('node2', 'ip address flush dev cni0')],
    },
  ],
  [
    'node-address-missing',
    'eth0 of node3 has no address',
    {
      causes: () => [cause('ADDRESS_MISSING', 'node3', 'eth0')],
      steps: () => [step('node3', 'ip address flush dev eth0')],
    },
  ],
  [
    'pod-address-elsewhere',
    "client-2 has web-1's address as well",
    {
      causes: (t) => [cause('LOCAL_ADDRESS_HIJACK ADDRESS_DUPLICATE', t.at('client-2'), t.ip('web-1'))],
      steps: (t) => [step(t.at('client-2'), `ip address add ${t.ip('web-1')}/32 dev lo`)],
    },
  ],
  [
    'pod-address-on-node',
    "node1 has web-1's address",
    {
      causes: (t) => [cause('LOCAL_ADDRESS_HIJACK ADDRESS_DUPLICATE', 'node1', t.ip('web-1'))],
      steps: (t) => [step('node1', `ip address add ${t.ip('web-1')}/32 dev lo`)],
    },
  ],
  [
    'pod-address-on-own-node',
    "node2 has web-1's address",
    {
      causes: (t) => [cause('LOCAL_ADDRESS_HIJACK ADDRESS_DUPLICATE', 'node2', t.ip('web-1'))],
      steps: (t) => [step('node2', `ip address add ${t.ip('web-1')}/32 dev lo`)],
    },
  ],
  [
    'node-address-elsewhere',
    "node3 has node2's address and tells nobody",
    {
      causes: (t) => [cause('LOCAL_ADDRESS_HIJACK ADDRESS_DUPLICATE', 'node3', t.address('node2'))],
      steps: (t) => [
        step('node3', `sysctl -qw net.ipv4.conf.eth0.arp_ignore=1 && ip address add ${t.address('node2')}/32 dev lo`),
      ],
    },
  ],
  [
    'pod-prefix-too-wide',
    'client-1 takes the whole network for its own segment',
    {
      causes: (t) => [cause('PREFIX_TOO_WIDE', t.at('client-1'), 'eth0')],
      steps: (t) => {
        const length = t.isCalico ? 16 : 8;
        return [step(t.at('client-1'), `ip address add ${t.ip('client-1')}/${length} dev eth0`)];
      },
    },
  ],
  [
    'node-prefix-too-wide',
    'node2 takes 10.0.0.0/8 for its own segment',
    {
      causes: () => [cause('PREFIX_TOO_WIDE', 'node2', 'eth0')],
      steps: (t) => [step('node2', `ip address add ${t.address('node2')}/8 dev eth0`)],
    },
  ],
  [
    'node-prefix-too-narrow',
    'node2 has a /32 only',
    {
      causes: () => [cause('NO_ROUTE POD_CIDR_ROUTE_MISSING ADDRESS_MISSING', 'node2')],
      steps: (t) => [
        step(
          'node2',
          `ip address add ${t.address('node2')}/32 dev eth0 && ip address del ${t.address('node2')}/24 dev eth0`,
        ),
      ],
    },
  ],
  [
    'cluster-ip-on-node',
    "node1 has the service web's address",
    {
      causes: () => [cause('LOCAL_ADDRESS_HIJACK ADDRESS_DUPLICATE', 'node1', '10.96.10.1')],
      steps: () => [step('node1', 'ip address add 10.96.10.1/32 dev lo')],
    },
  ],
  [
    'vip-on-node',
    'node3 has the address of the load balancer',
    {
      causes: () => [cause('LOCAL_ADDRESS_HIJACK ADDRESS_DUPLICATE', 'node3', '198.51.100.10')],
      steps: () => [step('node3', 'ip address add 198.51.100.10/32 dev lo')],
    },
  ],
  [
    'second-pod-address',
    'client-1 has a second address that comes first',
    {
      harmless: 'the route names another interface than the address',
      steps: (t) => [step(t.at('client-1'), `ip address add 172.31.99.1/32 dev lo`)],
    },
  ],
  [
    'node-lo-address',
    'node2 has one more address',
    { harmless: 'nobody asks for it', steps: () => [step('node2', 'ip address add 172.31.99.1/32 dev lo')] },
  ],
]);
