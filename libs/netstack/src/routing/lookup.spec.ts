import { formatCidr } from '#libs/model';
import * as fc from 'fast-check';
import { NotingChooser } from '../../../../test/fixtures/choices.js';
import { sketchNamespace, type NamespaceSketch } from '../../../../test/fixtures/namespace-sketch.js';
import { ip } from '../../../../test/fixtures/packets.js';
import { addressType, lookupRoute, type Flow, type RouteResult, type RoutingState } from './lookup.js';

const LINKS: NamespaceSketch['links'] = [
  { name: 'eth0', addresses: ['10.10.0.11/24'] },
  { name: 'eth1', addresses: ['10.20.0.11/24'] },
  { name: 'down0', down: true },
];
const LOCAL = { priority: 0, src: 'all', table: 'local' };
const MAIN = { priority: 32766, src: 'all', table: 'main' };

function state(sketch: NamespaceSketch): RoutingState {
  const routing = sketchNamespace({ links: LINKS, ...sketch }).routing(4);
  if (routing === undefined) throw new Error('the sketch has routes');
  return routing;
}

function flow(dst: string, more: Partial<Flow> = {}): Flow {
  return { dst: ip(dst), iif: 'lo', mark: 0, protocol: 6, sport: 40000, dport: 80, tos: 0, ...more };
}

/** `10.0.0.0/8 eth0`, `refused blackhole`, `none`. */
function show(result: RouteResult): string {
  if (result.kind === 'none') return result.dead === undefined ? 'none' : `none, dead ${formatCidr(result.dead.dst)}`;
  if (result.kind === 'refused') return `refused ${result.type}${result.rule === undefined ? '' : ' by rule'}`;
  return `${result.table} ${formatCidr(result.route.dst)} ${result.hop.dev ?? ''}`;
}

const look = (sketch: NamespaceSketch, one: Flow, chooser = new NotingChooser()): string =>
  show(lookupRoute(state(sketch), one, chooser));
const via = (dst: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  dst,
  gateway: '10.10.0.1',
  dev: 'eth0',
  ...more,
});

