/** One file of a namespace directory and the command whose output it is. */
export interface DumpCommand {
  readonly file: string;
  readonly argv: readonly string[];
  /** `nodes`: says nothing in a pod. */
  readonly on: 'all' | 'nodes';
  /** More than this is cut at a line's end, and noted in stderr.txt. */
  readonly maxBytes?: number;
}

const CONNTRACK_BYTES = 8 * 1024 * 1024;

/** The files that are the output of one command, as docs/reference/snapshot-format lists them. */
export const DUMP_COMMANDS: readonly DumpCommand[] = [
  { file: 'ip-link.json', argv: ['ip', '-j', '-d', 'link', 'show'], on: 'all' },
  { file: 'ip-addr.json', argv: ['ip', '-j', 'addr', 'show'], on: 'all' },
  { file: 'ip-route.json', argv: ['ip', '-j', '-4', 'route', 'show', 'table', 'all'], on: 'all' },
  { file: 'ip6-route.json', argv: ['ip', '-j', '-6', 'route', 'show', 'table', 'all'], on: 'all' },
  { file: 'ip-rule.json', argv: ['ip', '-j', '-4', 'rule', 'show'], on: 'all' },
  { file: 'ip6-rule.json', argv: ['ip', '-j', '-6', 'rule', 'show'], on: 'all' },
  { file: 'ip-neigh.json', argv: ['ip', '-j', 'neigh', 'show'], on: 'all' },
  { file: 'bridge-fdb.json', argv: ['bridge', '-j', 'fdb', 'show'], on: 'nodes' },
  { file: 'bridge-link.json', argv: ['bridge', '-j', '-d', 'link', 'show'], on: 'nodes' },
  { file: 'bridge-vlan.json', argv: ['bridge', '-j', 'vlan', 'show'], on: 'nodes' },
  { file: 'iptables-nft-save.txt', argv: ['iptables-nft-save', '-c'], on: 'all' },
  { file: 'iptables-legacy-save.txt', argv: ['iptables-legacy-save', '-c'], on: 'all' },
  { file: 'ip6tables-nft-save.txt', argv: ['ip6tables-nft-save', '-c'], on: 'all' },
  { file: 'ip6tables-legacy-save.txt', argv: ['ip6tables-legacy-save', '-c'], on: 'all' },
  { file: 'ipset-save.txt', argv: ['ipset', 'save'], on: 'all' },
  { file: 'ipvsadm-save.txt', argv: ['ipvsadm', '-Sn'], on: 'nodes' },
  { file: 'ss-listen.txt', argv: ['ss', '-lntuH'], on: 'all' },
  { file: 'sysctl-net.txt', argv: ['sysctl', '-a', '-r', '^net\\.'], on: 'all' },
  { file: 'conntrack.txt', argv: ['conntrack', '-L'], on: 'nodes', maxBytes: CONNTRACK_BYTES },
  { file: 'conntrack-count.txt', argv: ['conntrack', '-C'], on: 'nodes' },
  { file: 'proc-snmp.txt', argv: ['cat', '/proc/net/snmp'], on: 'all' },
  { file: 'proc-netstat.txt', argv: ['cat', '/proc/net/netstat'], on: 'all' },
];
