import type { Family } from '#libs/model';
import type { Random } from '../random.js';
import { ROUTER_ADDRESSES, ROUTER_LINKS } from '../world/router.js';
import { HOSTS, PORTS, randomFlow } from './flow.js';
import type { NftCase, NftChain, NftRule } from './nft-case.js';

type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
type Kind = 'filter' | 'route' | 'nat';

/** A chain with what its rules may do: depends on the hooks that it can be reached from. */
interface Place {
  readonly name: string;
  readonly kind: Kind;
  readonly hooks: readonly Hook[];
  readonly early: boolean;
  readonly callees: readonly string[];
}

interface Context {
  readonly random: Random;
  readonly place: Place;
  readonly v: Family;
  readonly inet: boolean;
  /** The word that addresses are asked with: ip or ip6. */
  readonly ip: 'ip' | 'ip6';
}

const HOOKS: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
/** Never the priority of conntrack itself, nor behind the sink (300). */
const PRIORITIES = [-300, -150, -10, 0, 10, 150, 250];
const NAT_PRIORITY: Readonly<Record<string, number>> = { prerouting: -100, output: -100, input: 100, postrouting: 100 };

export function randomNftCase(
  random: Random,
  { family, flows, sport }: { family: NftCase['family']; flows: number; sport: number },
): NftCase {
  const v = family === 'ip6' ? 6 : 4;
  const { places, chains } = randomChains(random);
  const rules = places.flatMap((place) =>
    random.times(random.int(0, place.callees.length > 0 ? 5 : 4), () =>
      randomRule({ random, place, v, inet: family === 'inet', ip: v === 4 ? 'ip' : 'ip6' }),
    ),
  );
  return {
    family,
    sets: randomSets(random, v),
    chains,
    rules,
    flows: random.times(flows, (index) => randomFlow(random, v, sport + index)),
  };
}

function randomChains(random: Random): { places: Place[]; chains: NftChain[] } {
  const places: Place[] = [];
  const chains: NftChain[] = [];
  const base = (kind: Kind, hook: Hook, priority: number, callees: readonly string[]): void => {
    const name = `${kind}-${hook}-${priority}`.replace('--', '-m');
    const policy = kind === 'filter' && random.chance(0.06) ? 'drop' : 'accept';
    places.push({ name, kind, hooks: [hook], early: priority < -200, callees });
    chains.push({ name, base: `type ${kind} hook ${hook} priority ${priority}; policy ${policy};` });
  };
  const user = (kind: Kind, prefix: string, hooks: readonly Hook[]): string[] => {
    const names = random.times(random.int(0, 3), (index) => `${prefix}-${index}`);
    for (const [index, name] of names.entries()) {
      places.push({ name, kind, hooks, early: false, callees: names.slice(index + 1) });
      chains.push({ name });
    }
    return names;
  };
  const called = user('filter', 'filter-any', HOOKS);
  for (const hook of HOOKS)
    for (const priority of random.some(PRIORITIES, random.int(1, 2))) base('filter', hook, priority, called);
  if (random.chance(0.3)) base('route', 'output', -140, called);
  const toDestination = user('nat', 'nat-destination', ['prerouting', 'output']);
  const toSource = user('nat', 'nat-source', ['input', 'postrouting']);
  for (const [hook, names] of [
    ['prerouting', toDestination],
    ['output', toDestination],
    ['input', toSource],
    ['postrouting', toSource],
  ] as const)
    base('nat', hook, NAT_PRIORITY[hook] ?? 0, names);
  // Callees are printed first, so they come last here.
  return {
    places,
    chains: [
      ...chains.filter((chain) => chain.base !== undefined),
      ...chains.filter((chain) => chain.base === undefined),
    ],
  };
}

function randomRule(context: Context): NftRule {
  const { random, place } = context;
  const statement = randomStatement(context);
  // nft refuses a rule that asks for two protocols.
  let protocol = protocolOf(statement.needs[0] ?? statement.text);
  const matches: string[] = [];
  for (let i = random.pick([0, 1, 1, 1, 2, 2, 3]); i > 0; i--) {
    const match = random.pick(MATCHES)(context);
    if (match === undefined) continue;
    const wanted = protocolOf(match);
    if (wanted !== '' && protocol !== '' && wanted !== protocol) continue;
    if (wanted !== '') protocol = wanted;
    // nft prints `x < 62 x > 64`, which is never true, as `x != 62-64`.
    const bound = /^(.*) [<>]/.exec(match)?.[1];
    if (
      bound !== undefined &&
      matches.some((other) => other.startsWith(`${bound} <`) || other.startsWith(`${bound} >`))
    )
      continue;
    matches.push(match);
  }
  return {
    chain: place.name,
    matches: [...statement.needs, ...matches],
    statement: statement.text,
  };
}