describe('lookupRoute in one table', () => {
  it.each([
    { title: 'own addresses', routes: [], dst: '10.10.0.11', result: 'local 10.10.0.11/32 eth0' },
    { title: 'a neighbour', routes: [], dst: '10.10.0.77', result: 'main 10.10.0.0/24 eth0' },
    { title: 'nothing', routes: [], dst: '8.8.8.8', result: 'none' },
    { title: 'the default route', routes: [via('default')], dst: '8.8.8.8', result: 'main 0.0.0.0/0 eth0' },
    {
      title: 'the longest prefix, not the best metric',
      routes: [via('10.0.0.0/8', { metric: 1 }), via('10.244.2.0/24', { metric: 900, dev: 'eth1' }), via('default')],
      dst: '10.244.2.2',
      result: 'main 10.244.2.0/24 eth1',
    },
    {
      title: 'the lowest metric of equal prefixes',
      routes: [via('10.244.2.0/24', { metric: 100 }), via('10.244.2.0/24', { metric: 10, dev: 'eth1' })],
      dst: '10.244.2.2',
      result: 'main 10.244.2.0/24 eth1',
    },
    {
      title: 'a host route',
      routes: [via('10.244.2.0/24'), via('10.244.2.2', { dev: 'eth1' })],
      dst: '10.244.2.2',
      result: 'main 10.244.2.2/32 eth1',
    },
    {
      title: 'a blackhole',
      routes: [via('default'), { type: 'blackhole', dst: '10.244.0.0/16' }],
      dst: '10.244.2.2',
      result: 'refused blackhole',
    },
    {
      title: 'a more specific route inside a blackhole',
      routes: [via('10.244.2.0/24'), { type: 'blackhole', dst: '10.244.0.0/16' }],
      dst: '10.244.2.2',
      result: 'main 10.244.2.0/24 eth0',
    },
    {
      title: 'an unreachable route',
      routes: [{ type: 'unreachable', dst: '10.244.0.0/16' }],
      dst: '10.244.2.2',
      result: 'refused unreachable',
    },
    {
      title: 'a prohibit route',
      routes: [{ type: 'prohibit', dst: '10.244.0.0/16' }],
      dst: '10.244.2.2',
      result: 'refused prohibit',
    },
    {
      title: 'a route out of an interface that is down, next to a default route',
      routes: [{ dst: '10.244.2.0/24', dev: 'down0' }, via('default')],
      dst: '10.244.2.2',
      result: 'main 0.0.0.0/0 eth0',
    },
    {
      title: 'nothing but a dead next hop',
      routes: [via('10.244.2.0/24', { flags: ['dead', 'linkdown'] })],
      dst: '10.244.2.2',
      result: 'none, dead 10.244.2.0/24',
    },
    {
      title: 'an interface that is gone',
      routes: [{ dst: '10.244.2.0/24', dev: 'gone0' }],
      dst: '10.244.2.2',
      result: 'none, dead 10.244.2.0/24',
    },
  ])('finds $title', ({ routes, dst, result }) => {
    expect(look({ routes }, flow(dst))).toBe(result);
  });

  it.each([
    { tos: 0, result: 'main 10.244.2.0/24 eth0' },
    { tos: 0x10, result: 'main 10.244.2.0/24 eth1' },
    { tos: 0x8, result: 'main 10.244.2.0/24 eth0' },
  ])('takes a route with a tos for that tos only: $tos', ({ tos, result }) => {
    const routes = [via('10.244.2.0/24'), via('10.244.2.0/24', { tos: '0x10', dev: 'eth1', metric: 50 })];

    expect(look({ routes }, flow('10.244.2.2', { tos }))).toBe(result);
  });

  it.each([
    { ignore: 0, result: 'main 10.244.2.0/24 eth0' },
    { ignore: 1, result: 'main 0.0.0.0/0 eth1' },
  ])('uses a next hop without carrier unless ignore_routes_with_linkdown is $ignore', ({ ignore, result }) => {
    const routes = [via('10.244.2.0/24', { flags: ['linkdown'] }), via('default', { dev: 'eth1' })];
    const sysctls = { 'net.ipv4.conf.eth0.ignore_routes_with_linkdown': ignore };

    expect(look({ routes, sysctls }, flow('10.244.2.2'))).toBe(result);
  });

  it('looks for another route when the socket is bound to an interface', () => {
    const routes = [via('10.244.2.0/24'), via('default', { dev: 'eth1' })];

    expect(look({ routes }, flow('10.244.2.2', { oif: 'eth1' }))).toBe('main 0.0.0.0/0 eth1');
    expect(look({ routes }, flow('10.244.2.2', { oif: 'eth9' }))).toBe('none');
  });
});

describe('several next hops', () => {
  const routes = [
    {
      dst: '10.244.2.0/24',
      nexthops: [
        { gateway: '10.10.0.1', dev: 'eth0', weight: 3 },
        { gateway: '10.20.0.1', dev: 'eth1', weight: 1 },
        { gateway: '10.30.0.1', dev: 'down0', weight: 5 },
      ],
    },
  ];

  it('are chosen by weight among those that are alive', () => {
    const chooser = new NotingChooser(1);

    expect(look({ routes }, flow('10.244.2.2', { src: ip('10.10.0.11') }), chooser)).toBe('main 10.244.2.0/24 eth1');
    expect(chooser.picks.map(({ weights }) => weights)).toEqual([[3, 1]]);
  });

  it('keep one flow together: the same pair of addresses is the same question', () => {
    const chooser = new NotingChooser();
    const one = state({ routes });

    for (const sport of [1000, 2000]) lookupRoute(one, flow('10.244.2.2', { src: ip('10.10.0.11'), sport }), chooser);
    lookupRoute(one, flow('10.244.2.3', { src: ip('10.10.0.11') }), chooser);

    const [first, second, third] = chooser.picks.map(({ key }) => key);
    expect(first).toBe(second);
    expect(first).not.toBe(third);
  });

  it('are no question when one is left', () => {
    const chooser = new NotingChooser();

    expect(look({ routes }, flow('10.244.2.2', { oif: 'eth1' }), chooser)).toBe('main 10.244.2.0/24 eth1');
    expect(chooser.picks).toEqual([]);
  });
});

