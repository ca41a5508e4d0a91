import { cause } from '../cause.js';
import { faultsOf, step, type Step } from '../fault.js';
import type { Target } from '../target.js';

const proxyIsIptables = (t: Target): boolean => !t.isNftables;
const proxyIsNftables = (t: Target): boolean => t.isNftables;

function masqueradeOf(t: Target): string {
  if (t.isBridged) return 'FLANNEL-POSTRTG';
  return t.isCalico ? 'cali-nat-outgoing' : 'KIND-MASQ-AGENT';
}

function netmap(t: Target): readonly Step[] {
  const pods = t.cidr('node3').replace(/\d+\/\d+$/, '0');
  return [step('node1', `${t.iptables} -t nat -I PREROUTING -d 10.96.10.0/24 -p tcp -j NETMAP --to ${pods}/24`)];
}

export const NAT_FAULTS = faultsOf('nat', [
  [
    'mark-masq-empty',
    'KUBE-MARK-MASQ is empty on all nodes',
    {
      causes: () => [
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node1', 'KUBE-MARK-MASQ'),
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node2', 'KUBE-MARK-MASQ'),
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node3', 'KUBE-MARK-MASQ'),
      ],
      fits: proxyIsIptables,
      steps: (t) => ['node1', 'node2', 'node3'].map((node) => step(node, `${t.iptables} -t nat -F KUBE-MARK-MASQ`)),
    },
  ],
  [
    'kube-postrouting-missing',
    'nothing leads to KUBE-POSTROUTING on all nodes',
    {
      causes: () => [
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node1', 'KUBE-POSTROUTING'),
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node2', 'KUBE-POSTROUTING'),
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node3', 'KUBE-POSTROUTING'),
      ],
      fits: proxyIsIptables,
      steps: (t) =>
        ['node1', 'node2', 'node3'].map((node) =>
          step(
            node,
            `${t.iptables} -t nat -D POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING`,
          ),
        ),
    },
  ],
  [
    'kube-services-empty',
    'KUBE-SERVICES is empty on node1',
    {
      causes: () => [cause('PROXY_RULES_MISSING', 'node1', 'KUBE-SERVICES')],
      fits: proxyIsIptables,
      steps: (t) => [step('node1', `${t.iptables} -t nat -F KUBE-SERVICES`)],
    },
  ],
  [
    'kube-services-not-in-prerouting',
    'nothing leads from PREROUTING to KUBE-SERVICES on node1',
    {
      causes: () => [cause('PROXY_RULES_MISSING', 'node1', 'PREROUTING | KUBE-SERVICES')],
      fits: proxyIsIptables,
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES`,
        ),
      ],
    },
  ],
  [
    'kube-services-not-in-output',
    'nothing leads from OUTPUT to KUBE-SERVICES on node1',
    {
      causes: () => [cause('PROXY_RULES_MISSING', 'node1', 'OUTPUT | KUBE-SERVICES')],
      fits: proxyIsIptables,
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -D OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES`,
        ),
      ],
    },
  ],
  [
    'nodeports-empty',
    'KUBE-NODEPORTS is empty on node2',
    {
      causes: () => [cause('PROXY_RULES_MISSING', 'node2', 'KUBE-NODEPORTS')],
      fits: proxyIsIptables,
      steps: (t) => [step('node2', `${t.iptables} -t nat -F KUBE-NODEPORTS`)],
    },
  ],
  [
    'kube-forward-empty',
    'KUBE-FORWARD is empty on all nodes',
    {
      causes: () => [
        cause('PROXY_RULES_MISSING', 'node1', 'KUBE-FORWARD'),
        cause('PROXY_RULES_MISSING', 'node2', 'KUBE-FORWARD'),
        cause('PROXY_RULES_MISSING', 'node3', 'KUBE-FORWARD'),
      ],
      fits: proxyIsIptables,
      steps: (t) => ['node1', 'node2', 'node3'].map((node) => step(node, `${t.iptables} -F KUBE-FORWARD`)),
    },
  ],
  [
    'proxy-table-missing',
    'node1 has no kube-proxy table',
    {
      causes: () => [cause('PROXY_RULES_MISSING', 'node1', 'kube-proxy')],
      fits: proxyIsNftables,
      steps: () => [step('node1', 'nft delete table ip kube-proxy')],
    },
  ],
  [
    'proxy-mark-empty',
    'mark-for-masquerade is empty on all nodes',
    {
      causes: () => [
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node1', 'mark-for-masquerade'),
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node2', 'mark-for-masquerade'),
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node3', 'mark-for-masquerade'),
      ],
      fits: proxyIsNftables,
      steps: () =>
        ['node1', 'node2', 'node3'].map((node) => step(node, 'nft flush chain ip kube-proxy mark-for-masquerade')),
    },
  ],
  [
    'proxy-masquerading-empty',
    'masquerading is empty on all nodes',
    {
      causes: () => [
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node1', 'masquerading'),
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node2', 'masquerading'),
        cause('MASQUERADE_MISSING HAIRPIN_MASQUERADE_MISSING PROXY_RULES_MISSING', 'node3', 'masquerading'),
      ],
      fits: proxyIsNftables,
      steps: () => ['node1', 'node2', 'node3'].map((node) => step(node, 'nft flush chain ip kube-proxy masquerading')),
    },
  ],
  [
    'proxy-nodeport-ips-empty',
    'node2 has no node port addresses',
    {
      causes: () => [cause('PROXY_RULES_MISSING', 'node2', 'nodeport-ips')],
      fits: proxyIsNftables,
      steps: () => [step('node2', 'nft flush set ip kube-proxy nodeport-ips')],
    },
  ],
  [
    'proxy-service-missing',
    'node1 does not know the service single',
    {
      causes: () => [cause('PROXY_RULES_MISSING', 'node1', '10.96.10.2 | single')],
      fits: proxyIsNftables,
      steps: () => [step('node1', "nft delete element ip kube-proxy service-ips '{ 10.96.10.2 . tcp . 80 }'")],
    },
  ],
  [
    'dnat-to-dead-address',
    'node1 translates the service single to nobody',
    {
      causes: () => [
        cause('FOREIGN_RULE PROXY_STALE_ENDPOINT', 'node1', 'nat/PREROUTING/1 | -I PREROUTING -d 10.96.10.2'),
      ],
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -I PREROUTING -d 10.96.10.2 -p tcp --dport 80 -j DNAT --to-destination ${t.ip('web-1').replace(/\d+$/, '44')}:8080`,
        ),
      ],
    },
  ],
  [
    'dnat-to-dead-local-address',
    'node1 translates the service single to nobody of its own',
    {
      causes: () => [
        cause('FOREIGN_RULE PROXY_STALE_ENDPOINT', 'node1', 'nat/PREROUTING/1 | -I PREROUTING -d 10.96.10.2'),
      ],
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -I PREROUTING -d 10.96.10.2 -p tcp --dport 80 -j DNAT --to-destination ${t.ip('web-0').replace(/\d+$/, '180')}:8080`,
        ),
      ],
    },
  ],
  [
    'dnat-to-wrong-port',
    'node1 translates the service single to a closed port',
    {
      causes: () => [
        cause('FOREIGN_RULE PROXY_STALE_ENDPOINT', 'node1', 'nat/PREROUTING/1 | -I PREROUTING -d 10.96.10.2'),
      ],
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -I PREROUTING -d 10.96.10.2 -p tcp --dport 80 -j DNAT --to-destination ${t.ip('web-1')}:8099`,
        ),
      ],
    },
  ],
  [
    'dnat-to-client',
    "node1 translates the service single into the client's own node's pod",
    {
      causes: () => [
        cause('FOREIGN_RULE PROXY_STALE_ENDPOINT', 'node1', 'nat/PREROUTING/1 | -I PREROUTING -d 10.96.10.2'),
      ],
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -I PREROUTING -d 10.96.10.2 -p tcp --dport 80 -j DNAT --to-destination ${t.ip('web-0')}:8080`,
        ),
      ],
    },
  ],
  [
    'dnat-to-loopback',
    'node1 translates the service single to 127.0.0.1',
    {
      causes: () => [
        cause('FOREIGN_RULE PROXY_STALE_ENDPOINT', 'node1', 'nat/PREROUTING/1 | -I PREROUTING -d 10.96.10.2'),
      ],
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -I PREROUTING -d 10.96.10.2 -p tcp --dport 80 -j DNAT --to-destination 127.0.0.1:9100`,
        ),
      ],
    },
  ],
  [
    'dnat-in-output',
    "node1's own packets to web-1 go to web-2",
    {
      causes: () => [cause('FOREIGN_RULE', 'node1', 'nat/OUTPUT/1')],
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -I OUTPUT -d ${t.ip('web-1')} -p tcp --dport 8080 -j DNAT --to-destination ${t.ip('web-2')}`,
        ),
      ],
    },
  ],
  [
    'dnat-in-pod',
    "client-1's own packets to web-1 go to web-2",
    {
      causes: (t) => [cause('FOREIGN_RULE', t.at('client-1'), 'nat/OUTPUT/1')],
      steps: (t) => [
        step(
          t.at('client-1'),
          `iptables-nft -t nat -I OUTPUT -d ${t.ip('web-1')} -p tcp --dport 8080 -j DNAT --to-destination ${t.ip('web-2')}`,
        ),
      ],
    },
  ],
  [
    'cni-masquerade-missing',
    "the CNI plugin's masquerading is empty on all nodes",
    {
      causes: () => [
        cause('MASQUERADE_MISSING', 'node1'),
        cause('MASQUERADE_MISSING', 'node2'),
        cause('MASQUERADE_MISSING', 'node3'),
      ],
      steps: (t) => ['node1', 'node2', 'node3'].map((node) => step(node, `${t.iptables} -t nat -F ${masqueradeOf(t)}`)),
    },
  ],
  [
    'snat-foreign',
    'node2 gives client-1 an address that nobody has',
    {
      causes: () => [cause('FOREIGN_RULE MASQUERADE_UNEXPECTED', 'node2', 'nat/POSTROUTING/1')],
      steps: (t) => [
        step('node2', `${t.iptables} -t nat -I POSTROUTING -s ${t.ip('client-1')} -j SNAT --to-source 10.10.0.99`),
      ],
    },
  ],
  [
    'snat-to-pod',
    "node2 gives client-1 web-0's address",
    {
      causes: () => [cause('FOREIGN_RULE MASQUERADE_UNEXPECTED', 'node2', 'nat/POSTROUTING/1')],
      steps: (t) => [
        step(
          'node2',
          `${t.iptables} -t nat -I POSTROUTING -s ${t.ip('client-1')} -j SNAT --to-source ${t.ip('web-0')}`,
        ),
      ],
    },
  ],
  [
    'masquerade-all',
    'node2 masquerades everything',
    {
      causes: () => [cause('FOREIGN_RULE MASQUERADE_UNEXPECTED', 'node2', 'nat/POSTROUTING/1')],
      steps: (t) => [step('node2', `${t.iptables} -t nat -I POSTROUTING -j MASQUERADE`)],
    },
  ],
  [
    'masquerade-ports',
    'node2 masquerades with few ports',
    {
      causes: () => [cause('FOREIGN_RULE MASQUERADE_UNEXPECTED', 'node2', 'nat/POSTROUTING/1')],
      steps: (t) => [
        step(
          'node2',
          `${t.iptables} -t nat -I POSTROUTING -s ${t.ip('client-1')} -p tcp -j MASQUERADE --to-ports 20000-29000`,
        ),
      ],
    },
  ],
  [
    'redirect',
    'node1 redirects web-1 to itself',
    {
      causes: () => [cause('FOREIGN_RULE', 'node1', 'nat/PREROUTING/1')],
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -I PREROUTING -d ${t.ip('web-1')} -p tcp --dport 8080 -j REDIRECT --to-ports 9100`,
        ),
      ],
    },
  ],
  [
    'redirect-output',
    "node1's own packets to web-1 are redirected",
    {
      causes: () => [cause('FOREIGN_RULE', 'node1', 'nat/OUTPUT/1')],
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t nat -I OUTPUT -d ${t.ip('web-1')} -p tcp --dport 8080 -j REDIRECT --to-ports 9100`,
        ),
      ],
    },
  ],
  [
    'redirect-closed',
    'node2 redirects web-1 to a closed port',
    {
      causes: () => [cause('FOREIGN_RULE FILTER_DROP', 'node2', 'nat/PREROUTING/1')],
      steps: (t) => [
        step(
          'node2',
          `${t.iptables} -t nat -I PREROUTING -d ${t.ip('web-1')} -p tcp --dport 8080 -j REDIRECT --to-ports 4444`,
        ),
      ],
    },
  ],
  [
    'netmap',
    "node1 maps a network to node2's pods",
    {
      fits: (t) => !t.isNftables,
      causes: () => [cause('FOREIGN_RULE', 'node1', 'nat/PREROUTING/1')],
      steps: netmap,
    },
  ],
  [
    'netmap-beside-native',
    "the same beside kube-proxy's native chain of equal priority",
    {
      fits: (t) => t.isNftables,
      undecidable: 'which of two chains of equal priority was registered later is in no dump of this kernel',
      steps: netmap,
    },
  ],
  [
    'snat-input',
    'node2 translates sources in INPUT',
    {
      harmless: 'the answer is translated back',
      steps: (t) => [step('node2', `${t.iptables} -t nat -I INPUT -p tcp --dport 9100 -j SNAT --to-source 172.31.7.7`)],
    },
  ],
  [
    'mark-all',
    "node1 gives everything kube-proxy's mark",
    {
      causes: () => [cause('FOREIGN_RULE MARK_CONFLICT', 'node1', 'mangle/PREROUTING/1')],
      steps: (t) => [step('node1', `${t.iptables} -t mangle -I PREROUTING -j MARK --set-xmark 0x4000/0x4000`)],
    },
  ],
  [
    'ttl-set',
    'node1 sets a small TTL',
    {
      causes: () => [cause('TTL_EXCEEDED FOREIGN_RULE', 'node1', 'mangle/PREROUTING/1')],
      steps: (t) => [step('node1', `${t.iptables} -t mangle -I PREROUTING -j TTL --ttl-set 2`)],
    },
  ],
  [
    'harmless-targets',
    'node1 logs, clamps and marks',
    {
      harmless: 'none of them decides anything',
      steps: (t) => [
        step(
          'node1',
          `${t.iptables} -t mangle -I FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu && ${t.iptables} -I FORWARD -j LOG && ${t.iptables} -t mangle -I PREROUTING -j CONNMARK --save-mark && ${t.iptables} -t mangle -I POSTROUTING -j DSCP --set-dscp 8`,
        ),
      ],
    },
  ],
  [
    'local-dnat-conflict',
    'a DNAT of node2 catches a node port',
    {
      causes: () => [cause('FOREIGN_RULE', 'node2', 'nat/PREROUTING/1')],
      steps: (t) => [
        step(
          'node2',
          `${t.iptables} -t nat -I PREROUTING -p tcp --dport 30080 -j DNAT --to-destination ${t.ip('client-1')}:8080`,
        ),
      ],
    },
  ],
  [
    'port-forward-in-service-chain',
    'KUBE-SERVICES of node1 drops nothing but returns early',
    {
      causes: () => [cause('PROXY_RULES_MISSING FOREIGN_RULE', 'node1', 'KUBE-SERVICES')],
      fits: proxyIsIptables,
      steps: (t) => [step('node1', `${t.iptables} -t nat -I KUBE-SERVICES -p tcp -j RETURN`)],
    },
  ],
]);

