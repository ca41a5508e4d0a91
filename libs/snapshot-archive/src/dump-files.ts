/** The files of one namespace directory that somebody reads; all others are ignored. */
export const DUMP_FILES: ReadonlySet<string> = new Set([
  'meta.json',
  'ip-link.json',
  'ip-addr.json',
  'ip-route.json',
  'ip6-route.json',
  'ip-rule.json',
  'ip6-rule.json',
  'ip-neigh.json',
  'bridge-fdb.json',
  'bridge-link.json',
  'bridge-vlan.json',
  'iptables-nft-save.txt',
  'iptables-legacy-save.txt',
  'ip6tables-nft-save.txt',
  'ip6tables-legacy-save.txt',
  'nft.json',
  'ipset-save.txt',
  'ipvsadm-save.txt',
  'ss-listen.txt',
  'ss-all.txt',
  'sysctl-net.txt',
  'conntrack.txt',
  'conntrack-count.txt',
  'tc.txt',
  'proc-snmp.txt',
  'proc-netstat.txt',
  'stderr.txt',
]);

/** The files at the top of a snapshot. */
export const TOP_FILES: ReadonlySet<string> = new Set([
  'snapshot.json',
  'kubernetes.json',
  'cloud.json',
  'underlay.json',
]);