describe('policy rules', () => {
  const routes = [
    via('default'),
    via('default', { table: '100', dev: 'eth1' }),
    via('10.9.0.0/16', { table: '200', dev: 'eth1' }),
  ];
  const rule = (more: Record<string, unknown>): Record<string, unknown> => ({ priority: 100, src: 'all', ...more });
  const MAIN_RESULT = 'main 0.0.0.0/0 eth0';
  const OTHER = '100 0.0.0.0/0 eth1';

  it.each<{ title: string; rules: Record<string, unknown>[]; one?: Partial<Flow>; dst?: string; result: string }>([
    { title: 'a rule before main', rules: [rule({ table: '100' })], result: OTHER },
    { title: 'a rule after main', rules: [rule({ priority: 40000, table: '100' })], result: MAIN_RESULT },
    {
      title: 'table local first',
      rules: [rule({ table: '100' })],
      dst: '10.10.0.11',
      result: 'local 10.10.0.11/32 eth0',
    },
    { title: 'an empty table', rules: [rule({ table: '300' })], result: MAIN_RESULT },
    { title: 'a table without a fitting route', rules: [rule({ table: '200' })], result: MAIN_RESULT },
    {
      title: 'a source that fits',
      rules: [rule({ src: '10.244.0.0', srclen: 16, table: '100' })],
      one: { src: ip('10.244.1.2') },
      result: OTHER,
    },
    {
      title: 'a source that does not fit',
      rules: [rule({ src: '10.244.0.0', srclen: 16, table: '100' })],
      one: { src: ip('10.10.0.11') },
      result: MAIN_RESULT,
    },
    {
      title: 'a source that is not chosen yet',
      rules: [rule({ src: '10.244.0.0', srclen: 16, table: '100' })],
      result: MAIN_RESULT,
    },
    {
      title: 'not',
      rules: [rule({ not: null, src: '10.244.0.0', srclen: 16, table: '100' })],
      one: { src: ip('10.10.0.11') },
      result: OTHER,
    },
    { title: 'a destination', rules: [rule({ dst: '8.8.0.0', dstlen: 16, table: '100' })], result: OTHER },
    { title: 'another destination', rules: [rule({ dst: '9.9.0.0', dstlen: 16, table: '100' })], result: MAIN_RESULT },
    {
      title: 'a mark',
      rules: [rule({ fwmark: '0x4000', fwmask: '0x4000', table: '100' })],
      one: { mark: 0x4001 },
      result: OTHER,
    },
    {
      title: 'another mark',
      rules: [rule({ fwmark: '0x4000', fwmask: '0x4000', table: '100' })],
      one: { mark: 1 },
      result: MAIN_RESULT,
    },
    { title: 'an exact mark', rules: [rule({ fwmark: '0x1', table: '100' })], one: { mark: 3 }, result: MAIN_RESULT },
    { title: 'an input interface', rules: [rule({ iif: 'cni0', table: '100' })], one: { iif: 'cni0' }, result: OTHER },
    { title: 'own packets by iif lo', rules: [rule({ iif: 'lo', table: '100' })], result: OTHER },
    {
      title: 'forwarded packets by not iif lo',
      rules: [rule({ not: null, iif: 'lo', table: '100' })],
      one: { iif: 'cni0' },
      result: OTHER,
    },
    { title: 'an output interface', rules: [rule({ oif: 'eth1', table: '100' })], one: { oif: 'eth1' }, result: OTHER },
    { title: 'a protocol', rules: [rule({ ipproto: 'udp', table: '100' })], one: { protocol: 17 }, result: OTHER },
    { title: 'another protocol', rules: [rule({ ipproto: 'udp', table: '100' })], result: MAIN_RESULT },
    { title: 'a destination port', rules: [rule({ dport_start: 80, dport_end: 90, table: '100' })], result: OTHER },
    { title: 'another destination port', rules: [rule({ dport: 81, table: '100' })], result: MAIN_RESULT },
    { title: 'a source port', rules: [rule({ sport: '40000-50000', table: '100' })], result: OTHER },
    {
      title: 'a user',
      rules: [rule({ uid_start: 1000, uid_end: 2000, table: '100' })],
      one: { uid: 1500 },
      result: OTHER,
    },
    { title: 'no user', rules: [rule({ uid_start: 1000, uid_end: 2000, table: '100' })], result: MAIN_RESULT },
    { title: 'a tos', rules: [rule({ tos: '0x10', table: '100' })], one: { tos: 0x10 }, result: OTHER },
    { title: 'a blackhole', rules: [rule({ action: 'blackhole' })], result: 'refused blackhole by rule' },
    { title: 'an unreachable', rules: [rule({ action: 'unreachable' })], result: 'refused unreachable by rule' },
    { title: 'a prohibit', rules: [rule({ action: 'prohibit' })], result: 'refused prohibit by rule' },
    { title: 'a nop', rules: [rule({ action: 'nop' })], result: MAIN_RESULT },
    {
      title: 'goto over a prohibit',
      rules: [rule({ goto: 300 }), rule({ priority: 200, action: 'prohibit' }), rule({ priority: 300, table: '100' })],
      result: OTHER,
    },
    { title: 'goto nowhere', rules: [rule({ goto: 300 }), rule({ priority: 200, table: '100' })], result: OTHER },
    {
      title: 'suppress of the default route',
      rules: [rule({ table: 'main', suppress_prefixlen: 0 }), rule({ priority: 200, table: '100' })],
      result: OTHER,
    },
    {
      title: 'no suppress of a longer prefix',
      rules: [rule({ table: '200', suppress_prefixlen: 15 }), rule({ priority: 200, table: '100' })],
      dst: '10.9.1.1',
      result: '200 10.9.0.0/16 eth1',
    },
    {
      title: 'suppress of that prefix',
      rules: [rule({ table: '200', suppress_prefixlen: 16 }), rule({ priority: 200, table: '100' })],
      dst: '10.9.1.1',
      result: OTHER,
    },
  ])('$title', ({ rules, one, dst = '8.8.8.8', result }) => {
    expect(look({ routes, rules: [LOCAL, ...rules, MAIN] }, flow(dst, one))).toBe(result);
  });

  it('goes on with the next rule after throw', () => {
    const sketch = {
      routes: [
        via('default'),
        { type: 'throw', dst: '8.8.0.0/16', table: '100' },
        via('default', { table: '100', dev: 'eth1' }),
      ],
      rules: [LOCAL, rule({ table: '100' }), MAIN],
    };

    expect(look(sketch, flow('8.8.8.8'))).toBe(MAIN_RESULT);
    expect(look(sketch, flow('9.9.9.9'))).toBe(OTHER);
  });

  it.each([
    { answer: true, result: OTHER },
    { answer: false, result: MAIN_RESULT },
  ])('asks whether a rule with an unknown selector applies: $answer', ({ answer, result }) => {
    const chooser = new NotingChooser(0, answer);

    expect(look({ routes, rules: [LOCAL, rule({ tun_id: 7, table: '100' }), MAIN] }, flow('8.8.8.8'), chooser)).toBe(
      result,
    );
    expect(chooser.guesses).toEqual(['whether policy rule "100: from all lookup 100" applies (tun_id)']);
  });
});

