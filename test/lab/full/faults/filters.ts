import type { Target } from '../target.js';
import { cause } from '../cause.js';
import { bridged, faultsOf, step, type Fault } from '../fault.js';

const HOOKS: readonly (readonly [string, string, 'forward' | 'in' | 'out'])[] = [
  ['raw', 'PREROUTING', 'forward'],
  ['mangle', 'PREROUTING', 'forward'],
  ['mangle', 'FORWARD', 'forward'],
  ['filter', 'FORWARD', 'forward'],
  ['security', 'FORWARD', 'forward'],
  ['mangle', 'POSTROUTING', 'forward'],
  ['mangle', 'INPUT', 'in'],
  ['filter', 'INPUT', 'in'],
  ['security', 'INPUT', 'in'],
  ['raw', 'OUTPUT', 'out'],
  ['mangle', 'OUTPUT', 'out'],
  ['filter', 'OUTPUT', 'out'],
  ['security', 'OUTPUT', 'out'],
];

/** What goes through node2 to web-1, into node2, or out of node2 to web-2: by TCP and UDP. */
function matches(t: Target, way: 'forward' | 'in' | 'out'): readonly string[] {
  if (way === 'in') return ['-p tcp --dport 9100', '-p udp --dport 9053'];
  const pod = t.ip(way === 'forward' ? 'web-1' : 'web-2');
  return [`-d ${pod} -p tcp --dport 8080`, `-d ${pod} -p udp --dport 5353`];
}

const DROPS: readonly Fault[] = faultsOf(
  'filter',
  HOOKS.map(
    ([table, chain, way]) =>
      [
        `drop-${table}-${chain.toLowerCase()}`,
        `node2 drops in ${table} ${chain}`,
        {
          causes: () => [cause('FILTER_DROP', 'node2', `${table}/${chain}/`, '-j DROP')],
          steps: (t) =>
            matches(t, way).map((match) => step('node2', `${t.iptables} -t ${table} -I ${chain} ${match} -j DROP`)),
        },
      ] as const,
  ),
);

const REJECTS = ['port', 'host', 'net', 'proto']
  .map((what) => `icmp-${what}-unreachable`)
  .concat(['icmp-net-prohibited', 'icmp-host-prohibited', 'icmp-admin-prohibited']);
const CHAINS = [
  ['FORWARD', 'forward'],
  ['INPUT', 'in'],
  ['OUTPUT', 'out'],
] as const;

const REJECTIONS: readonly Fault[] = faultsOf(
  'filter',
  REJECTS.map((type, index) => {
    // Each type in one chain, and the commonest in all.
    const chains = type === 'icmp-port-unreachable' ? CHAINS : CHAINS.filter((_, at) => at === index % 3 || at === 0);
    return [
      `reject-${type}`,
      `node2 rejects with ${type}`,
      {
        causes: () => [cause('FILTER_REJECT', 'node2', `--reject-with ${type}`)],
        steps: (t: Target) =>
          chains.flatMap(([chain, way]) =>
            matches(t, way).map((match) =>
              step('node2', `${t.iptables} -I ${chain} ${match} -j REJECT --reject-with ${type}`),
            ),
          ),
      },
    ] as const;
  }),
);

/** One rule in front of node2's FORWARD chain. `WEB` in it stands for web-1's address. */
function inForward(name: string, description: string, rule: string, harmless?: string): Fault {
  return {
    name,
    layer: 'filter',
    description,
    ...(harmless === undefined
      ? { causes: () => [cause('FILTER_DROP', 'node2', 'filter/FORWARD/1', '-j DROP')] }
      : { harmless }),
    steps: (t) => [
      step(
        'node2',
        `${t.iptables} -I FORWARD ${rule.replaceAll('WEB', t.ip('web-1')).replaceAll('VETH', t.veth('web-1'))}`,
      ),
    ],
  };
}

