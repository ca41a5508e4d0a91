import type { Input } from './attempt.js';

export interface KnownDefect {
  readonly title: string;
  /** A target's name. */
  readonly target: string;
  readonly input: Input;
}

const FROM_NODE = {
  base: 'flannel-vxlan.iptables.legacy',
  ask: '{"source":"node/node1","destination":"10.244.1.3","port":8080,"protocol":"tcp"}',
};
const TO_OUTSIDE = {
  base: FROM_NODE.base,
  ask: '{"source":"node/node1","destination":"198.51.100.200","port":80,"protocol":"tcp"}',
};

/** A diagnosis from node1, whose OUTPUT has these chains and rules. */
function withRules(title: string, chains: readonly string[], rules: readonly string[], table = 'filter'): KnownDefect {
  const declared = chains.map((name) => `:${name} - [0:0]`);
  const text = [`*${table}`, ':OUTPUT ACCEPT [0:0]', ...declared, ...rules.map((rule) => `-A ${rule}`), 'COMMIT', ''];
  return {
    title,
    target: 'diagnose',
    input: { ...FROM_NODE, 'node//node1/iptables-legacy-save.txt': text.join('\n') },
  };
}

/** The same for a native table: rules of chain `o` (at hook output) and of chain `l`. */
function withNative(title: string, output: readonly unknown[], other: readonly unknown[] = []): KnownDefect {
  const at = { family: 'inet', table: 't' };
  const rules = [...output.map((expr) => ({ chain: 'o', expr })), ...other.map((expr) => ({ chain: 'l', expr }))];
  const items = [
    { table: { family: 'inet', name: 't' } },
    { chain: { ...at, name: 'o', type: 'filter', hook: 'output', prio: 0, policy: 'accept' } },
    { chain: { ...at, name: 'l' } },
    ...rules.map((rule, index) => ({ rule: { ...at, handle: index + 10, ...rule } })),
  ];
  return {
    title,
    target: 'diagnose',
    input: { ...FROM_NODE, 'node//node1/nft.json': JSON.stringify({ nftables: items }) },
  };
}

function numgen(mod: number): unknown[] {
  const left = { numgen: { mode: 'random', mod, offset: 0 } };
  return [{ match: { op: '==', left, right: 0 } }, { drop: null }];
}