describe('addressType', () => {
  it.each([
    { address: '10.10.0.11', type: 'LOCAL' },
    { address: '10.10.0.255', type: 'BROADCAST' },
    { address: '255.255.255.255', type: 'BROADCAST' },
    { address: '239.1.2.3', type: 'MULTICAST' },
    { address: '127.9.9.9', type: 'LOCAL' },
    { address: '10.10.0.12', type: 'UNICAST' },
  ])('$address is $type', ({ address, type }) => {
    expect(addressType(state({}), ip(address))).toBe(type);
  });
});

describe('tables local and main', () => {
  const anyIp = { type: 'local', dst: '10.50.0.0/16', dev: 'lo', table: 'local' };

  // fib_trie_alias(): found by test/differential.
  it.each([
    {
      title: 'are one while there are only the rules of a fresh host',
      rules: undefined,
      result: 'main 10.50.1.0/24 eth0',
    },
    {
      title: 'are two once there is another rule',
      rules: [LOCAL, { priority: 100, src: 'all', iif: 'eth1', table: '100' }, MAIN],
      result: 'local 10.50.0.0/16 lo',
    },
  ])('$title', ({ rules, result }) => {
    const routes = [anyIp, via('10.50.1.0/24')];

    expect(look({ routes, rules }, flow('10.50.1.9'))).toBe(result);
    expect(look({ routes, rules }, flow('10.50.2.9'))).toBe('local 10.50.0.0/16 lo');
  });

  it('prefer table local where prefixes are equal', () => {
    const routes = [via('10.50.0.0/16'), anyIp, via('10.50.1.0/24')];

    expect(look({ routes }, flow('10.50.2.9'))).toBe('local 10.50.0.0/16 lo');
  });

  it('tell the type of an address together', () => {
    const routing = state({ routes: [anyIp, via('10.50.1.0/24')] });

    expect(addressType(routing, ip('10.50.1.9'))).toBe('UNICAST');
    expect(addressType(routing, ip('10.50.2.9'))).toBe('LOCAL');
  });
});