export const CONNTRACK_FAULTS = faultsOf('conntrack', [
  [
    'notrack-prerouting',
    'node2 does not track port 8080',
    {
      causes: () => [cause('CONNTRACK_NOTRACK FOREIGN_RULE', 'node2', 'raw/PREROUTING/1')],
      steps: (t) => [step('node2', `${t.iptables} -t raw -I PREROUTING -p tcp --dport 8080 -j NOTRACK`)],
    },
  ],
  [
    'notrack-answers',
    'node2 does not track answers from port 8080',
    {
      causes: () => [cause('CONNTRACK_NOTRACK FOREIGN_RULE', 'node2', 'raw/PREROUTING/1')],
      steps: (t) => [step('node2', `${t.iptables} -t raw -I PREROUTING -p tcp --sport 8080 -j CT --notrack`)],
    },
  ],
  [
    'notrack-output',
    'node1 does not track what it sends',
    {
      causes: () => [cause('CONNTRACK_NOTRACK FOREIGN_RULE', 'node1', 'raw/OUTPUT/1')],
      steps: (t) => [step('node1', `${t.iptables} -t raw -I OUTPUT -j NOTRACK`)],
    },
  ],
  [
    'notrack-services',
    'node1 does not track cluster IPs',
    {
      causes: () => [cause('CONNTRACK_NOTRACK FOREIGN_RULE', 'node1', 'raw/PREROUTING/1')],
      steps: (t) => [step('node1', `${t.iptables} -t raw -I PREROUTING -d 10.96.0.0/12 -j NOTRACK`)],
    },
  ],
  [
    'notrack-all',
    'node2 tracks nothing',
    {
      causes: () => [cause('CONNTRACK_NOTRACK FOREIGN_RULE', 'node2', 'raw/PREROUTING | raw/OUTPUT/1')],
      steps: (t) => [
        step('node2', `${t.iptables} -t raw -I PREROUTING -j NOTRACK && ${t.iptables} -t raw -I OUTPUT -j NOTRACK`),
      ],
    },
  ],
  [
    'ct-zone',
    'node2 tracks what web-1 sends in another zone',
    {
      causes: () => [cause('CONNTRACK_NOTRACK FOREIGN_RULE', 'node2', 'raw/PREROUTING/1')],
      steps: (t) => [step('node2', `${t.iptables} -t raw -I PREROUTING -s ${t.ip('web-1')} -j CT --zone 7`)],
    },
  ],
  [
    'untracked-drop',
    'node2 drops what it does not track',
    {
      causes: () => [cause('FILTER_DROP', 'node2', 'filter/FORWARD/1')],
      steps: (t) => [
        step(
          'node2',
          `${t.iptables} -t raw -I PREROUTING -p udp --dport 5353 -j NOTRACK && ${t.iptables} -I FORWARD -m conntrack --ctstate UNTRACKED -j DROP`,
        ),
      ],
    },
  ],
  [
    'invalid-drop',
    'node2 drops what is invalid, everywhere',
    {
      harmless: 'nothing is invalid where all ways are symmetric',
      steps: (t) =>
        ['INPUT', 'FORWARD', 'OUTPUT'].map((chain) =>
          step('node2', `${t.iptables} -I ${chain} -m conntrack --ctstate INVALID -j DROP`),
        ),
    },
  ],
]);
