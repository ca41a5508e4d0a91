import { knownMatches, knownTargets } from '#libs/netstack';
import { pageHead, type ReferencePage } from './page.js';

const codes = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' ');

/** What of netfilter the walk understands; the lists are read from the code that does it. */
export const netfilterPage: ReferencePage = {
  path: 'docs/reference/netfilter.md',
  render: () => {
    const { decide, pass } = knownTargets();
    return [
      pageHead('What the walk knows of netfilter', 'libs/netstack/src/netfilter and tools/reference/netfilter-page.ts'),
      'Both back ends of iptables are read (`iptables-nft-save`, `iptables-legacy-save`), and native nftables tables (`nft -j`). A match or',
      'target that is not listed makes only its own rule undecided: both answers are tried, and where they differ the verdict is',
      '`undetermined`.',
      '',
      '## Matches of iptables',
      '',
      'Beside the selectors `-s -d -i -o -p -f`, each with `!`:',
      '',
      codes(knownMatches()),
      '',
      'What they ask that no dump holds (rates, users of sockets) cannot be decided either.',
      '',
      '## Targets of iptables',
      '',
      'They decide or change the packet:',
      '',
      codes(decide),
      '',
      'They count, log, or change what nothing here looks at, so the packet goes on:',
      '',
      codes(pass),
      '',
      '## nftables',
      '',
      'Families `ip`, `ip6`, `inet`, `bridge`, `netdev`. Base chains with type, hook, priority and policy; sets, maps and verdict maps with',
      'concatenations, prefixes and ranges; `payload`, `meta`, `ct`, `fib`, `numgen`, `jhash` and bitwise expressions; `accept`, `drop`,',
      '`return`, `jump`, `goto`, `reject`, `dnat`, `snat`, `masquerade`, `redirect`, marks and `notrack`.',
      '',
      '## ipvs and traffic control',
      '',
      'ipvs with masquerading, each scheduler as a choice by weight. Traffic control filters that are classic BPF in direct-action mode are',
      'executed; any other filter makes the answer `undetermined`.',
      '',
    ].join('\n');
  },
};
