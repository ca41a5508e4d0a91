import type { Target } from '../target.js';
import { cause } from '../cause.js';
import { bridged, faultsOf, step, type Step } from '../fault.js';

/** A table of its own on node2 with one base chain. */
function table(family: string, chain: string, ...rules: readonly string[]): Step {
  const body = rules.map((rule) => `    ${rule}`).join('\n');
  return step('node2', `nft -f - <<'END'\ntable ${family} lab {\n  chain base {\n    ${chain}\n${body}\n  }\n}\nEND\n`);
}

const forward = (priority: string | number) => `type filter hook forward priority ${priority}; policy accept;`;

function pods(t: Target) {
  return { web: t.ip('web-1'), client: t.ip('client-1') };
}

export const NFT_FAULTS = faultsOf('nft', [
  [
    'nft-inet-forward',
    'an inet table drops in forward',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [table('inet', forward(0), `ip daddr ${pods(t).web} tcp dport 8080 drop`)],
    },
  ],
  [
    'nft-inet-policy',
    "an inet table's policy is drop",
    {
      causes: () => [cause('NFT_DROP FILTER_DROP CHAIN_POLICY_DROP', 'node2', 'lab/base')],
      steps: () => [
        table(
          'inet',
          'type filter hook forward priority 10; policy drop;',
          'ct state established,related accept',
          'meta l4proto udp accept',
        ),
      ],
    },
  ],
  [
    'nft-early',
    'a table drops before conntrack',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table('ip', 'type filter hook prerouting priority -350; policy accept;', `ip daddr ${pods(t).web} drop`),
      ],
    },
  ],
  [
    'nft-after-dnat',
    'a table drops after DNAT',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table('ip', 'type filter hook prerouting priority -90; policy accept;', `ip daddr ${pods(t).web} drop`),
      ],
    },
  ],
  [
    'nft-before-dnat',
    'a table drops cluster IPs before DNAT',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: () => [
        table('ip', 'type filter hook prerouting priority -105; policy accept;', 'ip daddr 10.96.0.0/12 drop'),
      ],
    },
  ],
  [
    'nft-input',
    'an inet table drops in input',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: () => [
        table(
          'inet',
          'type filter hook input priority 5; policy accept;',
          'tcp dport { 9100, 10250 } drop',
          'udp dport 9053 drop',
        ),
      ],
    },
  ],
  [
    'nft-output',
    'an ip table drops in output',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table('ip', 'type filter hook output priority 0; policy accept;', `ip daddr ${t.ip('web-2')} drop`),
      ],
    },
  ],
  [
    'nft-postrouting',
    'an ip table drops in postrouting',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table(
          'ip',
          'type filter hook postrouting priority 150; policy accept;',
          `ip daddr ${pods(t).web} tcp dport 8080 drop`,
        ),
      ],
    },
  ],
  [
    'nft-reject-tcp',
    'an inet table resets',
    {
      causes: () => [cause('FILTER_REJECT', 'node2', 'lab/base')],
      steps: (t) => [table('inet', forward(-5), `ip daddr ${pods(t).web} meta l4proto tcp reject with tcp reset`)],
    },
  ],
  [
    'nft-reject-icmpx',
    'an inet table rejects',
    {
      causes: () => [cause('FILTER_REJECT', 'node2', 'lab/base')],
      steps: (t) => [table('inet', forward(-5), `ip daddr ${pods(t).web} reject with icmpx type admin-prohibited`)],
    },
  ],
  [
    'nft-reject-icmp',
    'an ip table rejects',
    {
      causes: () => [cause('FILTER_REJECT', 'node2', 'lab/base')],
      steps: (t) => [table('ip', forward(-5), `ip daddr ${pods(t).web} reject with icmp type host-unreachable`)],
    },
  ],
  [
    'nft-set',
    'a set is dropped',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        step(
          'node2',
          `nft -f - <<'END'\ntable ip lab {\n  set bad { type ipv4_addr; flags interval; elements = { ${pods(t).web}/32, 172.16.0.0/12 } }\n  chain base {\n    ${forward(0)}\n    ip daddr @bad drop\n  }\n}\nEND\n`,
        ),
      ],
    },
  ],
  [
    'nft-vmap',
    'a verdict map decides',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table(
          'ip',
          forward(0),
          `ip daddr . tcp dport vmap { ${pods(t).web} . 8080 : drop, ${pods(t).client} . 8080 : accept }`,
        ),
      ],
    },
  ],
  [
    'nft-chain',
    'a chain jumps, goes and returns',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/inner | lab/base')],
      steps: (t) => [
        step(
          'node2',
          `nft -f - <<'END'\ntable ip lab {\n  chain inner { ip daddr ${pods(t).client} return\n tcp dport 8080 drop\n }\n  chain base {\n    ${forward(0)}\n    ip daddr { ${pods(t).web}, ${pods(t).client} } jump inner\n    ip daddr ${pods(t).client} udp dport 5353 drop\n  }\n}\nEND\n`,
        ),
      ],
    },
  ],
  [
    'nft-ct-state',
    'a table drops data',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table(
          'inet',
          forward(0),
          `ip daddr ${pods(t).web} ct state established ct direction original meta l4proto tcp drop`,
        ),
      ],
    },
  ],
  [
    'nft-ct-status',
    'a table drops what is translated',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: () => [table('inet', forward(0), 'ct status dnat meta l4proto tcp drop')],
    },
  ],
  [
    'nft-mark',
    'a table marks and drops the mark',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [table('inet', forward(0), `ip daddr ${pods(t).web} meta mark set 0x77`, 'meta mark 0x77 drop')],
    },
  ],
  [
    'nft-iifname',
    'a table drops by interface',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: () => [table('inet', forward(0), 'iifname "eth0" oifname != "eth0" tcp dport 8080 drop')],
    },
  ],
  [
    'nft-fib',
    'a table drops what has no way back',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: () => [
        table('inet', 'type filter hook prerouting priority -300; policy accept;', 'fib saddr . iif oif missing drop'),
      ],
    },
  ],
  [
    'nft-accept-elsewhere',
    'one table accepts, the next drops',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab2/c')],
      steps: (t) => [
        table('inet', forward(-10), 'accept'),
        step(
          'node2',
          `nft add table ip lab2 && nft 'add chain ip lab2 c { ${forward(20)} }' && nft add rule ip lab2 c ip daddr ${pods(t).web} drop`,
        ),
      ],
    },
  ],
  [
    'nft-bridge',
    'a bridge table drops',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      fits: bridged,
      steps: (t) => [table('bridge', forward(0), `ip daddr ${pods(t).web} drop`)],
    },
  ],
  [
    'nft-bridge-input',
    'a bridge table drops what goes to the bridge itself',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      fits: bridged,
      steps: (t) => [
        table(
          'bridge',
          'type filter hook input priority 0; policy accept;',
          `ip saddr ${pods(t).web} tcp dport 8080 drop`,
        ),
      ],
    },
  ],
  [
    'nft-bridge-output',
    'a bridge table drops what the bridge sends',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      fits: bridged,
      steps: (t) => [
        table(
          'bridge',
          'type filter hook output priority 0; policy accept;',
          `ip daddr ${pods(t).web} tcp dport 8080 drop`,
        ),
      ],
    },
  ],
  [
    'nft-netdev',
    'a netdev table drops at eth0',
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table(
          'netdev',
          'type filter hook ingress device "eth0" priority 0; policy accept;',
          t.isOverlay ? `udp dport ${t.vtep.port} drop` : `ip daddr ${pods(t).web} tcp dport 8080 drop`,
        ),
      ],
    },
  ],
  [
    'nft-netdev-veth',
    "a netdev table drops at web-1's veth",
    {
      causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table(
          'netdev',
          `type filter hook ingress device "${t.veth('web-1')}" priority 0; policy accept;`,
          'tcp sport 8080 drop',
        ),
      ],
    },
  ],
  [
    'nft-dnat',
    'an ip table translates web-1 into client-1',
    {
      causes: () => [cause('FOREIGN_RULE', 'node2', 'lab/base')],
      steps: (t) => [
        table(
          'ip',
          'type nat hook prerouting priority -110; policy accept;',
          `ip daddr ${pods(t).web} tcp dport 8080 dnat to ${pods(t).client}`,
        ),
      ],
    },
  ],
  [
    'nft-snat',
    'an ip table gives web-1 a foreign source',
    {
      causes: () => [cause('FOREIGN_RULE', 'node2', 'lab/base')],
      steps: (t) => [
        table(
          'ip',
          'type nat hook postrouting priority 90; policy accept;',
          `ip saddr ${pods(t).client} snat to 10.10.0.99`,
        ),
      ],
    },
  ],
  [
    'nft-masquerade',
    'an ip table masquerades to web-1',
    {
      causes: () => [cause('FOREIGN_RULE', 'node2', 'lab/base')],
      steps: (t) => [
        table('ip', 'type nat hook postrouting priority 90; policy accept;', `ip daddr ${pods(t).web} masquerade`),
      ],
    },
  ],
  [
    'nft-redirect',
    'an ip table redirects',
    {
      causes: () => [cause('FOREIGN_RULE FILTER_DROP', 'node2', 'lab/base')],
      steps: (t) => [
        table(
          'ip',
          'type nat hook prerouting priority -110; policy accept;',
          `ip daddr ${pods(t).web} tcp dport 8080 redirect to :9100`,
        ),
      ],
    },
  ],
  [
    'nft-notrack',
    'a table switches tracking off',
    {
      causes: () => [cause('FOREIGN_RULE CONNTRACK_NOTRACK', 'node2', 'lab/base')],
      steps: () => [table('ip', 'type filter hook prerouting priority -300; policy accept;', 'tcp dport 8080 notrack')],
    },
  ],
]);