describe('IPv6', () => {
  const LINKS6: NamespaceSketch['links'] = [
    { name: 'eth0', addresses: ['fd00:10::11/64'] },
    { name: 'eth1', addresses: ['fd00:20::11/64'] },
  ];
  const NET = '2001:db8::/32';

  // Each row was found by test/differential, and the kernel gave the result.
  it.each<{ title: string; routes: Record<string, unknown>[]; one?: Partial<Flow>; result: string }>([
    {
      title: 'a refusing route',
      routes: [{ type: 'unreachable', dst: NET, dev: 'lo' }],
      result: 'refused unreachable',
    },
    {
      title: 'no refusing route when the socket is bound: those are on lo',
      routes: [
        { type: 'unreachable', dst: NET, dev: 'lo' },
        { dst: 'default', gateway: 'fe80::1', dev: 'eth1' },
      ],
      one: { oif: 'eth1' },
      result: 'main ::/0 eth1',
    },
    {
      title: 'nothing when the socket is bound and only refused',
      routes: [{ type: 'blackhole', dst: NET, dev: 'lo' }],
      one: { oif: 'eth1' },
      result: 'none',
    },
    {
      title: 'a blackhole that is a nexthop object, though the socket is bound',
      routes: [{ type: 'blackhole', dst: NET, dev: 'lo', nhid: 2 }],
      one: { oif: 'eth1' },
      result: 'refused blackhole',
    },
    {
      title: 'of equal routes the first',
      routes: [
        { dst: NET, dev: 'eth0', metric: 5 },
        { dst: NET, dev: 'eth1', metric: 5 },
      ],
      result: `main ${NET} eth0`,
    },
    {
      title: 'of equal routes the one by which the packet came in',
      routes: [
        { dst: NET, dev: 'eth0', metric: 5 },
        { dst: NET, dev: 'eth1', metric: 5 },
      ],
      one: { iif: 'eth1' },
      result: `main ${NET} eth1`,
    },
    {
      title: 'that one before a refusing route too',
      routes: [
        { type: 'prohibit', dst: NET, dev: 'lo', metric: 5 },
        { dst: NET, dev: 'eth1', metric: 5 },
      ],
      one: { iif: 'eth1' },
      result: `main ${NET} eth1`,
    },
    {
      title: 'not that one when its metric is worse',
      routes: [
        { dst: NET, dev: 'eth0', metric: 5 },
        { dst: NET, dev: 'eth1', metric: 6 },
      ],
      one: { iif: 'eth1' },
      result: `main ${NET} eth0`,
    },
  ])('takes $title', ({ routes, one, result }) => {
    const routing = sketchNamespace({ links: LINKS6, routes }).routing(6);
    if (routing === undefined) throw new Error('the sketch has routes');

    expect(show(lookupRoute(routing, flow('2001:db8::9', one), new NotingChooser()))).toBe(result);
  });
});

