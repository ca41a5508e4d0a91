import { formatSocket } from '#libs/model';
import { NotingChooser } from '../../../../../test/fixtures/choices.js';
import { NamespaceLog } from '../../../../../test/fixtures/namespace-log.js';
import { sketchNamespace, type NamespaceSketch } from '../../../../../test/fixtures/namespace-sketch.js';
import { icmpError, tcp, tupleFrom, udp } from '../../../../../test/fixtures/packets.js';
import type { Skb } from '../../skb.js';

const LINKS: NamespaceSketch['links'] = [
  { name: 'eth0', addresses: ['10.10.0.11/24'] },
  { name: 'cni0', addresses: ['10.244.1.1/24'] },
];

type Item = Readonly<Record<string, unknown>>;

const chain = (name: string, base?: { hook: string; prio?: number; type?: string; policy?: string }): Item => ({
  chain: {
    family: 'inet',
    table: 't',
    name,
    ...(base === undefined ? {} : { type: 'filter', prio: 0, policy: 'accept', ...base }),
  },
});
let handle = 0;
const rule = (chainName: string, ...expr: readonly unknown[]): Item => ({
  rule: { family: 'inet', table: 't', chain: chainName, handle: (handle += 1), expr },
});
const set = (name: string, type: unknown, elem: readonly unknown[]): Item => ({
  set: { family: 'inet', table: 't', name, type, elem },
});
const map = (name: string, type: unknown, data: string, elem: readonly unknown[]): Item => ({
  map: { family: 'inet', table: 't', name, type, map: data, elem },
});

function node(items: readonly Item[], chooser = new NotingChooser(), more: NamespaceSketch = {}): NamespaceLog {
  const nft = JSON.stringify({ nftables: [{ table: { family: 'inet', name: 't' } }, ...items] });
  return new NamespaceLog(sketchNamespace({ links: LINKS, nft, ...more }), chooser);
}

const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
const meta = (key: string) => ({ meta: { key } });
const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } });
const DROP = { drop: null };
const ACCEPT = { accept: null };
const FORWARD = chain('f', { hook: 'forward' });
const SYN = (): Skb => tcp('10.244.1.2:40000 > 10.244.2.2:80');
const DATAGRAM = (): Skb => udp('10.244.1.2:40000 > 10.244.2.2:53');

