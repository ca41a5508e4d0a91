import { cause } from '../cause.js';
import { faultsOf, step } from '../fault.js';

// Small requests pass all of these: what they break is bulk data, and the answer must not say otherwise.
export const MTU_FAULTS = faultsOf('mtu', [
  [
    'pmtu-black-hole',
    'node2 has a small MTU and lets no ICMP out',
    {
      harmless: 'small requests pass',
      steps: (t) => [
        step(
          'node2',
          `ip link set eth0 mtu 1300 && ${t.iptables} -I OUTPUT -p icmp -j DROP && ${t.iptables} -I FORWARD -p icmp -j DROP`,
        ),
      ],
    },
  ],
  [
    'route-mtu',
    'the route of node1 to the pods of node2 has a small MTU',
    {
      harmless: 'small requests pass',
      steps: (t) => [step('node1', `ip route replace ${t.cidr('node2')} ${t.via('node2')} mtu 700`)],
    },
  ],
  [
    'tiny-mtu',
    "web-1's eth0 takes 68 bytes",
    {
      causes: (t) => [cause('MTU_MISMATCH PMTU_BLACKHOLE', t.at('web-1'), 'eth0')],
      steps: (t) => [step(t.at('web-1'), 'ip link set eth0 mtu 68')],
    },
  ],
]);
