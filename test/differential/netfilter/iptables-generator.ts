import type { Family } from '#libs/model';
import type { Random } from '../random.js';
import { ROUTER_ADDRESSES, ROUTER_LINKS } from '../world/router.js';
import { FIRST_PORT, HOSTS, PORTS, randomFlow } from './flow.js';
import { TABLES, type HookName, type IptablesCase, type IptablesChain, type IptablesRule } from './iptables-case.js';

/** A chain and the hooks that it can be reached from: they limit what its rules may ask and do. */
interface Place {
  readonly table: string;
  readonly chain: string;
  readonly hooks: readonly HookName[];
  /** Later user chains of the same kind: jumps go forward only, so there are no loops. */
  readonly callees: readonly string[];
}

export interface CaseOptions {
  readonly backend: 'nft' | 'legacy';
  readonly family: Family;
  readonly flows: number;
  /** First source port; each flow takes the next. */
  readonly sport: number;
}

export function randomIptablesCase(random: Random, { backend, family, flows, sport }: CaseOptions): IptablesCase {
  const places = Object.keys(TABLES).flatMap((table) => randomPlaces(random, table));
  const rules = places.flatMap((place) =>
    random.times(place.callees.length > 0 && random.chance(0.1) ? 14 : random.int(0, 5), () =>
      randomRule(random, place, family),
    ),
  );
  const chains = places.map(({ table, chain, hooks }): IptablesChain => {
    const builtIn = chain === hooks[0];
    const drops = builtIn && table === 'filter' && random.chance(0.08);
    return { table, name: chain, policy: builtIn ? (drops ? 'DROP' : 'ACCEPT') : undefined };
  });
  return {
    backend,
    family,
    chains,
    rules,
    ipsets: randomSets(random, family),
    flows: random.times(flows, (index) => randomFlow(random, family, sport + index)),
  };
}

function randomPlaces(random: Random, table: string): Place[] {
  const hooks = TABLES[table] ?? [];
  // nat chains are for one kind of translation; others are called from anywhere.
  const kinds: (readonly HookName[])[] =
    table === 'nat'
      ? [
          ['PREROUTING', 'OUTPUT'],
          ['INPUT', 'POSTROUTING'],
        ]
      : [hooks];
  return kinds.flatMap((kind) => {
    const names = random.times(random.int(0, 3), (index) => `${table}-${kind[0]?.toLowerCase()}-${index}`);
    return [
      ...kind.map((hook): Place => ({ table, chain: hook, hooks: [hook], callees: names })),
      ...names.map((name, index): Place => ({ table, chain: name, hooks: kind, callees: names.slice(index + 1) })),
    ];
  });
}

function randomRule(random: Random, place: Place, family: Family): IptablesRule {
  const target = randomTarget(random, place, family);
  const protocol = target.protocol ?? randomProtocol(random, family);
  const matches = [...(protocol === '' ? [] : [protocol]), ...randomMatches(random, place, family, protocol)];
  return { table: place.table, chain: place.chain, matches, target: target.text };
}

function randomProtocol(random: Random, family: Family): string {
  const icmp = family === 4 ? 'icmp' : 'ipv6-icmp';
  return random.pick(['', '', '', '-p tcp', '-p tcp', '-p udp', '-p udp', `-p ${icmp}`, '! -p tcp', '! -p udp']);
}

const not = (random: Random): string => (random.chance(0.25) ? '! ' : '');

/** Each piece is a whole condition, so that it can be left out alone. */
function randomMatches(random: Random, place: Place, family: Family, protocol: string): string[] {
  const makers = [...GENERAL, ...(family === 4 ? ONLY4 : ONLY6)];
  if (protocol === '-p tcp') makers.push(...PORTS_OF, ...PORTS_OF, ...TCP_ONLY);
  if (protocol === '-p udp') makers.push(...PORTS_OF, ...PORTS_OF);
  if (protocol === '-p icmp')
    makers.push((r) => `-m icmp ${not(r)}--icmp-type ${r.pick(['8', '0', '3/1', '3', 'any', '11'])}`);
  if (protocol === '-p ipv6-icmp')
    makers.push((r) => `-m icmp6 ${not(r)}--icmpv6-type ${r.pick(['128', '129', '1/3', '1'])}`);
  const pieces = new Map<string, string>();
  for (let i = random.pick([0, 1, 1, 1, 2, 2, 3]); i > 0; i--) {
    const text = random.pick(makers)(random, place, family, protocol);
    if (text === undefined) continue;
    // The same option twice is refused.
    pieces.set(
      text
        .replace(/^! /, '')
        .split(' ')
        .slice(0, 2)
        .join(' ')
        .replace(/^(-[sdio]) .*/, '$1'),
      text,
    );
  }
  return [...pieces.values()];
}