describe('a match', () => {
  const ct = (key: string, dir?: string) => ({ ct: { key, ...(dir === undefined ? {} : { dir }) } });
  const fib = (result: string, ...flags: readonly string[]) => ({ fib: { result, flags } });
  const error = (): Skb => icmpError('10.244.1.2', '10.244.2.2', 3, 3, tupleFrom('10.0.0.1:1 > 10.0.0.2:2'));

  it.each<{ title: string; expr: unknown; skb?: () => Skb; matches: boolean }>([
    { title: 'ip saddr 10.244.1.2', expr: match(payload('ip', 'saddr'), '10.244.1.2'), matches: true },
    { title: 'ip saddr != 10.244.1.2', expr: match(payload('ip', 'saddr'), '10.244.1.2', '!='), matches: false },
    {
      title: 'ip daddr 10.244.0.0/16',
      expr: match(payload('ip', 'daddr'), { prefix: { addr: '10.244.0.0', len: 16 } }),
      matches: true,
    },
    {
      title: 'ip daddr != 10.244.0.0/16',
      expr: match(payload('ip', 'daddr'), { prefix: { addr: '10.244.0.0', len: 16 } }, '!='),
      matches: false,
    },
    {
      title: 'ip daddr in a range',
      expr: match(payload('ip', 'daddr'), { range: ['10.244.2.1', '10.244.2.9'] }),
      matches: true,
    },
    {
      title: 'ip daddr out of a range',
      expr: match(payload('ip', 'daddr'), { range: ['10.244.2.3', '10.244.2.9'] }),
      matches: false,
    },
    { title: 'ip6 daddr of an IPv4 packet', expr: match(payload('ip6', 'daddr'), 'fd00::1'), matches: false },
    { title: 'ip6 daddr != of an IPv4 packet', expr: match(payload('ip6', 'daddr'), 'fd00::1', '!='), matches: false },
    { title: 'tcp dport 80', expr: match(payload('tcp', 'dport'), 80), matches: true },
    { title: 'tcp dport != 80', expr: match(payload('tcp', 'dport'), 80, '!='), matches: false },
    { title: 'tcp dport { 22, 80 }', expr: match(payload('tcp', 'dport'), { set: [22, 80] }), matches: true },
    { title: 'tcp dport != { 22, 80 }', expr: match(payload('tcp', 'dport'), { set: [22, 80] }, '!='), matches: false },
    {
      title: 'tcp dport { 70-90 }',
      expr: match(payload('tcp', 'dport'), { set: [{ range: [70, 90] }] }),
      matches: true,
    },
    { title: 'tcp dport < 1024', expr: match(payload('tcp', 'dport'), 1024, '<'), matches: true },
    { title: 'tcp sport >= 40001', expr: match(payload('tcp', 'sport'), 40001, '>='), matches: false },
    { title: 'tcp dport of a datagram', expr: match(payload('tcp', 'dport'), 53), skb: DATAGRAM, matches: false },
    {
      title: 'tcp dport != 80 of a datagram',
      expr: match(payload('tcp', 'dport'), 80, '!='),
      skb: DATAGRAM,
      matches: false,
    },
    { title: 'th dport 53', expr: match(payload('th', 'dport'), 53), skb: DATAGRAM, matches: true },
    { title: 'meta l4proto tcp', expr: match(meta('l4proto'), 'tcp'), matches: true },
    {
      title: 'meta l4proto { tcp, udp }',
      expr: match(meta('l4proto'), { set: ['tcp', 'udp'] }),
      skb: DATAGRAM,
      matches: true,
    },
    { title: 'meta nfproto ipv4', expr: match(meta('nfproto'), 'ipv4'), matches: true },
    { title: 'meta nfproto ipv6', expr: match(meta('nfproto'), 'ipv6'), matches: false },
    { title: 'iifname "cni0"', expr: match(meta('iifname'), 'cni0'), matches: true },
    { title: 'iifname "cni*"', expr: match(meta('iifname'), 'cni*'), matches: true },
    { title: 'iifname != "cni0"', expr: match(meta('iifname'), 'cni0', '!='), matches: false },
    { title: 'oifname { "eth0", "eth1" }', expr: match(meta('oifname'), { set: ['eth0', 'eth1'] }), matches: true },
    {
      title: 'meta mark & 0x4000 == 0x4000',
      expr: match({ '&': [meta('mark'), 0x4000] }, 0x4000),
      skb: () => ({ ...SYN(), mark: 0x4001 }),
      matches: true,
    },
    {
      title: 'meta mark & 0x4000 == 0 of another mark',
      expr: match({ '&': [meta('mark'), 0x4000] }, 0x4000),
      matches: false,
    },
    {
      title: 'tcp flags & (fin|syn|rst|ack) == syn',
      expr: match({ '&': [payload('tcp', 'flags'), ['fin', 'syn', 'rst', 'ack']] }, 'syn'),
      matches: true,
    },
    {
      title: 'tcp flags & (fin|syn|rst|ack) == syn of a SYN-ACK',
      expr: match({ '&': [payload('tcp', 'flags'), ['fin', 'syn', 'rst', 'ack']] }, 'syn'),
      skb: () => tcp('10.244.1.2:1 > 10.244.2.2:2 SYN-ACK'),
      matches: false,
    },
    {
      title: 'tcp flags syn',
      expr: match(payload('tcp', 'flags'), 'syn', 'in'),
      skb: () => tcp('10.244.1.2:1 > 10.244.2.2:2 SYN-ACK'),
      matches: true,
    },
    { title: 'ct state new', expr: match(ct('state'), 'new', 'in'), matches: true },
    {
      title: 'ct state { established, related }',
      expr: match(ct('state'), { set: ['established', 'related'] }),
      matches: false,
    },
    {
      title: 'ct state established,related',
      expr: match(ct('state'), ['established', 'related'], 'in'),
      matches: false,
    },
    {
      title: 'ct state != new,established: the state has one bit, so it is never both',
      expr: match(ct('state'), { '|': ['new', 'established'] }, '!='),
      matches: true,
    },
    {
      title: 'ct state != invalid | established | untracked',
      expr: match(ct('state'), { '|': [{ '|': ['invalid', 'established'] }, 'untracked'] }, '!='),
      matches: true,
    },
    {
      title: 'ip6 saddr & ::ff == ::2',
      expr: match({ '&': [payload('ip6', 'saddr'), '::ff'] }, '::2'),
      skb: () => tcp('[fd00::2]:1 > [fd00::3]:2'),
      matches: true,
    },
    { title: 'ip dscp cs0', expr: match(payload('ip', 'dscp'), 'cs0'), matches: true },
    {
      title: 'ip dscp != { af11, cs1, 7 } of ef',
      expr: match(payload('ip', 'dscp'), { set: [7, 'cs1', 'af11'] }, '!='),
      skb: () => ({ ...SYN(), tos: 0xb8 }),
      matches: true,
    },
    {
      title: 'ip dscp ef of ef',
      expr: match(payload('ip', 'dscp'), 'ef'),
      skb: () => ({ ...SYN(), tos: 0xb8 }),
      matches: true,
    },
    { title: 'ip ecn ce', expr: match(payload('ip', 'ecn'), 'ce'), matches: false },
    { title: 'ct helper "ftp"', expr: match(ct('helper'), 'ftp'), matches: false },
    { title: 'ct zone 0', expr: match(ct('zone'), 0), matches: true },
    { title: 'meta iiftype ether', expr: match(meta('iiftype'), 'ether'), matches: true },
    { title: 'meta iiftype 1', expr: match(meta('iiftype'), 1), matches: true },
    { title: 'meta iiftype loopback', expr: match(meta('iiftype'), 'loopback'), matches: false },
    {
      title: 'ct status == snat,dnat of a connection that is not translated',
      expr: match(ct('status'), { '|': ['snat', 'dnat'] }),
      matches: false,
    },
    {
      title: 'tcp flags == syn of a SYN-ACK',
      expr: match(payload('tcp', 'flags'), 'syn'),
      skb: () => tcp('10.244.1.2:1 > 10.244.2.2:2 SYN-ACK'),
      matches: false,
    },
    {
      title: 'tcp flags { syn | ack } of a SYN-ACK',
      expr: match(payload('tcp', 'flags'), { set: [{ '|': ['ack', 'syn'] }] }),
      skb: () => tcp('10.244.1.2:1 > 10.244.2.2:2 SYN-ACK'),
      matches: true,
    },
    { title: 'ct state != established', expr: match(ct('state'), 'established', '!='), matches: true },
    {
      title: 'ct state invalid',
      expr: match(ct('state'), 'invalid', 'in'),
      skb: () => tcp('10.244.1.2:1 > 10.244.2.2:2 SYN-ACK'),
      matches: true,
    },
    {
      title: 'ct state & (new|established) == new',
      expr: match({ '&': [ct('state'), ['established', 'new']] }, 'new'),
      matches: true,
    },
    {
      title: 'ct status & dnat == dnat of a connection that is not translated',
      expr: match({ '&': [ct('status'), 'dnat'] }, 'dnat'),
      matches: false,
    },
    {
      title: 'ct status & (snat|dnat) == 0',
      expr: match({ '&': [ct('status'), ['snat', 'dnat']] }, 0),
      matches: true,
    },
    { title: 'ct original proto-dst 80', expr: match(ct('proto-dst', 'original'), 80), matches: true },
    { title: 'ct direction reply', expr: match(ct('direction'), 'reply'), matches: false },
    {
      title: 'icmp type destination-unreachable',
      expr: match(payload('icmp', 'type'), 'destination-unreachable'),
      skb: error,
      matches: true,
    },
    {
      title: 'icmp type echo-request',
      expr: match(payload('icmp', 'type'), 'echo-request'),
      skb: error,
      matches: false,
    },
    {
      title: 'icmp type of a TCP packet',
      expr: match(payload('icmp', 'type'), 'destination-unreachable'),
      matches: false,
    },
    {
      title: 'fib daddr type local',
      expr: match(fib('type', 'daddr'), 'local'),
      skb: () => tcp('10.244.1.2:1 > 10.10.0.11:2'),
      matches: true,
    },
    { title: 'fib daddr type local of another host', expr: match(fib('type', 'daddr'), 'local'), matches: false },
    {
      title: 'fib saddr . iif oif missing',
      expr: match(fib('oif', 'saddr', 'iif'), false),
      skb: () => tcp('10.99.0.1:1 > 10.244.2.2:2'),
      matches: true,
    },
    { title: 'fib saddr . iif oif exists', expr: match(fib('oif', 'saddr', 'iif'), true), matches: true },
    {
      title: 'fib saddr . iif oif exists, but does not',
      expr: match(fib('oif', 'saddr', 'iif'), true),
      skb: () => tcp('10.99.0.1:1 > 10.244.2.2:2'),
      matches: false,
    },
    { title: 'fib saddr . iif oif missing, but there', expr: match(fib('oif', 'saddr', 'iif'), false), matches: false },
    {
      title: 'a concatenation',
      expr: match(
        { concat: [payload('ip', 'daddr'), payload('tcp', 'dport')] },
        { set: [{ concat: ['10.244.2.2', 80] }] },
      ),
      matches: true,
    },
    {
      title: 'a concatenation with a prefix',
      expr: match(
        { concat: [payload('ip', 'daddr'), payload('tcp', 'dport')] },
        { set: [{ concat: [{ prefix: { addr: '10.244.0.0', len: 16 } }, 80] }] },
      ),
      matches: true,
    },
    {
      title: 'another concatenation',
      expr: match(
        { concat: [payload('ip', 'daddr'), payload('tcp', 'dport')] },
        { set: [{ concat: ['10.244.2.2', 81] }] },
      ),
      matches: false,
    },
    { title: '@hosts', expr: match(payload('ip', 'daddr'), '@hosts'), matches: true },
    { title: '!= @hosts', expr: match(payload('ip', 'daddr'), '@hosts', '!='), matches: false },
    { title: '@nets', expr: match(payload('ip', 'daddr'), '@nets'), matches: true },
    { title: '@others', expr: match(payload('ip', 'daddr'), '@others'), matches: false },
  ])('$title: $matches', ({ expr, skb = SYN, matches }) => {
    const chooser = new NotingChooser();
    const log = node(
      [
        set('hosts', 'ipv4_addr', ['10.244.2.1', { elem: { val: '10.244.2.2', comment: 'web' } }]),
        set('nets', 'ipv4_addr', [{ prefix: { addr: '10.244.2.0', len: 24 } }]),
        set('others', 'ipv4_addr', ['10.244.2.3']),
        FORWARD,
        rule('f', expr, DROP),
      ],
      chooser,
    );

    log.forwarded(skb());

    expect(log.stops.map((stop) => stop.split(' ')[0])).toEqual(
      matches ? [expect.stringMatching(/^(FILTER_DROP|CONNTRACK_INVALID_DROP)$/)] : [],
    );
    expect(chooser.guesses).toEqual([]);
  });

  it.each([
    { title: 'iifname != "lo"', expr: match(meta('iifname'), 'lo', '!='), matches: true },
    { title: 'iif != "lo"', expr: match(meta('iif'), 'lo', '!='), matches: true },
    { title: 'iifname "lo"', expr: match(meta('iifname'), 'lo'), matches: false },
    { title: 'iifname "l*"', expr: match(meta('iifname'), 'l*'), matches: false },
  ])('$title where no device is: $matches', ({ expr, matches }) => {
    const log = node([chain('o', { hook: 'output' }), rule('o', expr, DROP)]);

    log.hook('OUTPUT', SYN(), '', 'eth0');

    expect(log.stops).toHaveLength(matches ? 1 : 0);
  });

  it('ct status & dnat == dnat sees what an earlier hook translated', () => {
    const status = match({ '&': [{ ct: { key: 'status' } }, 'dnat'] }, 'dnat');
    const pre = chain('pre', { hook: 'prerouting', type: 'nat', prio: -100 });
    const log = node([pre, rule('pre', { dnat: { addr: '10.244.2.3' } }), FORWARD, rule('f', status, DROP)]);

    log.forwarded(SYN());

    expect(log.stops).toHaveLength(1);
  });

  it('that is not modelled is asked for', () => {
    const yes = new NotingChooser(0, true);
    const no = new NotingChooser(0, false);
    const items = [FORWARD, rule('f', match({ socket: { key: 'transparent' } }, 1), DROP)];
    const [dropped, passed] = [node(items, yes), node(items, no)];

    dropped.forwarded(SYN());
    passed.forwarded(SYN());

    expect([dropped.stops.length, passed.stops.length]).toEqual([1, 0]);
    expect(no.guesses).toEqual([expect.stringContaining('of node/node1 matches')]);
  });
});

