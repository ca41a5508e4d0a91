import { compileProgram } from '../../libs/netstack/src/netfilter/nft/program.js';
import { compileRuleset } from '../../libs/netstack/src/netfilter/ruleset.js';
import { parseConntrack } from '../../libs/netstack/src/parse/conntrack.js';
import { parseIpsets } from '../../libs/netstack/src/parse/ipset.js';
import { parseLinks } from '../../libs/netstack/src/parse/links.js';
import { parseFdb, parseNeighbours } from '../../libs/netstack/src/parse/neighbours.js';
import { parseNativeTables } from '../../libs/netstack/src/parse/nft.js';
import { parseRoutes } from '../../libs/netstack/src/parse/routes.js';
import { parseRules } from '../../libs/netstack/src/parse/rules.js';
import { parseSockets } from '../../libs/netstack/src/parse/sockets.js';
import { parseSysctl } from '../../libs/netstack/src/parse/sysctl.js';
import { parseTc } from '../../libs/netstack/src/parse/tc.js';
import type { Target } from './attempt.js';
import { textsOf, type Base } from './corpus.js';
import { mutateJson } from './mutate-json.js';
import { mutateText } from './mutate-text.js';

const LINKS = '[{"ifindex":1,"ifname":"eth0","flags":[],"mtu":1500}]';

/** The parser of each file of a dump. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  'ip-link.json': (text) => parseLinks(text, undefined, undefined),
  'ip-addr.json': (text) => parseLinks(LINKS, text, undefined),
  'bridge-link.json': (text) => parseLinks(LINKS, undefined, text),
  'ip-route.json': (text) => parseRoutes('ip-route.json', text, 4),
  'ip6-route.json': (text) => parseRoutes('ip6-route.json', text, 6),
  'ip-rule.json': (text) => parseRules('ip-rule.json', text, 4),
  'ip6-rule.json': (text) => parseRules('ip6-rule.json', text, 6),
  'ip-neigh.json': parseNeighbours,
  'bridge-fdb.json': parseFdb,
  'iptables-nft-save.txt': (text) => compileRuleset('iptables-nft-save.txt', text, 'nft', 4),
  'iptables-legacy-save.txt': (text) => compileRuleset('iptables-legacy-save.txt', text, 'legacy', 4),
  'nft.json': (text) => parseNativeTables(text).map((table) => compileProgram(table)),
  'ipset-save.txt': parseIpsets,
  'ss-listen.txt': parseSockets,
  'sysctl-net.txt': parseSysctl,
  'conntrack.txt': parseConntrack,
  'tc.txt': parseTc,
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
  'ss-listen.txt': [
    'tcp LISTEN 0 4096 [::ffff:10.0.0.1]%eth0:80 *:*\nudp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\ntcp LISTEN 0 128 *:22 *:*\ntcp LISTEN 0 128 [::]:22 [::]:*\n',
  ],
};

export function parserTargets(corpus: readonly Base[]): readonly Target[] {
  return Object.entries(PARSERS).map(([file, parse]): Target => {
    const seeds = [...textsOf(corpus, file), ...(MORE[file] ?? [])];
    if (seeds.length === 0) throw new Error(`the corpus has no ${file}`);
    const mutate = file.endsWith('.json') ? mutateJson : mutateText;
    return {
      name: `parse ${file}`,
      weight: 1,
      limitMs: 2_000,
      make: (random) => ({ [file]: mutate(random.pick(seeds), random) }),
      run: (input) => {
        parse(input[file] ?? '');
        return [];
      },
    };
  });
}
