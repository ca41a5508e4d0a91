import { cause, routeCauses } from '../cause.js';
import { faultsOf, step } from '../fault.js';

export const RULE_FAULTS = faultsOf('rule', [
  [
    'rule-fwmark',
    "kube-proxy's mark leads to a blackhole on node1",
    {
      causes: () => routeCauses('RULE_DIVERTS', 'node1', 'fwmark 0x4000'),
      steps: () => [
        step('node1', 'ip rule add fwmark 0x4000/0x4000 table 100 && ip route add blackhole default table 100'),
      ],
    },
  ],
  [
    'rule-from',
    "web-0's packets take another table",
    {
      causes: (t) => routeCauses('RULE_DIVERTS', 'node1', `from ${t.ip('web-0')}`),
      steps: (t) => [
        step(
          'node1',
          `ip rule add from ${t.ip('web-0')} table 101 && ip route add default via 10.10.0.99 dev eth0 table 101`,
        ),
      ],
    },
  ],
  [
    'rule-iif',
    'what comes in by eth0 for web-1 is prohibited on node2',
    {
      causes: () => routeCauses('RULE_PROHIBIT', 'node2', 'iif eth0'),
      steps: (t) => [step('node2', `ip rule add iif eth0 to ${t.ip('web-1')} prohibit`)],
    },
  ],
  [
    'rule-to-prohibit',
    "node1 prohibits node2's pods",
    {
      causes: (t) => routeCauses('RULE_PROHIBIT', 'node1', `to ${t.cidr('node2')}`),
      steps: (t) => [step('node1', `ip rule add to ${t.cidr('node2')} prohibit`)],
    },
  ],
  [
    'rule-to-blackhole',
    'node1 swallows what is for web-2',
    {
      causes: (t) => routeCauses('RULE_PROHIBIT', 'node1', `to ${t.ip('web-2')}`),
      steps: (t) => [step('node1', `ip rule add to ${t.ip('web-2')} blackhole`)],
    },
  ],
  [
    'rule-to-unreachable',
    "node1 calls node2's pods unreachable",
    {
      causes: (t) => routeCauses('RULE_PROHIBIT', 'node1', `to ${t.cidr('node2')}`),
      steps: (t) => [step('node1', `ip rule add to ${t.cidr('node2')} unreachable`)],
    },
  ],
  [
    'rule-suppress',
    'the default route of main is suppressed on node1',
    {
      causes: () => routeCauses('RULE_DIVERTS', 'node1', 'lookup 102'),
      steps: () => [
        step(
          'node1',
          'ip rule add pref 100 table main suppress_prefixlength 0 && ip rule add pref 200 table 102 && ip route add default via 10.10.0.99 dev eth0 table 102',
        ),
      ],
    },
  ],
  [
    'rule-empty-table',
    'a rule of node1 leads to an empty table',
    { harmless: 'an empty table decides nothing', steps: () => [step('node1', 'ip rule add pref 100 table 103')] },
  ],
  [
    'rule-ipproto',
    'node1 swallows UDP to the pods of node2',
    {
      causes: () => routeCauses('RULE_PROHIBIT', 'node1', 'ipproto udp'),
      steps: (t) => [step('node1', `ip rule add ipproto udp to ${t.cidr('node2')} blackhole`)],
    },
  ],
  [
    'rule-dport',
    'node1 has a rule for port 8080',
    {
      causes: () => routeCauses('RULE_PROHIBIT', 'node1', 'dport 8080'),
      steps: (t) => [step('node1', `ip rule add ipproto tcp dport 8080 to ${t.cidr('node2')} unreachable`)],
    },
  ],
  [
    'rule-sport',
    'node2 has a rule for answers from port 8080',
    {
      causes: () => routeCauses('RULE_PROHIBIT', 'node2', 'sport 8080'),
      steps: () => [step('node2', 'ip rule add ipproto tcp sport 8080 blackhole')],
    },
  ],
  [
    'rule-main-missing',
    'node2 does not look into table main',
    { causes: () => [cause('RULE_MISSING', 'node2', 'main')], steps: () => [step('node2', 'ip rule del pref 32766')] },
  ],
  [
    'rule-goto',
    "node1 skips table main for node2's pods",
    {
      causes: () => routeCauses('RULE_DIVERTS', 'node1', 'goto 32767'),
      steps: (t) => [step('node1', `ip rule add pref 100 to ${t.cidr('node2')} goto 32767`)],
    },
  ],
  [
    'rule-not',
    'node1 sends all but the node network elsewhere',
    {
      causes: () => routeCauses('RULE_DIVERTS', 'node1', 'lookup 104'),
      steps: () => [
        step('node1', 'ip rule add pref 100 not to 10.0.0.0/8 table 104 && ip route add unreachable default table 104'),
      ],
    },
  ],
  [
    'rule-oif',
    'sockets that are bound to eth0 take another table',
    {
      harmless: 'only sockets that are bound to a device name one',
      steps: () => [
        step('node1', 'ip rule add pref 100 oif eth0 table 105 && ip route add unreachable default table 105'),
      ],
    },
  ],
  [
    'rule-tos',
    'a rule for another TOS is there',
    { harmless: 'nobody sets that TOS', steps: () => [step('node1', 'ip rule add pref 100 tos 0x10 blackhole')] },
  ],
  [
    'rule-local-late',
    'table local is asked after main on node2',
    {
      causes: () => [cause('LOCAL_ROUTE_MISSING RULE_MISSING RULE_DIVERTS', 'node2', 'local')],
      steps: () => [step('node2', 'ip rule add pref 40000 table local && ip rule del pref 0')],
    },
  ],
  [
    'rule-iif-lo',
    'what node1 itself sends takes another table',
    {
      causes: () => [cause('RULE_PROHIBIT', 'node1', 'iif lo')],
      steps: (t) => [step('node1', `ip rule add pref 100 iif lo to ${t.cidr('node2')} prohibit`)],
    },
  ],
  [
    'rule-throw',
    'another table throws back',
    {
      harmless: 'what is thrown back is asked on',
      steps: () => [step('node1', 'ip rule add pref 100 table 106 && ip route add throw default table 106')],
    },
  ],
  [
    'pod-rule-from',
    "client-1's packets are prohibited in the pod",
    {
      causes: (t) => [cause('RULE_PROHIBIT', t.at('client-1'), `from ${t.ip('client-1')}`)],
      steps: (t) => [step(t.at('client-1'), `ip rule add from ${t.ip('client-1')} ipproto tcp prohibit`)],
    },
  ],
]);
