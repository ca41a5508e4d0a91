import { NetNamespace } from '#libs/netstack';
import { DumpError } from '../../libs/netstack/src/parse/dump-file.js';
import type { Target } from './attempt.js';
import { textsOf, type Base } from './corpus.js';
import { mutateJson } from './mutate-json.js';
import { mutateText } from './mutate-text.js';

/** The files of a dump that have a parser. */
const FILES = [
  'ip-link.json',
  'ip-addr.json',
  'bridge-link.json',
  'bridge-vlan.json',
  'ip-route.json',
  'ip6-route.json',
  'ip-rule.json',
  'ip6-rule.json',
  'ip-neigh.json',
  'bridge-fdb.json',
  'iptables-nft-save.txt',
  'iptables-legacy-save.txt',
  'nft.json',
  'ipset-save.txt',
  'ipvsadm-save.txt',
  'ss-listen.txt',
  'sysctl-net.txt',
  'conntrack.txt',
  'tc.txt',
];

/** What other files need to be looked at at all. */
const FRAME = {
  'ip-link.json': '[{"ifindex":1,"ifname":"eth0","flags":[],"mtu":1500}]',
  'ip-addr.json': '[]',
  'ip-route.json': '[]',
  'ip-rule.json': '[]',
  'ip6-route.json': '[]',
  'ip6-rule.json': '[]',
};

/** What the small clusters of the corpus do not have. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  'bridge-link.json': [
    '[{"ifindex":4,"ifname":"veth1","flags":["UP"],"mtu":1500,"master":"cni0","state":"forwarding","hairpin":true,"isolated":false,"learning":true,"flood":true}]',
  ],
  'ip-rule.json': [
    '[{"priority":0,"src":"all","table":"local"},{"priority":100,"not":null,"src":"10.0.0.0","srclen":8,"dst":"1.2.3.4","fwmark":"0x4000","fwmask":"0x4000","iif":"eth0","ipproto":"tcp","dport":"80-90","uid_start":0,"uid_end":1000,"table":"100","suppress_prefixlen":0},{"priority":200,"src":"all","goto":32766},{"priority":300,"src":"all","action":"prohibit"},{"priority":32766,"src":"all","table":"main"}]',
  ],
  'ip-route.json': [
    '[{"dst":"default","nexthops":[{"gateway":"10.0.0.1","dev":"eth0","weight":1,"flags":[]},{"via":{"family":"inet6","host":"fe80::1"},"dev":"eth1","weight":3,"flags":["dead","linkdown"]}],"metrics":[{"mtu":1400}],"flags":[]},{"type":"blackhole","dst":"10.9.0.0/16","table":100,"metric":1024,"tos":"0x10","flags":[]}]',
  ],
  'ipset-save.txt': [
    'create a hash:net,port family inet\nadd a 10.0.0.0/8,tcp:1-65535\nadd a 10.1.0.0/16,udp:53 nomatch\ncreate b list:set size 8\nadd b a\nadd b b\ncreate c hash:ip,mark family inet6\nadd c fd00::1,0x1\ncreate d bitmap:port range 0-65535\nadd d 80-90\ncreate e hash:mac\nadd e 02:00:00:00:00:01\n',
  ],
  'bridge-vlan.json': [
    '[{"ifname":"br0","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]},{"vlan":10,"vlanEnd":20}]},{"ifname":"veth1","vlans":[{"vlan":10,"flags":["PVID"]}]}]',
  ],
  'ipvsadm-save.txt': [
    '-A -t 10.96.0.10:53 -s rr -p 300\n-a -t 10.96.0.10:53 -r 10.244.1.2:53 -m -w 1\n-A -u 10.96.0.10:53 -s wrr\n-a -u 10.96.0.10:53 -r 10.244.1.2:53 -g -w 0\n-A -f 10 -s sh\n-A -t [fd00::1]:80 -s lc\n-a -t [fd00::1]:80 -r [fd00::2]:80 -i -w 100\n',
  ],
  'ss-listen.txt': [
    'tcp LISTEN 0 4096 [::ffff:10.0.0.1]%eth0:80 *:*\nudp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\ntcp LISTEN 0 128 *:22 *:*\ntcp LISTEN 0 128 [::]:22 [::]:*\n',
  ],
};

/** Each file alone in a namespace, so that an error can only be about it. */
export function parserTargets(corpus: readonly Base[]): readonly Target[] {
  return FILES.map((file): Target => {
    const seeds = [...textsOf(corpus, file), ...(MORE[file] ?? [])];
    if (seeds.length === 0) throw new Error(`the corpus has no ${file}`);
    const mutate = file.endsWith('.json') ? mutateJson : mutateText;
    return {
      name: `parse ${file}`,
      weight: 1,
      limitMs: 2_000,
      make: (random) => ({ [file]: mutate(random.pick(seeds), random) }),
      run: (input) => {
        parseAlone(input);
        return [];
      },
    };
  });
}

const UNREADABLE = 'cannot be read: ';

/** Throws the error that the namespace has put down, so that it is judged like any other. */
function parseAlone(input: Readonly<Record<string, string>>): void {
  const files = new Map(Object.entries({ ...FRAME, ...input }));
  const ns = new NetNamespace({ kind: 'node', name: 'node1', files });
  for (const { reason } of ns.missingFiles())
    if (reason.startsWith(UNREADABLE)) {
      const [at = '', ...rest] = reason.slice(UNREADABLE.length).split(': ');
      throw new DumpError(at, rest.join(': '));
    }
}
