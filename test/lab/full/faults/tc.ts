import { cause } from '../cause.js';
import { faultsOf, step, type Step } from '../fault.js';

/** TC_ACT_SHOT for everything. */
const ALL = '1,6 0 0 2,';
/** IPv4, TCP, destination port 8080: TC_ACT_SHOT; else TC_ACT_OK. Offsets are those of an Ethernet frame without IP options. */
const PORT_8080 = '8,40 0 0 12,21 0 5 2048,48 0 0 23,21 0 3 6,40 0 0 36,21 0 1 8080,6 0 0 2,6 0 0 0,';
/** The same for the source port. */
const FROM_8080 = '8,40 0 0 12,21 0 5 2048,48 0 0 23,21 0 3 6,40 0 0 34,21 0 1 8080,6 0 0 2,6 0 0 0,';

function classifier(at: string, device: string, direction: 'ingress' | 'egress', program: string): Step {
  return step(
    at,
    `tc qdisc add dev ${device} clsact && tc filter add dev ${device} ${direction} bpf da bytecode '${program}'`,
  );
}

export const TC_FAULTS = faultsOf('tc', [
  [
    'tc-ingress-eth0',
    'tc drops everything that comes in by eth0 of node3',
    { causes: () => [cause('TC_DROP', 'node3', 'eth0')], steps: () => [classifier('node3', 'eth0', 'ingress', ALL)] },
  ],
  [
    'tc-ingress-veth',
    'tc drops what comes from web-1',
    {
      causes: (t) => [cause('TC_DROP', 'node2', t.veth('web-1'))],
      steps: (t) => [classifier('node2', t.veth('web-1'), 'ingress', ALL)],
    },
  ],
  [
    'tc-egress-veth',
    'tc drops port 8080 on the way to web-1',
    {
      causes: (t) => [cause('TC_DROP', 'node2', t.veth('web-1'))],
      steps: (t) => [classifier('node2', t.veth('web-1'), 'egress', PORT_8080)],
    },
  ],
  [
    'tc-answers-veth',
    "tc drops web-1's answers from port 8080",
    {
      causes: (t) => [cause('TC_DROP', 'node2', t.veth('web-1'))],
      steps: (t) => [classifier('node2', t.veth('web-1'), 'ingress', FROM_8080)],
    },
  ],
  [
    'tc-egress-eth0',
    'tc drops port 8080 on the way out of node1',
    {
      causes: () => [cause('TC_DROP', 'node1', 'eth0')],
      steps: () => [classifier('node1', 'eth0', 'egress', PORT_8080)],
    },
  ],
  [
    'tc-bridge-side',
    'tc drops port 8080 before the tunnel or the bridge of node2',
    {
      causes: (t) => [cause('TC_DROP', 'node2', `${t.isOverlay ? t.vtep.device : t.isBridged ? 'cni0' : 'eth0'}`)],
      steps: (t) => [
        classifier('node2', t.isOverlay ? t.vtep.device : t.isBridged ? 'cni0' : 'eth0', 'ingress', PORT_8080),
      ],
    },
  ],
]);