/** The one protocol that a piece asks for, by name or by a field; empty: none. */
function protocolOf(text: string): string {
  // nft refuses a field of one protocol behind a choice of several, too.
  if (/^meta l4proto \{/.test(text)) return 'several';
  if (/ th /.test(text)) return 'several';
  const own = /^(?:ip protocol|ip6 nexthdr) (.*)$/.exec(text)?.[1];
  if (own !== undefined) return /^(tcp|udp)$/.test(own) ? own : 'several';
  const found = /^(tcp|udp|icmpv6|icmp) |^meta l4proto (?!!|\{)(\S+)|\. (tcp) dport/.exec(text);
  return (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').replace('ipv6-icmp', 'icmpv6');
}

function hosts({ random, v }: Context, least = 2, most = 4): string[] {
  return random.some([...HOSTS[v], ...ROUTER_ADDRESSES[v]], random.int(least, most));
}

function prefix({ random, v }: Context): string {
  const host = random.pick([...HOSTS[v], ...ROUTER_ADDRESSES[v]]);
  return `${host}/${random.pick(v === 4 ? [8, 15, 23, 24, 27, 31] : [16, 32, 48, 64, 127])}`;
}

function range({ random, v }: Context): string {
  return random.pick(
    v === 4
      ? ['10.1.0.50-10.1.0.60', '10.1.0.0-10.2.0.7', '8.0.0.0-9.255.255.255']
      : ['fd01::50-fd01::60', 'fd01::-fd02::7', '2001:db8::-2001:db8:1::'],
  );
}

const op = (random: Random): string => (random.chance(0.25) ? '!= ' : '');
const list = (items: readonly (string | number)[]): string => `{ ${items.join(', ')} }`;

function portSet({ random }: Context): string {
  return random.pick([
    `${random.pick(PORTS)}`,
    `${random.pick(PORTS)}-40000`,
    list(random.some(PORTS, 3)),
    list([53, '80-443', 8080]),
    '@ports',
  ]);
}

function device(context: Context): string {
  const { random } = context;
  const names = ROUTER_LINKS.map(({ inner }) => inner);
  return random.pick([
    `"${random.pick(names)}"`,
    `"${random.pick(names)}"`,
    `"${random.pick(['a', 'b', 'l'])}*"`,
    list(random.some(names, 2).map((name) => `"${name}"`)),
    list(['"a*"', '"c0"']),
    '"lo"',
  ]);
}

const STATES = ['new', 'established', 'related', 'invalid', 'untracked'];
const mark = (random: Random): string => `0x${random.pick([0, 1, 2, 3, 0x10, 0x11, 0x4000]).toString(16)}`;

type Maker = (context: Context) => string | undefined;
const atHooks =
  (allowed: readonly Hook[], make: Maker): Maker =>
  (context) =>
    context.place.hooks.every((hook) => allowed.includes(hook)) ? make(context) : undefined;

const MATCHES: readonly Maker[] = [
  (c) =>
    `${c.ip} ${c.random.pick(['saddr', 'daddr'])} ${op(c.random)}${c.random.pick([...HOSTS[c.v], ...ROUTER_ADDRESSES[c.v]])}`,
  (c) => `${c.ip} ${c.random.pick(['saddr', 'daddr'])} ${op(c.random)}${c.random.pick([prefix(c), range(c)])}`,
  (c) =>
    `${c.ip} ${c.random.pick(['saddr', 'daddr'])} ${op(c.random)}${c.random.pick([list(hosts(c)), '@hosts', '@nets'])}`,
  (c) =>
    `meta l4proto ${op(c.random)}${c.random.pick(['tcp', 'udp', c.v === 4 ? 'icmp' : 'ipv6-icmp', '{ tcp, udp }'])}`,
  (c) => `${c.random.pick(['tcp', 'udp'])} dport ${op(c.random)}${portSet(c)}`,
  (c) => `${c.random.pick(['tcp', 'udp'])} dport ${c.random.pick(['<', '>', '<=', '>='])} ${c.random.pick(PORTS)}`,
  (c) =>
    `${c.random.pick(['tcp', 'udp'])} sport ${op(c.random)}${c.random.pick(['20000-20500', '20300-21000', '{ 80, 443, 20000-20200 }', '@ports'])}`,
  (c) =>
    `tcp flags ${c.random.pick(['syn', '& (fin | syn | rst | ack) == syn', '& (syn | ack) == (syn | ack)', '!= syn', '& (syn | rst) != 0', '& rst == rst', '== { syn, ack }'])}`,
  (c) =>
    `${c.v === 4 ? 'ip ttl' : 'ip6 hoplimit'} ${c.random.pick(['', '!= ', '< ', '> '])}${c.random.pick([2, 62, 63, 64, 127])}`,
  (c) => (c.v === 4 ? `ip length ${c.random.pick(['28', '29-60', '> 40', '!= 40'])}` : undefined),
  (c) => `meta length ${c.random.pick(['28', '40-60', '> 60', '!= 40'])}`,
  (c) => `meta mark ${op(c.random)}${mark(c.random)}`,
  (c) =>
    `meta mark & ${c.random.pick(['0x1', '0x3', '0x10', '0xff'])} ${c.random.pick(['==', '!='])} ${mark(c.random)}`,
  () => `meta mark ${list(['0x0', '0x10', '0x4000'])}`,
  (c) => `ct mark ${op(c.random)}${mark(c.random)}`,
  (c) => `ct state ${op(c.random)}${c.random.some(STATES, c.random.int(1, 3)).join(',')}`,
  (c) => `ct state ${list(c.random.some(STATES, 2))}`,
  (c) => `ct direction ${c.random.pick(['original', 'reply'])}`,
  (c) =>
    `ct status ${c.random.pick(['dnat', 'snat', 'seen-reply', 'confirmed', '& (dnat | snat) != 0', '& dnat == dnat'])}`,
  (c) =>
    `ct original ${c.ip} ${c.random.pick(['saddr', 'daddr'])} ${op(c.random)}${c.random.pick([...HOSTS[c.v], prefix(c)])}`,
  (c) => `meta l4proto ${c.random.pick(['tcp', 'udp'])} ct original proto-dst ${op(c.random)}${c.random.pick(PORTS)}`,
  (c) => `iifname ${op(c.random)}${device(c)}`,
  (c) => `oifname ${op(c.random)}${device(c)}`,
  (c) => `iif ${c.random.pick(['"a0"', '"b0"', '"lo"'])}`,
  atHooks(
    ['prerouting', 'input', 'forward'],
    (c) =>
      `fib ${c.random.pick(['daddr', 'saddr'])} type ${op(c.random)}${c.random.pick(['local', 'unicast', 'broadcast'])}`,
  ),
  atHooks(['output', 'postrouting'], (c) => `fib daddr type ${op(c.random)}${c.random.pick(['local', 'unicast'])}`),
  atHooks(['prerouting', 'input'], (c) => `fib daddr . iif type ${op(c.random)}local`),
  atHooks(['prerouting'], (c) => `fib saddr . iif oif ${c.random.pick(['missing', 'exists'])}`),
  atHooks(['prerouting'], (c) => `fib saddr oif ${op(c.random)}${c.random.pick(['"a0"', '"b0"', '"c0"'])}`),
  (c) =>
    c.v === 4
      ? `icmp type ${op(c.random)}${c.random.pick(['echo-request', 'echo-reply', 'destination-unreachable', '{ echo-request, echo-reply }'])}`
      : `icmpv6 type ${c.random.pick(['echo-request', 'echo-reply', 'destination-unreachable'])}`,
  (c) =>
    `${c.ip} daddr . tcp dport ${op(c.random)}${list(hosts(c).map((host) => `${host} . ${c.random.pick(PORTS)}`))}`,
  (c) => `${c.ip} saddr . ${c.ip} daddr ${list(hosts(c).map((host) => `${host} . ${c.random.pick(HOSTS[c.v])}`))}`,
  (c) => `${c.ip} daddr . meta l4proto . th dport @services`,
  (c) => `${c.ip} saddr . tcp dport @ranges`,
  (c) => `${c.ip} daddr . meta l4proto . th dport @spans`,
  (c) =>
    `iifname . ${c.ip} saddr ${op(c.random)}${list(hosts(c).map((host) => `"${c.random.pick(ROUTER_LINKS).inner}" . ${host}`))}`,
  (c) =>
    c.v === 4
      ? `ip saddr & ${c.random.pick(['255.255.255.0 == 10.1.0.0', '255.0.0.255 == 10.0.0.7', '0.0.0.1 != 0.0.0.1'])}`
      : `ip6 saddr & ${c.random.pick(['ffff:: == fd01::', '::ff != ::7'])}`,
  (c) =>
    c.v === 4
      ? `ip protocol ${op(c.random)}${c.random.pick(['tcp', 'udp', '{ tcp, icmp }'])}`
      : `ip6 nexthdr ${op(c.random)}${c.random.pick(['tcp', 'udp', '{ tcp, ipv6-icmp }'])}`,
  (c) =>
    `ct reply ${c.ip} ${c.random.pick(['saddr', 'daddr'])} ${op(c.random)}${c.random.pick([...HOSTS[c.v], prefix(c)])}`,
  (c) => `ct mark & ${c.random.pick(['0x1', '0xff'])} ${c.random.pick(['==', '!='])} ${mark(c.random)}`,
  (c) => `meta protocol ${op(c.random)}${c.v === 4 ? 'ip' : 'ip6'}`,
  atHooks(['prerouting'], (c) => `fib saddr . mark oif ${op(c.random)}${c.random.pick(['"a0"', '"c0"'])}`),
  atHooks(['prerouting'], (c) => `fib saddr . mark . iif oif ${c.random.pick(['missing', 'exists'])}`),
  (c) => `numgen inc mod 1 ${op(c.random)}0`,
  (c) => `meta pkttype ${op(c.random)}${c.random.pick(['host', 'broadcast'])}`,
  (c) => (c.inet ? 'meta nfproto ipv4' : undefined),
  atHooks(['output'], (c) => `meta skuid ${op(c.random)}${c.random.pick([0, 1])}`),
];

interface RandomStatement {
  readonly text: string;
  readonly needs: readonly string[];
}

const plain = (text: string): RandomStatement => ({ text, needs: [] });

function randomStatement(context: Context): RandomStatement {
  const { random, place, v, ip } = context;
  const options: RandomStatement[] = [plain('accept'), plain('return'), plain('continue')];
  for (const callee of place.callees) {
    options.push(plain(`jump ${callee}`), plain(`jump ${callee}`), plain(`goto ${callee}`));
    options.push(
      plain(
        `${ip} ${random.pick(['saddr', 'daddr'])} vmap ${list(hosts(context).map((host, at) => `${host} : ${at === 0 ? `goto ${callee}` : verdict(random, callee)}`))}`,
      ),
    );
    options.push(
      plain(
        `ct state vmap { established : ${verdict(random, callee)}, new : jump ${callee}, invalid : ${verdict(random, callee)} }`,
      ),
    );
    options.push(
      plain(
        `${ip} daddr . meta l4proto . th dport vmap ${list(hosts(context).map((host) => `${host} . ${random.pick(['tcp', 'udp'])} . ${random.pick(PORTS)} : jump ${callee}`))}`,
      ),
    );
  }
  options.push(
    { text: `tcp dport vmap @verdicts`, needs: ['meta l4proto tcp'] },
    plain(`${ip} ${random.pick(['saddr', 'daddr'])} vmap @places`),
    plain(`iifname vmap { "a0" : ${random.pick(['accept', 'return'])}, "b*" : continue }`),
    plain(`tcp dport vmap { 53 : accept, 80-100 : return, 443-9000 : ${random.pick(['accept', 'continue'])} }`),
  );
  if (place.kind === 'nat') return random.chance(0.5) ? random.pick(options) : random.pick(translations(context));
  options.push(
    plain('drop'),
    plain(`meta mark set ${mark(random)}`),
    plain(`meta mark set meta mark ${random.pick(['|', '&', '^'])} ${mark(random)}`),
    plain(`meta mark set ct mark`),
    plain(`meta mark set meta mark & 0x${random.pick(['fffffff0', 'ffff'])} | ${mark(random)}`),
    plain(`meta mark set ${ip} daddr map @marks`),
    plain(`meta mark set ${ip} saddr map ${list(hosts(context).map((host) => `${host} : ${mark(random)}`))}`),
  );
  if (!place.early)
    options.push(plain(`ct mark set ${random.pick([mark(random), 'meta mark', `ct mark | ${mark(random)}`])}`));
  if (place.early && place.hooks.every((hook) => hook === 'prerouting' || hook === 'output'))
    options.push(plain('notrack'));
  if (place.hooks.every((hook) => hook === 'input' || hook === 'forward' || hook === 'output')) {
    const types =
      v === 4
        ? ['host-unreachable', 'port-unreachable', 'admin-prohibited']
        : ['no-route', 'port-unreachable', 'admin-prohibited'];
    options.push(plain('reject'), plain(`reject with ${v === 4 ? 'icmp' : 'icmpv6'} type ${random.pick(types)}`));
    options.push({ text: 'reject with tcp reset', needs: ['meta l4proto tcp'] });
    if (context.inet)
      options.push(
        plain(
          `reject with icmpx type ${random.pick(['no-route', 'port-unreachable', 'host-unreachable', 'admin-prohibited'])}`,
        ),
      );
  }
  return random.pick(options);
}

function verdict(random: Random, callee: string): string {
  return random.pick(['accept', 'return', 'continue', `jump ${callee}`]);
}

function translations(context: Context): RandomStatement[] {
  const { random, place, v, ip } = context;
  const host = random.pick(HOSTS[v]);
  const bracketed = v === 4 ? host : `[${host}]`;
  const port = random.pick(PORTS);
  const proto = random.pick(['tcp', 'udp']);
  const needs = [`meta l4proto ${proto}`];
  if (place.hooks.includes('prerouting') || place.hooks.includes('output'))
    return [
      plain(`dnat ${ip} to ${host}`),
      { text: `dnat ${ip} to ${ip} daddr . meta l4proto . th dport map @backends`, needs: [] },
      { text: `dnat ${ip} to ${bracketed}:${port}`, needs },
      { text: `redirect to :${port}`, needs },
      plain('redirect'),
      plain(
        `dnat ${ip} to ${ip} daddr map ${list(hosts(context).map((from) => `${from} : ${random.pick(HOSTS[v])}`))}`,
      ),
      {
        text: `dnat ${ip} to ${ip} daddr . th dport map ${list(hosts(context).map((from) => `${from} . ${random.pick(PORTS)} : ${random.pick(HOSTS[v])} . ${random.pick(PORTS)}`))}`,
        needs,
      },
    ];
  const own = random.pick(ROUTER_ADDRESSES[v]);
  const source = [
    plain(`snat ${ip} to ${own}`),
    plain(`snat ${ip} to ${host}`),
    plain(`snat ${ip} to ${ip} saddr map @sources`),
    plain(`snat ${ip} to ${ip} saddr map ${list(hosts(context).map((from) => `${from} : ${own}`))}`),
  ];
  return place.hooks.every((hook) => hook === 'postrouting')
    ? [...source, plain('masquerade'), plain('masquerade')]
    : source;
}

function randomSets(random: Random, v: Family): string[] {
  const all = [...HOSTS[v], ...ROUTER_ADDRESSES[v]];
  const type = v === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const some = (count: number): string[] => random.some(all, count);
  const nets =
    v === 4 ? ['10.1.0.48/29', '10.2.0.0/24', '203.0.113.0/24'] : ['fd01::40/122', 'fd02::/64', '2001:db8:1::/48'];
  return [
    `set hosts { type ${type}; elements = { ${some(4).join(', ')} }; }`,
    `set nets { type ${type}; flags interval; elements = { ${nets.join(', ')} }; }`,
    `set ports { type inet_service; flags interval; elements = { 53, 80-100, 8000-9000 }; }`,
    `set services { type ${type} . inet_proto . inet_service; elements = { ${some(5)
      .map((host) => `${host} . ${random.pick(['tcp', 'udp'])} . ${random.pick(PORTS)}`)
      .join(', ')} }; }`,
    `set ranges { type ${type} . inet_service; flags interval; elements = { ${nets.map((net) => `${net} . ${random.pick(['53-80', '443', '8000-40000'])}`).join(', ')} }; }`,
    `set spans { type ${type} . inet_proto . inet_service; flags interval; elements = { ${nets.map((net) => `${net} . ${random.pick(['tcp', 'udp', '6-17'])} . ${random.pick(['53-80', '443', '0-65535'])}`).join(', ')} }; }`,
    `map verdicts { type inet_service : verdict; flags interval; elements = { 53 : accept, 80-100 : ${random.pick(['return', 'continue'])}, 8000-9000 : accept }; }`,
    `map places { type ${type} : verdict; flags interval; elements = { ${nets.map((net) => `${net} : ${random.pick(['accept', 'return', 'continue'])}`).join(', ')} }; }`,
    `map marks { type ${type} : mark; flags interval; elements = { ${nets.map((net) => `${net} : ${mark(random)}`).join(', ')} }; }`,
    `map sources { type ${type} : ${type}; elements = { ${some(4)
      .map((host) => `${host} : ${random.pick(ROUTER_ADDRESSES[v])}`)
      .join(', ')} }; }`,
    `map backends { type ${type} . inet_proto . inet_service : ${type} . inet_service; elements = { ${some(6)
      .map(
        (host) =>
          `${host} . ${random.pick(['tcp', 'udp'])} . ${random.pick(PORTS)} : ${random.pick(HOSTS[v])} . ${random.pick(PORTS)}`,
      )
      .join(', ')} }; }`,
  ];
}