/** A default route with many ways out. */
function withNextHops(title: string, weights: readonly number[]): KnownDefect {
  // Ways to different ends, so that their branches are not one.
  const nexthops = weights.map((weight, at) => ({
    gateway: `10.10.0.${11 + (at % 3)}`,
    dev: 'eth0',
    weight,
    flags: [],
  }));
  const routes = [
    { dst: 'default', nexthops, flags: [] },
    { dst: '10.10.0.0/24', dev: 'eth0', scope: 'link', prefsrc: '10.10.0.11', flags: [] },
  ];
  return { title, target: 'diagnose', input: { ...TO_OUTSIDE, 'node//node1/ip-route.json': JSON.stringify(routes) } };
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

const JUMP = [{ jump: { target: 'l' } }];

/** Inputs that once broke something, made small: each is run by the spec. `target` is a target's name. */
export const KNOWN: readonly KnownDefect[] = [
  {
    title: 'the links of the source cannot be read: undetermined, never unreachable',
    target: 'diagnose',
    input: {
      base: 'flannel-vxlan.iptables.legacy',
      ask: '{"source":"node/node1","destination":"198.51.100.12","port":80,"protocol":"tcp"}',
      'node//node1/ip-link.json': '-j',
    },
  },
  {
    title: 'a node on the way lost its routes: every partial answer names what stops it',
    target: 'diagnose',
    input: {
      base: 'flannel-vxlan.iptables.legacy',
      ask: '{"source":"pod/default/web-0","destination":"10.96.10.12","port":80,"protocol":"tcp"}',
      'node//node3/ip-route.json':
        '[{"type":"broadcast","dst":"10.10.0.255","dev":"eth0","table":"local","scope":"link","prefsrc":true,"flags":[]}]',
    },
  },
  {
    title: 'the listeners cannot be read: what is fatal has evidence',
    target: 'diagnose',
    input: {
      base: 'kindnet.nftables.nft',
      ask: '{"source":"pod/default/client-1","destination":"10.244.1.2","port":5353,"protocol":"udp"}',
      'pod/default/web-0/ss-listen.txt': '0.0.0.0:*',
      'node//node2/ip-rule.json': '[]',
    },
  },
  {
    title: 'a document without a list of nftables says where it stands',
    target: 'parse nft.json',
    input: { 'nft.json': '{"nftables":[]}\n{}' },
  },
  {
    title: 'a rule with a wrong member says where it stands',
    target: 'parse nft.json',
    input: { 'nft.json': '{"nftables":[{"rule":{"family":"ip","table":7,"chain":"a","handle":1,"expr":[]}}]}' },
  },
  {
    title: 'a rule of a chain that is not there says where it stands',
    target: 'parse nft.json',
    input: { 'nft.json': '{"nftables":[{"rule":{"family":"ip","table":"t","chain":"a","handle":1,"expr":[]}}]}' },
  },
  {
    title: 'a member that is called toString is data like any other',
    target: 'diagnose',
    input: {
      ...FROM_NODE,
      'node//node1/nft.json':
        '{"nftables":[{"rule":{"family":{"toString":"x"},"table":"t","chain":"c","handle":1,"expr":[{"toString":1}]}}]}',
    },
  },
  {
    // A ustar header "a/" of type 5 with size 1, then zeros.
    title: 'a folder in an archive that says it has bytes does not stop the reader',
    target: 'read an archive',
    input: {
      'snapshot.tar.gz':
        'H4sIAAAAAAAAA0vUZ6A5MDAwMDA3NQXTBgYG6LSBgYEhEhskbmZoZsagYEp7pzEwlBaXJBYxGBjQw65RMApGwSgYRAAAohfEMQAGAAA=',
    },
  },
  withRules('a chain jumps to itself twice', ['L'], ['OUTPUT -j L', 'L -j L', 'L -j L']),
  withRules('a chain jumps to itself three times', ['L'], ['OUTPUT -j L', 'L -j L', 'L -j L', 'L -j L']),
  withRules(
    'thirty chains, each of which jumps to the next twice',
    times(30, (at) => `C${at}`),
    ['OUTPUT -j C0', ...times(29, (at) => `C${at} -j C${at + 1}`), ...times(29, (at) => `C${at} -j C${at + 1}`)],
  ),
  withNative('a native chain jumps to itself', [JUMP], [JUMP, JUMP, JUMP]),
  withNative('numgen with a modulus of a thousand million', [numgen(1e9)]),
  withNative('numgen with a modulus of a million', [numgen(1e6)]),
  withNative('numgen with a modulus that is no whole number', [numgen(2.5)]),
  {
    title: 'a rule that is nested thousands of levels deep',
    target: 'parse nft.json',
    input: {
      'nft.json': `{"nftables":[{"chain":{"family":"inet","table":"t","name":"c"}},{"rule":{"family":"inet","table":"t","chain":"c","handle":1,"expr":[${'['.repeat(20_000)}${']'.repeat(20_000)}]}}]}`,
    },
  },
  {
    title: 'a range of VLANs without a beginning',
    target: 'parse bridge-vlan.json',
    input: { 'bridge-vlan.json': '[{"ifname":"br0","vlans":[{"vlan":-1e308,"vlanEnd":20}]}]' },
  },
  withNative('numgen with a negative modulus', [numgen(-3)]),
  withNextHops('a weight below zero', [-1, 3]),
  withNextHops('weights of zero', [0, 0]),
  withNextHops('weights that add up to infinity', [1e308, 1e308]),
  withNextHops(
    'five thousand next hops',
    times(5_000, () => 1),
  ),
  withNextHops(
    'two hundred thousand next hops',
    times(200_000, () => 1),
  ),
  withRules('a probability that is no number', ['X'], ['OUTPUT -m statistic --mode random --probability NaN -j X']),
  withRules('every so many that is no number', ['X'], ['OUTPUT -m statistic --mode nth --every x --packet 0 -j X']),
  withRules(
    'forty dice in one chain: the symptom is the most probable one',
    ['X'],
    times(40, (at) => `OUTPUT -m statistic --mode random --probability 0.5 -m comment --comment c${at} -j X`),
  ),
  withRules(
    'forty matches that nobody knows',
    [],
    times(40, (at) => `OUTPUT -m unheard --of ${at} -j DROP`),
  ),
  withRules('a reject type that is a member of Object', [], ['OUTPUT -j REJECT --reject-with constructor']),
  withRules('a protocol that is a member of Object', [], ['OUTPUT -p constructor -j DROP']),
  withRules(
    'ten thousand rules that drop',
    [],
    times(10_000, (at) => `OUTPUT -m comment --comment c${at} -j DROP`),
  ),
  withRules(
    'a range of a whole network to translate to',
    [],
    ['OUTPUT -j DNAT --to-destination 10.0.0.1-10.255.255.254'],
    'nat',
  ),
];