type Maker = (random: Random, place: Place, family: Family, protocol: string) => string | undefined;

function address(random: Random, family: Family): string {
  const host = random.pick([...HOSTS[family], ...ROUTER_ADDRESSES[family]]);
  if (random.chance(0.5)) return host;
  if (family === 4) return `${host}/${random.pick([0, 8, 15, 16, 23, 24, 27, 29, 31, 32])}`;
  return `${host}/${random.pick([0, 16, 32, 48, 64, 112, 127, 128])}`;
}

function device(random: Random): string {
  const { inner } = random.pick(ROUTER_LINKS);
  return random.pick([inner, inner, `${inner.charAt(0)}+`, 'lo', 'c1', 'a00']);
}

function portRange(random: Random): string {
  const one = random.pick(PORTS);
  return random.pick([`${one}`, `${one}`, `${one}:${one + random.int(0, 400)}`, `:${one}`, `${one}:`]);
}

/** Around the source ports of the flows, which rise from FIRST_PORT. */
function sourceRange(random: Random): string {
  const from = FIRST_PORT + random.int(0, 2000);
  return random.pick([`${from}:${from + random.int(0, 1000)}`, `${from}:`, `:${from}`]);
}

const isTcpOrUdp = (protocol: string): boolean => protocol === '-p tcp' || protocol === '-p udp';
const onlyFrom =
  (allowed: readonly HookName[], make: (random: Random) => string): Maker =>
  (random, place) =>
    place.hooks.every((hook) => allowed.includes(hook)) ? make(random) : undefined;

/** A built-in chain refuses interfaces that its hook does not have. */
function hasDevice(place: Place, side: 'i' | 'o'): boolean {
  const without: readonly string[] = side === 'i' ? ['OUTPUT', 'POSTROUTING'] : ['PREROUTING', 'INPUT'];
  return !without.includes(place.chain);
}

/** Nothing is outside of /0, and iptables-nft refuses to ask for it. */
function negated(random: Random, text: string): string {
  return text.endsWith('/0') ? text : `${not(random)}${text}`;
}

const STATES = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED'];

function mark(random: Random): string {
  return `0x${random.pick([0, 1, 2, 3, 0x10, 0x11, 0x4000, 0x8000]).toString(16)}`;
}

function maskedMark(random: Random): string {
  return random.chance(0.5)
    ? mark(random)
    : `${mark(random)}/0x${random.pick([1, 3, 0x10, 0xff, 0xc000]).toString(16)}`;
}