describe('lookupRoute, any routes', () => {
  const octet = fc.integer({ min: 0, max: 3 });
  // Few bits, so that prefixes overlap often.
  const prefix = fc.record({
    a: octet,
    b: octet,
    length: fc.constantFrom(0, 8, 9, 15, 16, 23, 24, 32),
    metric: fc.integer({ min: 0, max: 3 }),
  });
  const destination = fc.tuple(octet, octet).map(([a, b]) => ((10 << 24) | (a << 22) | (b << 14)) >>> 0);

  const text = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
  const net = ({ a, b, length }: { a: number; b: number; length: number }): number =>
    length === 0 ? 0 : (((10 << 24) | (a << 22) | (b << 14)) & (-1 << (32 - length))) >>> 0;
  const contains = (one: { a: number; b: number; length: number }, dst: number): boolean =>
    one.length === 0 || (dst & (-1 << (32 - one.length))) >>> 0 === net(one);
  const rows = (prefixes: readonly { a: number; b: number; length: number; metric: number }[]) =>
    prefixes.map((one, at) => ({
      dst: `${text(net(one))}/${one.length}`,
      dev: 'eth0',
      gateway: `10.10.0.${at + 1}`,
      metric: one.metric,
    }));
  const distinct = fc.uniqueArray(prefix, {
    maxLength: 12,
    selector: (one) => `${net(one)}/${one.length} ${one.metric}`,
  });

  it('is the longest prefix with the lowest metric, as a look through all of them finds it', () => {
    fc.assert(
      fc.property(distinct, destination, (prefixes, dst) => {
        const sketch = { links: [{ name: 'eth0' }], routes: rows(prefixes) };

        const found = lookupRoute(state(sketch), flow(text(dst)), new NotingChooser());

        const best = prefixes
          .filter((one) => contains(one, dst))
          .toSorted((one, other) => other.length - one.length || one.metric - other.metric)[0];
        expect(show(found)).toBe(best === undefined ? 'none' : `main ${text(net(best))}/${best.length} eth0`);
        if (best !== undefined && found.kind === 'route') expect(found.route.metric).toBe(best.metric);
      }),
      { numRuns: 200 },
    );
  });

  it('does not depend on the order of the routes', () => {
    fc.assert(
      fc.property(distinct, destination, (prefixes, dst) => {
        const given = rows(prefixes);
        const one = lookupRoute(
          state({ links: [{ name: 'eth0' }], routes: given }),
          flow(text(dst)),
          new NotingChooser(),
        );
        const other = lookupRoute(
          state({ links: [{ name: 'eth0' }], routes: given.toReversed() }),
          flow(text(dst)),
          new NotingChooser(),
        );

        expect(other).toEqual(one);
      }),
      { numRuns: 100 },
    );
  });

  it('does not depend on the order in which rules of different priority stand', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([LOCAL, MAIN, { priority: 100, src: 'all', table: '100', fwmark: '0x1' }], {
          minLength: 3,
        }),
        fc.integer({ min: 0, max: 1 }),
        (rules, mark) => {
          const routes = [via('default'), via('default', { table: '100', dev: 'eth1' })];

          expect(look({ routes, rules }, flow('8.8.8.8', { mark }))).toBe(
            mark === 1 ? '100 0.0.0.0/0 eth1' : 'main 0.0.0.0/0 eth0',
          );
        },
      ),
    );
  });
});