const MATCHES: readonly Fault[] = [
  inForward('match-ttl', 'node2 drops what was routed before', '-d WEB -m ttl --ttl-lt 64 -j DROP'),
  inForward('match-ttl-routed', 'node2 drops what two nodes have routed', '-d WEB -m ttl --ttl-lt 63 -j DROP'),
  inForward('match-new', 'node2 drops new connections to web-1', '-d WEB -m conntrack --ctstate NEW -j DROP'),
  inForward(
    'match-established',
    'node2 drops data to web-1',
    '-d WEB -p tcp -m conntrack --ctstate ESTABLISHED -j DROP',
  ),
  inForward('match-answers', "node2 drops web-1's answers", '-s WEB -m conntrack --ctdir REPLY -j DROP'),
  inForward('match-dnat', 'node2 drops what was translated', '-d WEB -m conntrack --ctstate DNAT -j DROP'),
  inForward(
    'match-ctorigdst',
    'node2 drops what was for a cluster IP',
    '-m conntrack --ctorigdst 10.96.0.0/12 -j DROP',
  ),
  inForward('match-syn', 'node2 drops SYNs to web-1', '-d WEB -p tcp --syn -j DROP'),
  inForward('match-flags-push', 'node2 drops segments with data to web-1', '-d WEB -p tcp --tcp-flags PSH PSH -j DROP'),
  inForward('match-synack', "node2 drops web-1's SYN-ACKs", '-s WEB -p tcp --tcp-flags SYN,ACK SYN,ACK -j DROP'),
  inForward('match-length', 'node2 drops packets of any length to web-1', '-d WEB -m length --length 20:65535 -j DROP'),
  inForward(
    'match-length-bulk',
    'node2 drops full packets to web-1',
    '-d WEB -m length --length 1400:65535 -j DROP',
    'no packet of a small request is that long',
  ),
  inForward('match-multiport', 'node2 drops some ports', '-d WEB -p tcp -m multiport --dports 80,8000:8090 -j DROP'),
  inForward('match-iprange', 'node2 drops a range', '-m iprange --dst-range WEB-WEB -j DROP'),
  inForward('match-mark', "node2 drops what has kube-proxy's mark", '-m mark --mark 0x4000/0x4000 -j DROP'),
  inForward('match-not-interface', 'node2 drops what does not come in by eth0', '-d WEB ! -i eth0 -j DROP'),
  inForward('match-interface-wildcard', 'node2 drops what comes in by eth+', '-d WEB -i eth+ -j DROP'),
  inForward('match-out-interface', 'node2 drops what goes out by eth0', '-o eth0 -s WEB -j DROP'),
  inForward(
    'match-addrtype',
    'node2 drops what is from no local address',
    '-d WEB -m addrtype ! --src-type LOCAL -j DROP',
  ),
  inForward(
    'match-statistic',
    'node2 drops half of all packets to web-1',
    '-d WEB -m statistic --mode random --probability 0.5 -j DROP',
  ),
  inForward('match-icmp', 'node2 drops ICMP', '-p icmp -j DROP', 'no connection needs it'),
  inForward('match-source', "node2 drops what is not from node2's pods", '! -s WEB/24 -d WEB -j DROP'),
  inForward(
    'match-mac',
    'node2 drops what the router sends',
    '-m mac --mac-source 02:42:0a:0a:00:01 -j DROP',
    'the router sends nothing through FORWARD',
  ),
  inForward(
    'match-connmark',
    'node2 drops what has a mark that nothing has',
    '-m connmark --mark 0x7 -j DROP',
    'nothing has it',
  ),
  inForward(
    'match-socket-limit',
    'node2 accepts within a wide limit',
    '-d WEB -m limit --limit 10000/sec --limit-burst 10000 -j ACCEPT',
    'what is over the limit is accepted further down',
  ),
  {
    ...inForward('match-string', 'node2 drops a word', '-d WEB -p tcp -m string --string hello --algo bm -j DROP'),
    undecidable: 'the text of what is sent is in no question and no dump',
  },
  inForward('match-dscp', 'node2 drops a DSCP that nothing has', '-m dscp --dscp 0x2e -j DROP', 'nothing has it'),
  inForward('match-tos', 'node2 drops the default TOS', '-d WEB -p udp -m tos --tos 0x00/0xff -j DROP'),
  inForward(
    'match-pkttype',
    'node2 drops broadcasts',
    '-m pkttype --pkt-type broadcast -j DROP',
    'nothing of it is broadcast',
  ),
  inForward(
    'match-helper',
    'node2 drops what a helper expects',
    '-m helper --helper ftp -j DROP',
    'no helper is at work',
  ),
  inForward('match-ecn', 'node2 drops congestion marks', '-p tcp -m ecn --ecn-ip-ect 3 -j DROP', 'nothing is marked'),
  {
    ...inForward(
      'match-connlimit',
      'node2 limits connections widely',
      '-d WEB -p tcp --syn -m connlimit --connlimit-above 5000 -j DROP',
      'there are fewer connections',
    ),
    undecidable: 'how many connections there are is in no dump',
  },
  {
    ...inForward(
      'match-hashlimit',
      'node2 limits rates widely',
      '-d WEB -m hashlimit --hashlimit-above 100000/sec --hashlimit-name lab --hashlimit-mode srcip -j DROP',
      'there are fewer packets',
    ),
    undecidable: 'what the limiter counted is in no dump',
  },
  {
    name: 'match-rpfilter',
    layer: 'filter',
    description: 'node2 drops in raw what has no strict way back',
    causes: () => [cause('FILTER_DROP', 'node2', 'raw/PREROUTING/1')],
    steps: (t) => [step('node2', `${t.iptables} -t raw -I PREROUTING -m rpfilter --invert -j DROP`)],
  },
  {
    ...inForward('match-physdev', "node2 drops what comes from web-1's port", '-m physdev --physdev-in VETH -j DROP'),
    fits: bridged,
  },
  {
    ...inForward(
      'match-physdev-bridged',
      'node2 drops what stays on the bridge',
      '-m physdev --physdev-is-bridged -j DROP',
    ),
    fits: bridged,
  },
];