const GENERAL: Maker[] = [
  (r, _, family) => negated(r, `-s ${address(r, family)}`),
  (r, _, family) => negated(r, `-d ${address(r, family)}`),
  (r, _, family) => negated(r, `-d ${address(r, family)}`),
  (r, place) => (hasDevice(place, 'i') ? `${not(r)}-i ${device(r)}` : undefined),
  (r, place) => (hasDevice(place, 'o') ? `${not(r)}-o ${device(r)}` : undefined),
  (r) => `-m mark ${not(r)}--mark ${maskedMark(r)}`,
  (r) => `-m connmark ${not(r)}--mark ${maskedMark(r)}`,
  (r) => `-m conntrack ${not(r)}--ctstate ${r.some(STATES, r.int(1, 3)).join(',')}`,
  (r) => `-m conntrack ${not(r)}--ctstate ${r.pick(['DNAT', 'SNAT', 'DNAT,SNAT', 'NEW,DNAT', 'RELATED,ESTABLISHED'])}`,
  (r) => `-m state --state ${r.some(STATES, r.int(1, 2)).join(',')}`,
  (r) =>
    `-m conntrack ${not(r)}--ctstatus ${r.pick(['NONE', 'SEEN_REPLY', 'CONFIRMED', 'CONFIRMED,SEEN_REPLY', 'EXPECTED'])}`,
  (r) => `-m conntrack --ctdir ${r.pick(['ORIGINAL', 'REPLY'])}`,
  (r) => `-m conntrack ${not(r)}--ctproto ${r.pick(['6', '17', '1'])}`,
  (r, _, family) =>
    `-m conntrack ${not(r)}--${r.pick(['ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst'])} ${address(r, family)}`,
  (r, _place, _family, protocol) =>
    isTcpOrUdp(protocol)
      ? `-m conntrack ${not(r)}--${r.pick(['ctorigdstport', 'ctreplsrcport'])} ${r.pick(PORTS)}`
      : undefined,
  (r, _, family) =>
    `-m addrtype ${not(r)}--${r.pick(['src', 'dst'])}-type ${r.pick(['LOCAL', 'UNICAST', 'MULTICAST', ...(family === 4 ? ['BROADCAST', 'LOCAL,BROADCAST'] : ['LOCAL,UNICAST'])])}`,
  onlyFrom(
    ['PREROUTING', 'INPUT', 'FORWARD'],
    (r) => `-m addrtype ${not(r)}--dst-type ${r.pick(['LOCAL', 'UNICAST'])} --limit-iface-in`,
  ),
  onlyFrom(
    ['OUTPUT', 'POSTROUTING', 'FORWARD'],
    (r) => `-m addrtype ${not(r)}--src-type ${r.pick(['LOCAL', 'UNICAST'])} --limit-iface-out`,
  ),
  (r) => `-m length ${not(r)}--length ${r.pick(['28', '40', '29:60', ':40', '100:'])}`,
  (r) => `-m comment --comment "${r.pick(['a', 'it is -j DROP', 'quote \\"x\\" end', 'with -p tcp words'])}"`,
  (r) => `-m pkttype ${not(r)}--pkt-type ${r.pick(['unicast', 'broadcast'])}`,
  onlyFrom(['PREROUTING', 'INPUT', 'FORWARD'], (r) => `-m mac ${not(r)}--mac-source 02:00:00:00:01:0${r.int(1, 3)}`),
  (r, place) =>
    place.table !== 'nat' && place.hooks.every((hook) => hook === 'PREROUTING')
      ? `-m rpfilter${r.some([' --loose', ' --validmark', ' --accept-local', ' --invert'], r.int(0, 2)).join('')}`
      : undefined,
  // No bridge here: nothing of it is ever true. How bridges fill it in is compared in the lab.
  onlyFrom(
    ['FORWARD'],
    (r) => `-m physdev ${not(r)}${r.pick(['--physdev-in a0', '--physdev-is-bridged', '--physdev-is-in'])}`,
  ),
  (r) => `-m recent --set --name ${r.pick(['one', 'two'])}`,
  onlyFrom(['OUTPUT'], (r) => `-m owner ${not(r)}--uid-owner ${r.pick(['0', '1', '0-100', '5-9'])}`),
  (r, _, family) =>
    `-m set ${not(r)}--match-set ${family === 4 ? '' : 'v6-'}${r.pick(['hosts src', 'hosts dst', 'nets src', 'nets dst', 'ports dst,dst', 'ports src,dst', 'netports dst,dst', 'triples dst,dst,src', 'both src', 'both dst', 'devs src,src', 'pairs dst,dst,src', 'masked src', 'masked dst', 'aged dst', 'portmap dst', 'portmap src', ...(family === 4 ? ['ipmap src', 'ipmap dst'] : [])])}`,
];

const ONLY4: Maker[] = [
  (r) =>
    `-m iprange ${not(r)}--${r.pick(['src', 'dst'])}-range ${r.pick(['10.1.0.50-10.1.0.60', '10.1.0.0-10.2.0.7', '8.0.0.0-9.255.255.255', '10.2.0.8-10.2.0.8'])}`,
  (r) => `-m ttl ${r.pick(['--ttl-eq', '! --ttl-eq', '--ttl-lt', '--ttl-gt'])} ${r.pick([1, 2, 62, 63, 64, 127])}`,
];

const ONLY6: Maker[] = [
  (r) =>
    `-m iprange ${not(r)}--${r.pick(['src', 'dst'])}-range ${r.pick(['fd01::50-fd01::60', 'fd01::-fd02::7', '2001:db8::-2001:db8:1::'])}`,
  (r) => `-m hl ${r.pick(['--hl-eq', '! --hl-eq', '--hl-lt', '--hl-gt'])} ${r.pick([1, 2, 62, 63, 64, 127])}`,
];

const PORTS_OF: Maker[] = [
  (r, _place, _family, p) => `-m ${p.slice(3)} ${not(r)}--dport ${portRange(r)}`,
  (r, _place, _family, p) => `-m ${p.slice(3)} ${not(r)}--dport ${portRange(r)}`,
  (r, _place, _family, p) => `-m ${p.slice(3)} ${not(r)}--sport ${sourceRange(r)} ${not(r)}--dport ${portRange(r)}`,
  (r) => `-m multiport ${not(r)}--dports ${r.some(PORTS, r.int(1, 3)).join(',')}`,
  (r) => `-m multiport ${not(r)}--${r.pick(['ports', 'dports'])} 53:100,${r.pick(['443', '8000:9000', '30000:32767'])}`,
  (r) => `-m multiport ${not(r)}--${r.pick(['ports', 'sports'])} 80,443,20000:20${r.int(100, 900)}`,
];

