import { DEFAULT_LIMITS, DUMP_FILES, TOP_FILES } from '#libs/snapshot-archive';
import { markdownTable, pageHead, type ReferencePage } from './page.js';

const TOP: Readonly<Record<string, string>> = {
  'snapshot.json':
    'Required. `{"format": 1, "cluster", "takenAt", "collector", "nodes": {NAME: {"takenAt", "error"}}}`: what this is, and which nodes could not be read.',
  'kubernetes.json': 'One `List` of the Kubernetes objects as the API server returned them. Never a Secret.',
  'cloud.json': "Optional: the inventory of the cloud's network.",
  'underlay.json': 'Optional: the network between and outside the nodes as the operator describes it.',
};

const DUMP: Readonly<Record<string, string>> = {
  'meta.json': '`{"kind", "name", "namespace", "uid", "node", "netnsInode", "takenAt"}`',
  'ip-link.json': '`ip -j -d link show`',
  'ip-addr.json': '`ip -j addr show`',
  'ip-route.json': '`ip -j -4 route show table all`',
  'ip6-route.json': '`ip -j -6 route show table all`',
  'ip-rule.json': '`ip -j -4 rule show`',
  'ip6-rule.json': '`ip -j -6 rule show`',
  'ip-neigh.json': '`ip -j neigh show`',
  'bridge-fdb.json': '`bridge -j fdb show`',
  'bridge-link.json': '`bridge -j -d link show`',
  'bridge-vlan.json': '`bridge -j vlan show`',
  'iptables-nft-save.txt': '`iptables-nft-save -c`',
  'iptables-legacy-save.txt': '`iptables-legacy-save -c`',
  'ip6tables-nft-save.txt': '`ip6tables-nft-save -c`',
  'ip6tables-legacy-save.txt': '`ip6tables-legacy-save -c`',
  'nft.json': '`nft -j list table FAMILY NAME` for each native table, one document a line',
  'ipset-save.txt': '`ipset save`',
  'ipvsadm-save.txt': '`ipvsadm -Sn`',
  'ss-listen.txt': '`ss -lntuH`',
  'ss-all.txt': '`ss -tunapH`',
  'sysctl-net.txt': "`sysctl -a -r '^net\\.'`",
  'conntrack.txt': '`conntrack -L`, capped',
  'conntrack-count.txt': '`conntrack -C`',
  'tc.txt': '`tc qdisc show` and the filters of devices that have clsact',
  'proc-snmp.txt': '`/proc/net/snmp`',
  'proc-netstat.txt': '`/proc/net/netstat`',
  'stderr.txt': 'What these commands printed on standard error, each line after the name of its file.',
};

function rowsOf(
  files: ReadonlySet<string>,
  meanings: Readonly<Record<string, string>>,
): readonly (readonly string[])[] {
  return [...files].map((file) => {
    const meaning = meanings[file];
    if (meaning === undefined)
      throw new Error(`${file} is read from snapshots and not described: add it to tools/reference/snapshot-page.ts`);
    return [`\`${file}\``, meaning];
  });
}

export const snapshotPage: ReferencePage = {
  path: 'docs/reference/snapshot-format.md',
  render: () =>
    [
      pageHead('Snapshot format', 'libs/snapshot-archive and tools/reference/snapshot-page.ts'),
      'A snapshot is everything that a diagnosis may read about one cluster at one time: a directory, or the same tree as `.tar.gz`.',
      'A file that is missing was not collected. That is never read as "empty": it shows up as a skipped check, or makes the answer',
      '`undetermined`. Files with other names are ignored. A snapshot is untrusted input; its limits are below.\n',
      "```text\nsnapshot.json\nkubernetes.json\ncloud.json, underlay.json          optional\nnodes/<node>/                       the node's own network namespace\npods/<namespace>_<pod>/             the namespace of a pod; none for hostNetwork pods\nexternal/<name>/                    optional: a host outside of the cluster\n```\n",
      '## At the top\n',
      markdownTable(['file', 'holds'], rowsOf(TOP_FILES, TOP)),
      '## In each namespace directory\n\nThe raw output of these commands, so that a dump can be made by hand in an emergency and be read again by a later version.\n',
      markdownTable(['file', 'made by'], rowsOf(DUMP_FILES, DUMP)),
      '## Limits\n\nWhat is beyond is refused, by name.\n',
      markdownTable(
        ['limit', 'value'],
        Object.entries(DEFAULT_LIMITS).map(([name, value]) => [name, String(value)]),
      ),
    ]
      .join('\n')
      .trimEnd()
      .concat('\n'),
};