describe('chains', () => {
  const jump = (target: string) => ({ jump: { target } });
  const goto = (target: string) => ({ goto: { target } });

  it.each<{ title: string; items: readonly Item[]; stopped: boolean }>([
    { title: 'policy drop', items: [chain('f', { hook: 'forward', policy: 'drop' })], stopped: true },
    {
      title: 'policy drop after accept',
      items: [chain('f', { hook: 'forward', policy: 'drop' }), rule('f', ACCEPT)],
      stopped: false,
    },
    {
      title: 'an accept of one chain does not help in the next',
      items: [
        chain('a', { hook: 'forward', prio: -1 }),
        chain('b', { hook: 'forward', prio: 1 }),
        rule('a', ACCEPT),
        rule('b', DROP),
      ],
      stopped: true,
    },
    {
      title: 'jump and come back',
      items: [FORWARD, chain('c'), rule('f', jump('c')), rule('f', DROP), rule('c', { return: null })],
      stopped: true,
    },
    {
      title: 'goto and not come back',
      items: [
        FORWARD,
        chain('c'),
        rule('f', goto('c')),
        rule('f', DROP),
        rule('c', { counter: { packets: 0, bytes: 0 } }),
      ],
      stopped: false,
    },
    {
      title: 'goto ends in the policy',
      items: [chain('f', { hook: 'forward', policy: 'drop' }), chain('c'), rule('f', goto('c')), rule('f', ACCEPT)],
      stopped: true,
    },
    {
      title: 'accept in a jumped chain ends the base chain',
      items: [FORWARD, chain('c'), rule('f', jump('c')), rule('f', DROP), rule('c', ACCEPT)],
      stopped: false,
    },
    { title: 'another hook', items: [chain('i', { hook: 'input', policy: 'drop' })], stopped: false },
    {
      title: 'a statement after a match that fails',
      items: [FORWARD, rule('f', match(meta('l4proto'), 'udp'), DROP)],
      stopped: false,
    },
    {
      title: 'a verdict map',
      items: [
        FORWARD,
        chain('no'),
        rule('no', DROP),
        rule('f', {
          vmap: {
            key: payload('tcp', 'dport'),
            data: {
              set: [
                [22, ACCEPT],
                [80, goto('no')],
              ],
            },
          },
        }),
      ],
      stopped: true,
    },
    {
      title: 'a verdict map that says accept',
      items: [
        chain('f', { hook: 'forward', policy: 'drop' }),
        rule('f', { vmap: { key: payload('tcp', 'dport'), data: { set: [[80, ACCEPT]] } } }),
      ],
      stopped: false,
    },
    {
      title: 'a verdict map without the key',
      items: [FORWARD, rule('f', { vmap: { key: payload('tcp', 'dport'), data: { set: [[22, DROP]] } } })],
      stopped: false,
    },
    {
      title: 'a named verdict map',
      items: [
        map('m', ['ipv4_addr', 'inet_service'], 'verdict', [[{ concat: ['10.244.2.2', 80] }, DROP]]),
        FORWARD,
        rule('f', { vmap: { key: { concat: [payload('ip', 'daddr'), payload('th', 'dport')] }, data: '@m' } }),
      ],
      stopped: true,
    },
    { title: 'a chain that is not there', items: [FORWARD, rule('f', jump('gone'))], stopped: false },
  ])('$title: stopped $stopped', ({ items, stopped }) => {
    const log = node(items);

    log.forwarded(SYN());

    expect(log.stops.length > 0).toBe(stopped);
  });

  it('names table, chain and handle, with the rule as nft prints it', () => {
    const log = node([
      FORWARD,
      {
        rule: {
          family: 'inet',
          table: 't',
          chain: 'f',
          handle: 77,
          comment: 'why',
          expr: [match(payload('tcp', 'dport'), 80), DROP],
        },
      },
    ]);

    log.forwarded(SYN());

    expect(log.obstacles[0]?.facts.evidence[0]).toMatchObject({
      kind: 'rule',
      locator: 'inet t/f/77',
      text: 'tcp dport 80 drop comment "why"',
    });
  });

  it.each([
    { body: null, answer: { kind: 'icmp', type: 3, code: 3 } },
    { body: { type: 'tcp reset' }, answer: { kind: 'reset' } },
    { body: { type: 'icmpx', expr: 'admin-prohibited' }, answer: { kind: 'icmp', type: 3, code: 13 } },
    { body: { type: 'icmp', expr: 'host-unreachable' }, answer: { kind: 'icmp', type: 3, code: 1 } },
  ])('reject $body answers $answer', ({ body, answer }) => {
    const log = node([FORWARD, rule('f', { reject: body })]);

    log.forwarded(SYN());

    expect(log.obstacles.map((obstacle) => obstacle.answer)).toEqual([answer]);
  });

  it('sets marks, of the packet and of the connection', () => {
    const log = node([
      FORWARD,
      rule('f', { mangle: { key: meta('mark'), value: { '|': [meta('mark'), 0x4000] } } }),
      rule('f', { mangle: { key: { ct: { key: 'mark' } }, value: 7 } }),
    ]);

    const skb = log.forwarded({ ...SYN(), mark: 1 });

    expect(skb.mark).toBe(0x4001);
    expect(skb.ct?.conn.mark).toBe(7);
  });

  it('sets the type of service and the zone', () => {
    const raw = chain('raw', { hook: 'prerouting', prio: -300 });
    const log = node([
      raw,
      rule('raw', { mangle: { key: payload('ip', 'dscp'), value: 'ef' } }),
      rule('raw', { mangle: { key: { ct: { key: 'zone', dir: 'original' } }, value: 7 } }),
    ]);

    const skb = log.forwarded(SYN());

    expect(skb.tos).toBe(0xb8);
    expect(skb.ct?.conn.zones).toEqual({ original: 7, reply: 0 });
  });

  it('stands beside iptables: either may drop', () => {
    const log = node([FORWARD, rule('f', ACCEPT)], new NotingChooser(), {
      iptables: '*filter\n:FORWARD DROP [0:0]\nCOMMIT\n',
    });

    log.forwarded(SYN());

    expect(log.stops).toEqual(['CHAIN_POLICY_DROP filter/FORWARD']);
  });
});