export const FILTER_FAULTS: readonly Fault[] = [
  ...DROPS,
  ...REJECTIONS,
  ...MATCHES,
  ...faultsOf('filter', [
    [
      'reject-tcp-reset',
      'node2 resets connections',
      {
        causes: () => [cause('FILTER_REJECT', 'node2', '--reject-with tcp-reset')],
        steps: (t) => [
          step('node2', `${t.iptables} -I FORWARD -d ${t.ip('web-1')} -p tcp -j REJECT --reject-with tcp-reset`),
          step('node2', `${t.iptables} -I INPUT -p tcp --dport 9100 -j REJECT --reject-with tcp-reset`),
          step('node2', `${t.iptables} -I OUTPUT -d ${t.ip('web-2')} -p tcp -j REJECT --reject-with tcp-reset`),
        ],
      },
    ],
    [
      'policy-forward-drop',
      'the policy of FORWARD is DROP on node2',
      {
        causes: () => [cause('CHAIN_POLICY_DROP', 'node2', 'filter/FORWARD')],
        steps: (t) => [step('node2', `${t.iptables} -P FORWARD DROP`)],
      },
    ],
    [
      'policy-input-drop',
      'the policy of INPUT is DROP on node2',
      {
        causes: () => [cause('CHAIN_POLICY_DROP', 'node2', 'filter/INPUT')],
        steps: (t) => [step('node2', `${t.iptables} -P INPUT DROP`)],
      },
    ],
    [
      'policy-output-drop',
      'the policy of OUTPUT is DROP on node2',
      {
        causes: () => [cause('CHAIN_POLICY_DROP', 'node2', 'filter/OUTPUT')],
        steps: (t) => [step('node2', `${t.iptables} -P OUTPUT DROP`)],
      },
    ],
    [
      'forward-drop-last',
      'the last rule of FORWARD drops',
      {
        causes: () => [cause('FILTER_DROP', 'node2', '-A FORWARD -j DROP')],
        steps: (t) => [step('node2', `${t.iptables} -A FORWARD -j DROP`)],
      },
    ],
    [
      'other-backend-drop',
      "the other iptables' FORWARD drops on node2",
      {
        causes: (t) => [cause('FILTER_DROP', 'node2', 'filter/FORWARD/1', t.ip('web-1'))],
        steps: (t) => [step('node2', `${t.otherIptables} -I FORWARD -d ${t.ip('web-1')} -j DROP`)],
      },
    ],
    [
      'other-backend-policy',
      "the policy of the other iptables' FORWARD is DROP",
      {
        causes: () => [cause('CHAIN_POLICY_DROP', 'node2', 'filter/FORWARD')],
        steps: (t) => [step('node2', `${t.otherIptables} -P FORWARD DROP`)],
      },
    ],
    [
      'other-backend-accept',
      'the other iptables accept, these drop',
      {
        causes: (t) => [cause('FILTER_DROP', 'node2', 'filter/FORWARD/1', t.ip('web-1'))],
        steps: (t) => [
          step(
            'node2',
            `${t.otherIptables} -I FORWARD -j ACCEPT && ${t.iptables} -I FORWARD -d ${t.ip('web-1')} -j DROP`,
          ),
        ],
      },
    ],
    [
      'user-chain-return',
      'a chain of the user returns for one port and drops the rest',
      {
        causes: () => [cause('FILTER_DROP', 'node2', 'filter/LAB/2')],
        steps: (t) => [
          step(
            'node2',
            `${t.iptables} -N LAB && ${t.iptables} -A LAB -p tcp --dport 8080 -j RETURN && ${t.iptables} -A LAB -d ${t.ip('web-1')} -j DROP && ${t.iptables} -I FORWARD -j LAB`,
          ),
        ],
      },
    ],
    [
      'user-chain-goto',
      'what goes to a chain does not come back to the caller',
      {
        causes: () => [cause('FILTER_DROP', 'node2', 'filter/LAB2/1')],
        steps: (t) => [
          step(
            'node2',
            `${t.iptables} -N LAB && ${t.iptables} -N LAB2 && ${t.iptables} -A LAB -g LAB2 && ${t.iptables} -A LAB -d ${t.ip('web-1')} -j DROP && ${t.iptables} -A LAB2 -d ${t.ip('client-1')} -j DROP && ${t.iptables} -I FORWARD -j LAB`,
          ),
        ],
      },
    ],
    [
      'ipset-drop',
      'node2 drops what a set names',
      {
        causes: () => [cause('FILTER_DROP', 'node2', 'filter/FORWARD/1', '--match-set lab')],
        steps: (t) => [
          step(
            'node2',
            `ipset create lab hash:ip && ipset add lab ${t.ip('web-1')} && ${t.iptables} -I FORWARD -m set --match-set lab dst -j DROP`,
          ),
        ],
      },
    ],
    [
      'ipset-net-port',
      'node2 drops networks and ports of a set',
      {
        causes: () => [cause('FILTER_DROP', 'node2', 'filter/FORWARD/1', '--match-set lab')],
        steps: (t) => [
          step(
            'node2',
            `ipset create lab hash:net,port && ipset add lab ${t.ip('web-1')}/31,tcp:8080 && ${t.iptables} -I FORWARD -m set --match-set lab dst,dst -j DROP`,
          ),
        ],
      },
    ],
    [
      'ipset-nomatch',
      'a set has an exception',
      {
        causes: () => [cause('FILTER_DROP', 'node2', 'filter/FORWARD/1', '--match-set lab')],
        steps: (t) => [
          step(
            'node2',
            `ipset create lab hash:net && ipset add lab ${t.ip('web-1')}/24 && ipset add lab ${t.ip('client-1')}/32 nomatch && ${t.iptables} -I FORWARD -m set --match-set lab dst -j DROP`,
          ),
        ],
      },
    ],
    [
      'ipset-ip-port-ip',
      'a set names pairs',
      {
        causes: () => [cause('FILTER_DROP', 'node2', 'filter/FORWARD/1', '--match-set lab')],
        steps: (t) => [
          step(
            'node2',
            `ipset create lab hash:ip,port,ip && ipset add lab ${t.ip('web-1')},tcp:8080,${t.ip('web-0')} && ${t.iptables} -I FORWARD -m set --match-set lab dst,dst,src -j DROP`,
          ),
        ],
      },
    ],
    [
      'owner',
      'node2 drops what user 4711 sends',
      {
        harmless: 'that user sends nothing',
        undecidable: 'which user asks is in no question',
        steps: (t) => [step('node2', `${t.iptables} -I OUTPUT -m owner --uid-owner 4711 -j DROP`)],
      },
    ],
    [
      'pod-input-drop',
      'web-1 drops what comes in',
      {
        causes: (t) => [cause('FILTER_DROP', t.at('web-1'), 'filter/INPUT/1')],
        steps: (t) => [step(t.at('web-1'), 'iptables-nft -I INPUT -p tcp --dport 8080 -j DROP')],
      },
    ],
    [
      'pod-output-drop',
      'client-1 drops what it sends to web-2',
      {
        causes: (t) => [cause('FILTER_DROP', t.at('client-1'), 'filter/OUTPUT/1')],
        steps: (t) => [step(t.at('client-1'), `iptables-nft -I OUTPUT -d ${t.ip('web-2')} -j DROP`)],
      },
    ],
    [
      'pod-output-reject',
      'client-1 rejects what it sends to web-2',
      {
        causes: (t) => [cause('FILTER_REJECT', t.at('client-1'), 'filter/OUTPUT/1')],
        steps: (t) => [step(t.at('client-1'), `iptables-nft -I OUTPUT -d ${t.ip('web-2')} -j REJECT`)],
      },
    ],
    [
      'pod-answers-dropped',
      'web-1 drops its answers',
      {
        causes: (t) => [cause('FILTER_DROP', t.at('web-1'), 'filter/OUTPUT/1')],
        steps: (t) => [step(t.at('web-1'), 'iptables-legacy -I OUTPUT -p tcp --sport 8080 -j DROP')],
      },
    ],
    [
      'ext-input-drop',
      'the host outside drops what the router sends',
      {
        causes: () => [cause('FILTER_DROP', 'ext', 'filter/INPUT/1')],
        steps: () => [step('ext', 'iptables-nft -I INPUT -s 203.0.113.1 -j DROP')],
      },
    ],
    [
      'loopback-drop',
      'node1 drops on its loopback',
      {
        causes: () => [cause('FILTER_DROP', 'node1', 'filter/INPUT/1')],
        steps: (t) => [step('node1', `${t.iptables} -I INPUT -i lo -j DROP`)],
      },
    ],
  ]),
];