const TCP_ONLY: Maker[] = [
  (r) =>
    `-m tcp ${not(r)}--tcp-flags ${r.pick(['SYN,ACK SYN', 'FIN,SYN,RST,ACK SYN', 'SYN,RST,ACK SYN,ACK', 'ALL ACK', 'RST RST', 'ALL NONE', 'FIN,ACK ACK'])}`,
  (r) => `-m tcp ${not(r)}--syn`,
];

interface RandomTarget {
  readonly text: string;
  readonly protocol?: string;
}

function randomTarget(random: Random, place: Place, family: Family): RandomTarget {
  const choices: RandomTarget[] = [{ text: '-j RETURN' }, { text: '-j ACCEPT' }];
  for (const callee of place.callees)
    choices.push(
      { text: `-j ${callee}` },
      { text: `-j ${callee}` },
      { text: `-j ${callee}` },
      { text: `-g ${callee}` },
    );
  if (random.chance(0.15)) choices.push({ text: `-j ${random.pick(['LOG', 'NFLOG --nflog-group 9'])}` });
  if (place.table !== 'nat' && random.chance(0.5)) choices.push({ text: '-j DROP' });
  choices.push(...(OF_TABLE[place.table]?.(random, place, family) ?? []));
  return random.pick(choices);
}

/** Whether packets leave the host after all hooks that the chain is in. */
function goesOn({ hooks }: Place): boolean {
  return hooks.every((hook) => hook === 'FORWARD' || hook === 'OUTPUT' || hook === 'POSTROUTING');
}

const OF_TABLE: Readonly<Record<string, (random: Random, place: Place, family: Family) => RandomTarget[]>> = {
  raw: (r) => [{ text: r.pick(['-j NOTRACK', '-j CT --notrack']) }],
  mangle: (r, place, family) => [
    // A changed header of an IPv6 packet from a packet socket spoils the checksum that conntrack has verified, and its socket does not
    // get it (packets of real sockets arrive): only where nothing is delivered afterwards.
    ...(family === 4 || goesOn(place)
      ? [{ text: family === 4 ? `-j TTL --ttl-${ttlChange(r)}` : `-j HL --hl-${ttlChange(r)}` }]
      : []),
    ...(family === 4 ? [{ text: '-j DSCP --set-dscp 8' }] : []),
    ...(goesOn(place) ? [{ text: '-j CLASSIFY --set-class 1:1' }] : []),
    { text: `-j MARK --set-${r.pick(['mark', 'xmark'])} ${maskedMark(r)}` },
    { text: `-j MARK --${r.pick(['or', 'and', 'xor'])}-mark ${mark(r)}` },
    { text: `-j CONNMARK --set-${r.pick(['mark', 'xmark'])} ${maskedMark(r)}` },
    {
      text: `-j CONNMARK --${r.pick(['save', 'restore'])}-mark${r.pick(['', ' --mask 0xff', ' --nfmask 0xf --ctmask 0xff'])}`,
    },
  ],
  nat: (r, place, family) => translations(r, place, family),
  filter: (r, _, family) => [
    {
      text: `-j REJECT --reject-with ${r.pick(
        family === 4
          ? [
              'icmp-port-unreachable',
              'icmp-net-unreachable',
              'icmp-host-unreachable',
              'icmp-proto-unreachable',
              'icmp-net-prohibited',
              'icmp-host-prohibited',
              'icmp-admin-prohibited',
            ]
          : ['icmp6-port-unreachable', 'icmp6-no-route', 'icmp6-adm-prohibited', 'icmp6-addr-unreachable'],
      )}`,
    },
    { text: '-j REJECT --reject-with tcp-reset', protocol: '-p tcp' },
  ],
};

function ttlChange(r: Random): string {
  return r.pick(['dec 1', 'dec 2', 'dec 63', 'inc 1', 'set 1', 'set 64']);
}