describe('translation', () => {
  const PRE = chain('pre', { hook: 'prerouting', type: 'nat', prio: -100 });
  const POST = chain('post', { hook: 'postrouting', type: 'nat', prio: 100 });
  const pair = (skb: Skb): string => `${formatSocket(skb.src, skb.sport)} > ${formatSocket(skb.dst, skb.dport)}`;
  const asked = (): Skb => tcp('10.244.1.2:40000 > 10.96.0.10:80');

  it.each<{ title: string; items: readonly Item[]; result: string }>([
    {
      title: 'dnat to an address and port',
      items: [PRE, rule('pre', { dnat: { family: 'ip', addr: '10.244.2.2', port: 8080 } })],
      result: '10.244.1.2:40000 > 10.244.2.2:8080',
    },
    {
      title: 'dnat to an address',
      items: [PRE, rule('pre', { dnat: { family: 'ip', addr: '10.244.2.2' } })],
      result: '10.244.1.2:40000 > 10.244.2.2:80',
    },
    {
      title: 'redirect',
      items: [PRE, rule('pre', { redirect: { port: 15001 } })],
      result: '10.244.1.2:40000 > 10.244.1.1:15001',
    },
    {
      title: 'masquerade',
      items: [POST, rule('post', { masquerade: null })],
      result: '10.10.0.11:40000 > 10.96.0.10:80',
    },
    {
      title: 'snat',
      items: [POST, rule('post', { snat: { family: 'ip', addr: '10.10.0.99', port: 7000 } })],
      result: '10.10.0.99:7000 > 10.96.0.10:80',
    },
    {
      title: 'the first rule that translates',
      items: [
        PRE,
        rule('pre', { dnat: { family: 'ip', addr: '10.244.2.2' } }),
        rule('pre', { dnat: { family: 'ip', addr: '10.244.2.3' } }),
      ],
      result: '10.244.1.2:40000 > 10.244.2.2:80',
    },
    { title: 'nothing', items: [PRE, POST], result: '10.244.1.2:40000 > 10.96.0.10:80' },
  ])('$title', ({ items, result }) => {
    expect(pair(node(items).forwarded(asked()))).toBe(result);
  });

  it('chooses a back end as kube-proxy does, each as likely', () => {
    const chooser = new NotingChooser(1);
    const backends = {
      set: [
        [0, { concat: ['10.244.2.2', 8080] }],
        [1, { concat: ['10.244.2.3', 8080] }],
      ],
    };
    const addr = { map: { key: { numgen: { mode: 'random', mod: 2, offset: 0 } }, data: backends } };
    const log = node([PRE, rule('pre', { dnat: { family: 'ip', addr } })], chooser);

    expect(pair(log.forwarded(asked()))).toBe('10.244.1.2:40000 > 10.244.2.3:8080');
    expect(chooser.picks.map(({ weights }) => weights)).toEqual([[1, 1]]);
  });

  it('is undone for the answer', () => {
    const log = node([
      PRE,
      POST,
      rule('pre', { dnat: { family: 'ip', addr: '10.244.2.2', port: 8080 } }),
      rule('post', { masquerade: null }),
    ]);

    log.forwarded(asked());
    const answer = log.forwarded(tcp('10.244.2.2:8080 > 10.10.0.11:40000 SYN-ACK'), 'eth0', 'cni0');

    expect(pair(answer)).toBe('10.96.0.10:80 > 10.244.1.2:40000');
  });
});