function translations(r: Random, place: Place, family: Family): RandomTarget[] {
  const host = r.pick(HOSTS[family]);
  const bracketed = family === 4 ? host : `[${host}]`;
  const withPorts = r.pick(['-p tcp', '-p udp']);
  const net =
    family === 4 ? r.pick(['10.2.0.0/24', '10.3.0.0/28', '172.16.0.0/12']) : r.pick(['fd02::/64', 'fd03::/120']);
  if (place.hooks.every((hook) => hook === 'PREROUTING' || hook === 'OUTPUT'))
    return [
      { text: `-j DNAT --to-destination ${host}` },
      { text: `-j DNAT --to-destination ${bracketed}:${r.pick(PORTS)}`, protocol: withPorts },
      { text: `-j DNAT --to-destination :${r.pick(PORTS)}`, protocol: withPorts },
      { text: '-j REDIRECT' },
      { text: `-j REDIRECT --to-ports ${r.pick(PORTS)}`, protocol: withPorts },
      { text: `-j NETMAP --to ${net}` },
    ];
  const own = r.pick(ROUTER_ADDRESSES[family]);
  const source = [
    { text: `-j SNAT --to-source ${own}` },
    { text: `-j SNAT --to-source ${host}` },
    { text: `-j NETMAP --to ${net}` },
  ];
  if (place.hooks.every((hook) => hook === 'POSTROUTING'))
    return [...source, { text: '-j MASQUERADE' }, { text: '-j MASQUERADE' }];
  return source;
}

/** Sets that the rules may ask for; ipset keeps them for both back ends. */
function randomSets(random: Random, family: Family): string[] {
  const v6 = family === 6;
  const prefix = v6 ? 'v6-' : '';
  const shape = v6 ? ' family inet6' : '';
  const hosts = [...HOSTS[family], ...ROUTER_ADDRESSES[family]];
  const net = (): string => `${random.pick(hosts)}/${random.pick(v6 ? [32, 48, 64, 120] : [8, 16, 24, 28, 31])}`;
  const lines = [
    `create ${prefix}hosts hash:ip${shape}`,
    ...random.some(hosts, 4).map((host) => `add ${prefix}hosts ${host}`),
    `create ${prefix}nets hash:net${shape}`,
    ...random.times(3, () => `add ${prefix}nets ${net()} -exist`),
    `add ${prefix}nets ${random.pick(hosts)}/${v6 ? 127 : 30} nomatch -exist`,
    `create ${prefix}ports hash:ip,port${shape}`,
    ...random.times(
      5,
      () => `add ${prefix}ports ${random.pick(hosts)},${random.pick(['tcp', 'udp'])}:${random.pick(PORTS)} -exist`,
    ),
    `create ${prefix}netports hash:net,port${shape}`,
    ...random.times(
      3,
      () => `add ${prefix}netports ${net()},${random.pick(['tcp', 'udp'])}:${random.pick(PORTS)} -exist`,
    ),
    `create ${prefix}triples hash:ip,port,net${shape}`,
    ...random.times(
      6,
      () =>
        `add ${prefix}triples ${random.pick(hosts)},${random.pick(['tcp', 'udp'])}:${random.pick(PORTS)},${net()} -exist`,
    ),
    `create ${prefix}both list:set`,
    `add ${prefix}both ${prefix}hosts`,
    `add ${prefix}both ${prefix}nets`,
    `create ${prefix}devs hash:net,iface${shape}`,
    ...random.times(3, () => `add ${prefix}devs ${net()},${random.pick(ROUTER_LINKS).inner} -exist`),
    `add ${prefix}devs ${random.pick(hosts)},${random.pick(ROUTER_LINKS).inner} nomatch -exist`,
    `create ${prefix}pairs hash:ip,port,ip${shape}`,
    ...random.times(
      8,
      () =>
        `add ${prefix}pairs ${random.pick(hosts)},${random.pick(['tcp', 'udp'])}:${random.pick(PORTS)},${random.pick(hosts)} -exist`,
    ),
    `create ${prefix}masked hash:ip${shape} netmask ${v6 ? 64 : 24}`,
    ...random.some(hosts, 2).map((host) => `add ${prefix}masked ${host} -exist`),
    `create ${prefix}aged hash:ip${shape} timeout 3600 counters comment`,
    ...random.some(hosts, 3).map((host) => `add ${prefix}aged ${host} comment "not -j DROP"`),
    `create ${prefix}portmap bitmap:port range 0-65535`,
    ...random.some(PORTS, 3).map((port) => `add ${prefix}portmap ${port}`),
    `add ${prefix}portmap 20000-20${random.int(100, 900)}`,
    ...(v6
      ? []
      : [
          'create ipmap bitmap:ip range 10.1.0.0/16',
          ...random.some(hosts, 6).flatMap((host) => (host.startsWith('10.1.') ? [`add ipmap ${host}`] : [])),
        ]),
  ];
  return lines;
}
