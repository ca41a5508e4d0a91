import { formatIp } from '#libs/model';
import { NotingChooser } from '../../../test/fixtures/choices.js';
import { NamespaceLog } from '../../../test/fixtures/namespace-log.js';
import { sketchDump, sketchNamespace, type NamespaceSketch } from '../../../test/fixtures/namespace-sketch.js';
import { tcp, udp } from '../../../test/fixtures/packets.js';
import { receive, receiveLoopback, send } from './forward.js';
import { NetNamespace } from './namespace.js';
import type { Outcome } from './outcome.js';
import type { Skb } from './skb.js';

const SKETCH: NamespaceSketch = {
  links: [
    { name: 'eth0', addresses: ['10.10.0.11/24'] },
    { name: 'eth1', addresses: ['10.20.0.11/24'] },
    { name: 'cni0', addresses: ['10.244.1.1/24'] },
  ],
  routes: [
    { dst: 'default', gateway: '10.10.0.1', dev: 'eth0' },
    { dst: '10.244.2.0/24', gateway: '10.10.0.12', dev: 'eth0' },
    { type: 'blackhole', dst: '10.66.0.0/16' },
    { type: 'unreachable', dst: '10.67.0.0/16' },
    { type: 'prohibit', dst: '10.68.0.0/16' },
    { dst: '10.69.0.0/16', gateway: '10.10.0.9', dev: 'eth0', flags: ['dead'] },
  ],
};

function host(more: NamespaceSketch = {}, chooser = new NotingChooser()): NamespaceLog {
  return new NamespaceLog(sketchNamespace({ ...SKETCH, ...more }), chooser);
}

const show = (outcome: Outcome): string =>
  outcome.kind === 'transmit'
    ? `${outcome.dev} to ${formatIp(outcome.nextHop)}`
    : outcome.kind === 'deliver'
      ? `delivered by ${outcome.iif}`
      : 'stopped';
const facts = (log: NamespaceLog): unknown[] =>
  log.obstacles.map(({ facts: { code }, disposition, answer }) => ({ code, disposition, answer }));
const SILENCE = { kind: 'silence' };
const POD_TO_REMOTE = (): Skb => tcp('10.244.1.2:40000 > 10.244.2.2:80');

describe('receive', () => {
  it.each([
    { title: 'forwards by route', skb: POD_TO_REMOTE(), iif: 'cni0', outcome: 'eth0 to 10.10.0.12' },
    {
      title: 'forwards to a neighbour',
      skb: tcp('10.244.2.2:1 > 10.244.1.2:2'),
      iif: 'eth0',
      outcome: 'cni0 to 10.244.1.2',
    },
    {
      title: 'forwards by the default route',
      skb: tcp('10.244.1.2:1 > 8.8.8.8:2'),
      iif: 'cni0',
      outcome: 'eth0 to 10.10.0.1',
    },
    {
      title: 'delivers own addresses',
      skb: tcp('10.244.1.2:1 > 10.10.0.11:2'),
      iif: 'cni0',
      outcome: 'delivered by cni0',
    },
    {
      title: 'delivers broadcasts',
      skb: udp('10.10.0.12:1 > 10.10.0.255:2'),
      iif: 'eth0',
      outcome: 'delivered by eth0',
    },
  ])('$title', ({ skb, iif, outcome }) => {
    const log = host();

    expect(show(receive(log, iif, skb))).toBe(outcome);
    expect(log.stops).toEqual([]);
  });

  it('counts the hop limit down before FORWARD', () => {
    const iptables = '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m ttl --ttl-lt 64 -j DROP\nCOMMIT\n';
    const log = host({ iptables });

    const outcome = receive(log, 'cni0', POD_TO_REMOTE());

    expect(outcome.skb.ttl).toBe(63);
    expect(log.stops).toEqual(['FILTER_DROP filter/FORWARD/1']);
  });

  it('answers a packet whose hop limit is used up with time exceeded', () => {
    const log = host();

    expect(show(receive(log, 'cni0', tcp('10.244.1.2:1 > 10.244.2.2:80', { ttl: 1 })))).toBe('stopped');
    expect(facts(log)).toEqual([
      { code: 'TTL_EXCEEDED', disposition: 'loop', answer: { kind: 'icmp', type: 11, code: 0 } },
    ]);
  });

  it.each([
    { dst: '10.66.0.1', code: 'ROUTE_BLACKHOLE', disposition: 'null-routed', answer: SILENCE },
    {
      dst: '10.67.0.1',
      code: 'ROUTE_UNREACHABLE',
      disposition: 'no-route',
      answer: { kind: 'icmp', type: 3, code: 1 },
    },
    {
      dst: '10.68.0.1',
      code: 'ROUTE_PROHIBIT',
      disposition: 'prohibited',
      answer: { kind: 'icmp', type: 3, code: 13 },
    },
  ])('a forwarded packet: $code', ({ dst, code, disposition, answer }) => {
    const log = host();

    // Past the obstacle it takes the way that it would have without the route.
    expect(show(receive(log, 'cni0', tcp(`10.244.1.2:1 > ${dst}:2`)))).toBe('eth0 to 10.10.0.1');
    expect(facts(log)).toEqual([{ code, disposition, answer }]);
  });

  it.each([
    { route: '10.69.0.1', code: 'NEXTHOP_DEAD' },
    { route: '8.8.8.8', code: 'NO_ROUTE' },
  ])('a forwarded packet: $code', ({ route, code }) => {
    const log = host({ routes: SKETCH.routes?.filter(({ dst }) => dst !== 'default') });

    receive(log, 'cni0', tcp(`10.244.1.2:1 > ${route}:2`));

    expect(facts(log)).toEqual([{ code, disposition: 'no-route', answer: { kind: 'icmp', type: 3, code: 0 } }]);
  });

  it('names a rule that refuses, with its text', () => {
    const log = host({
      rules: [
        { priority: 0, src: 'all', table: 'local' },
        { priority: 50, src: '10.244.1.0', srclen: 24, action: 'prohibit' },
        { priority: 32766, src: 'all', table: 'main' },
      ],
    });

    receive(log, 'cni0', POD_TO_REMOTE());

    expect(log.obstacles.map(({ facts: { code, evidence } }) => [code, evidence[0]])).toEqual([
      [
        'RULE_PROHIBIT',
        expect.objectContaining({ kind: 'policy-rule', locator: 'rule/50', text: '50: from 10.244.1.0/24 prohibit' }),
      ],
    ]);
  });

  it.each<{ title: string; sysctls: Record<string, number>; code: string | undefined }>([
    { title: 'ip_forward off', sysctls: { 'net.ipv4.ip_forward': 0 }, code: 'IP_FORWARD_OFF' },
    {
      title: 'forwarding off where the packet comes in',
      sysctls: { 'net.ipv4.conf.cni0.forwarding': 0 },
      code: 'IFACE_FORWARDING_OFF',
    },
    {
      title: 'forwarding off where it goes out only',
      sysctls: { 'net.ipv4.conf.eth0.forwarding': 0 },
      code: undefined,
    },
    {
      title: 'forwarding on for the interface, whatever ip_forward says',
      sysctls: { 'net.ipv4.ip_forward': 0, 'net.ipv4.conf.cni0.forwarding': 1 },
      code: undefined,
    },
  ])('$title: $code', ({ sysctls, code }) => {
    const log = host({ sysctls });

    const outcome = receive(log, 'cni0', POD_TO_REMOTE());

    expect(facts(log)).toEqual(code === undefined ? [] : [{ code, disposition: 'not-forwarded', answer: SILENCE }]);
    // The walk goes on as if forwarding were on.
    expect(show(outcome)).toBe('eth0 to 10.10.0.12');
  });

  it('needs no forwarding for own addresses', () => {
    const log = host({ sysctls: { 'net.ipv4.ip_forward': 0 } });

    expect(show(receive(log, 'cni0', tcp('10.244.1.2:1 > 10.10.0.11:2')))).toBe('delivered by cni0');
    expect(log.stops).toEqual([]);
  });
});

describe('source checks', () => {
  const conf = (dev: string, name: string): string => `net.ipv4.conf.${dev}.${name}`;

  it.each([
    { title: 'nothing is checked by default', sysctls: {}, src: '10.244.1.2', iif: 'eth1', code: undefined },
    {
      title: 'strict, right interface',
      sysctls: { [conf('all', 'rp_filter')]: 1 },
      src: '10.244.1.2',
      iif: 'cni0',
      code: undefined,
    },
    {
      title: 'strict, wrong interface',
      sysctls: { [conf('all', 'rp_filter')]: 1 },
      src: '10.244.1.2',
      iif: 'eth1',
      code: 'RP_FILTER_DROP',
    },
    {
      title: 'strict on the interface only',
      sysctls: { [conf('eth1', 'rp_filter')]: 1 },
      src: '10.244.1.2',
      iif: 'eth1',
      code: 'RP_FILTER_DROP',
    },
    {
      title: 'the larger of both counts',
      sysctls: { [conf('all', 'rp_filter')]: 1, [conf('eth1', 'rp_filter')]: 2 },
      src: '10.244.1.2',
      iif: 'eth1',
      code: undefined,
    },
    {
      title: 'loose, any route will do',
      sysctls: { [conf('all', 'rp_filter')]: 2 },
      src: '8.8.8.8',
      iif: 'eth1',
      code: undefined,
    },
    {
      title: 'loose, but a blackhole',
      sysctls: { [conf('all', 'rp_filter')]: 2 },
      src: '10.66.0.1',
      iif: 'eth1',
      code: 'RP_FILTER_DROP',
    },
    {
      title: 'a route by default counts as one',
      sysctls: { [conf('all', 'rp_filter')]: 1 },
      src: '8.8.8.8',
      iif: 'eth0',
      code: undefined,
    },
    { title: 'an own address from outside', sysctls: {}, src: '10.10.0.11', iif: 'eth1', code: 'MARTIAN_SOURCE' },
    {
      title: 'an own address with accept_local',
      sysctls: { [conf('eth1', 'accept_local')]: 1 },
      src: '10.10.0.11',
      iif: 'eth1',
      code: undefined,
    },
    { title: 'a multicast source', sysctls: {}, src: '224.0.0.5', iif: 'eth1', code: 'MARTIAN_SOURCE' },
    {
      title: 'the broadcast address as source',
      sysctls: {},
      src: '255.255.255.255',
      iif: 'eth1',
      code: 'MARTIAN_SOURCE',
    },
  ])('$title: $code', ({ sysctls, src, iif, code }) => {
    const log = host({ sysctls });

    receive(log, iif, tcp(`${src}:40000 > 10.244.2.2:80`));

    expect(facts(log).slice(0, 1)).toEqual(
      code === undefined ? [] : [{ code, disposition: 'martian', answer: SILENCE }],
    );
  });

  it('is strict for several next hops if any of them is the interface', () => {
    const nexthops = [
      { gateway: '10.10.0.1', dev: 'eth0' },
      { gateway: '10.20.0.1', dev: 'eth1' },
    ];
    const log = host({ routes: [{ dst: 'default', nexthops }], sysctls: { [conf('all', 'rp_filter')]: 1 } });

    receive(log, 'eth1', tcp('8.8.8.8:1 > 10.10.0.11:2'));

    expect(log.stops).toEqual([]);
  });

  it.each([
    { validMark: 0, code: 'RP_FILTER_DROP' },
    { validMark: 1, code: undefined },
  ])('regards the mark only with src_valid_mark $validMark', ({ validMark, code }) => {
    const log = host({
      rules: [
        { priority: 0, src: 'all', table: 'local' },
        { priority: 50, src: 'all', fwmark: '0x1', table: '100' },
        { priority: 32766, src: 'all', table: 'main' },
      ],
      routes: [...(SKETCH.routes ?? []), { dst: 'default', dev: 'eth1', table: '100' }],
      sysctls: { [conf('all', 'rp_filter')]: 1, [conf('eth1', 'src_valid_mark')]: validMark },
    });

    receive(log, 'eth1', tcp('8.8.8.8:1 > 10.10.0.11:2', { mark: 1 }));

    expect(log.obstacles.map(({ facts: { code: found } }) => found)).toEqual(code === undefined ? [] : [code]);
  });

  it('shows the sysctl and the route that the answer would take', () => {
    const log = host({ sysctls: { [conf('all', 'rp_filter')]: 1 } });

    receive(log, 'eth1', POD_TO_REMOTE());

    expect(log.obstacles[0]?.facts.evidence).toEqual([
      expect.objectContaining({
        kind: 'sysctl',
        locator: conf('all', 'rp_filter'),
        text: `${conf('all', 'rp_filter')} = 1`,
      }),
      expect.objectContaining({ kind: 'route', locator: 'main/10.244.1.0/24' }),
    ]);
    expect(log.obstacles[0]?.facts.subject).toMatchObject({ kind: 'node', name: 'node1', interface: 'eth1' });
  });

  it.each([
    {
      title: 'to loopback from outside',
      text: '10.10.0.12:1 > 127.0.0.1:80',
      sysctls: {},
      codes: ['ROUTE_LOCALNET_OFF'],
    },
    {
      title: 'to loopback with route_localnet',
      text: '10.10.0.12:1 > 127.0.0.1:80',
      sysctls: { [conf('all', 'route_localnet')]: 1 },
      codes: [],
    },
    {
      title: 'to loopback with route_localnet of the interface',
      text: '10.10.0.12:1 > 127.0.0.1:80',
      sysctls: { [conf('eth0', 'route_localnet')]: 1 },
      codes: [],
    },
  ])('a packet $title', ({ text, sysctls, codes }) => {
    const log = host({ sysctls });

    receive(log, 'eth0', tcp(text));

    expect(log.obstacles.map(({ facts: { code } }) => code)).toEqual(codes);
  });

  it('are not made on lo', () => {
    const log = host({ sysctls: { [conf('all', 'rp_filter')]: 1 } });

    expect(show(receiveLoopback(log, tcp('10.10.0.11:1 > 10.244.1.1:2')))).toBe('delivered by lo');
    expect(log.stops).toEqual([]);
  });
});

describe('send', () => {
  const packet = (dst: string): Omit<Skb, 'src'> => {
    const { src: _, ...rest } = tcp(`0.0.0.0:40000 > ${dst}:80`);
    return rest;
  };

  it.each([
    { dst: '10.244.2.2', src: '10.10.0.11', outcome: 'eth0 to 10.10.0.12' },
    { dst: '10.244.1.2', src: '10.244.1.1', outcome: 'cni0 to 10.244.1.2' },
    { dst: '10.10.0.11', src: '10.10.0.11', outcome: 'lo to 10.10.0.11' },
    { dst: '127.0.0.1', src: '127.0.0.1', outcome: 'lo to 127.0.0.1' },
  ])('to $dst: from $src, $outcome', ({ dst, src, outcome }) => {
    const sent = send(host(), packet(dst));

    expect(formatIp(sent.skb.src)).toBe(src);
    expect(show(sent)).toBe(outcome);
  });

  it('keeps a source that is given', () => {
    const sent = send(host(), tcp('10.244.1.1:1 > 10.244.2.2:80'));

    expect(formatIp(sent.skb.src)).toBe('10.244.1.1');
  });

  it('leaves by the interface that the socket is bound to', () => {
    const routes = [...(SKETCH.routes ?? []), { dst: 'default', gateway: '10.20.0.1', dev: 'eth1', metric: 100 }];

    expect(show(send(host({ routes }), packet('8.8.8.8')))).toBe('eth0 to 10.10.0.1');
    expect(show(send(host({ routes }), packet('8.8.8.8'), 'eth1'))).toBe('eth1 to 10.20.0.1');
  });

  it.each([
    { dst: '10.66.0.1', code: 'ROUTE_BLACKHOLE', errno: 'EINVAL' },
    { dst: '10.67.0.1', code: 'ROUTE_UNREACHABLE', errno: 'EHOSTUNREACH' },
    { dst: '10.68.0.1', code: 'ROUTE_PROHIBIT', errno: 'EACCES' },
  ])('fails at once with $errno: $code', ({ dst, code, errno }) => {
    const log = host();

    // Past the obstacle it takes the way that it would have without the route.
    expect(show(send(log, packet(dst)))).toBe('eth0 to 10.10.0.1');
    expect(log.obstacles.map(({ facts: { code: found }, answer }) => [found, answer])).toEqual([
      [code, { kind: 'errno', errno }],
    ]);
  });

  it('of an answer from 127.0.0.1 needs route_localnet, too', () => {
    const off = host();
    const on = host({ sysctls: { 'net.ipv4.conf.eth0.route_localnet': 1 } });

    for (const log of [off, on]) send(log, tcp('127.0.0.1:80 > 10.10.0.12:40000 SYN-ACK'));

    expect([off.stops, on.stops]).toEqual([['ROUTE_LOCALNET_OFF net.ipv4.conf.eth0.route_localnet'], []]);
  });

  it('asks for an IPv6 source on all devices when the look-up without one failed, whatever the socket is bound to', () => {
    const links = [
      { name: 'eth0', addresses: ['fd07::1/128'] },
      { name: 'eth1', addresses: ['2001:db8::7/64'] },
    ];
    const rules = [
      { priority: 0, src: 'all', table: 'local' },
      { priority: 50, src: '2001:db8::', srclen: 32, action: 'blackhole' },
      { priority: 32766, src: 'all', table: 'main' },
    ];
    const log = new NamespaceLog(sketchNamespace({ links, rules }));
    const { src: _, ...rest } = udp('[::1]:40000 > [fd00::77]:9');

    send(log, rest, 'eth1');

    expect(facts(log)).toEqual([
      { code: 'NO_ROUTE', disposition: 'no-route', answer: { kind: 'errno', errno: 'ENETUNREACH' } },
    ]);
  });

  it('fails with ENETUNREACH without any route', () => {
    const log = host({ routes: [] });

    send(log, packet('8.8.8.8'));

    expect(facts(log)).toEqual([
      { code: 'NO_ROUTE', disposition: 'no-route', answer: { kind: 'errno', errno: 'ENETUNREACH' } },
    ]);
  });

  it('is routed again when OUTPUT changed the destination', () => {
    const iptables = [
      '*nat',
      ':OUTPUT ACCEPT [0:0]',
      '-A OUTPUT -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.2:8080',
      'COMMIT',
      '',
    ].join('\n');

    const sent = send(host({ iptables }), packet('10.96.0.10'));

    expect(show(sent)).toBe('cni0 to 10.244.1.2');
    // The source was chosen for the first route, as the kernel does.
    expect(formatIp(sent.skb.src)).toBe('10.10.0.11');
  });

  it('is routed again when OUTPUT changed the mark', () => {
    const iptables = '*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j MARK --set-xmark 0x1/0x1\nCOMMIT\n';
    const rules = [
      { priority: 0, src: 'all', table: 'local' },
      { priority: 50, src: 'all', fwmark: '0x1', fwmask: '0x1', table: '100' },
      { priority: 32766, src: 'all', table: 'main' },
    ];
    const routes = [...(SKETCH.routes ?? []), { dst: 'default', gateway: '10.20.0.1', dev: 'eth1', table: '100' }];

    expect(show(send(host({ iptables, rules, routes }), packet('8.8.8.8')))).toBe('eth1 to 10.20.0.1');
  });

  it('of a loopback source out into the world needs route_localnet', () => {
    const iptables = [
      '*nat',
      ':OUTPUT ACCEPT [0:0]',
      '-A OUTPUT -d 127.0.0.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.2:8080',
      'COMMIT',
      '',
    ].join('\n');
    const off = host({ iptables });
    const on = host({ iptables, sysctls: { 'net.ipv4.conf.cni0.route_localnet': 1 } });

    send(off, packet('127.0.0.1'));
    send(on, packet('127.0.0.1'));

    expect([off.stops, on.stops]).toEqual([['ROUTE_LOCALNET_OFF net.ipv4.conf.cni0.route_localnet'], []]);
  });
});

describe('facts that were not collected', () => {
  it.each([{ without: ['ip-route.json'] }, { without: ['ip-rule.json'] }, { without: ['ip-link.json'] }])(
    'stop the packet and are named: $without',
    ({ without }) => {
      const log = host({ without });

      expect(show(receive(log, 'cni0', POD_TO_REMOTE()))).toBe('stopped');
      expect(
        log.obstacles.map(({ disposition, facts: { code, evidence } }) => [disposition, code, evidence[0]?.text]),
      ).toEqual([
        ['insufficient-info', 'NETNS_NOT_COLLECTED', `how node/node1 routes (${without.join('')}: not collected)`],
      ]);
    },
  );

  it('of forwarding are guessed', () => {
    const chooser = new NotingChooser(0, true);
    const log = host({ without: ['sysctl-net.txt'] }, chooser);

    receive(log, 'cni0', POD_TO_REMOTE());

    expect(chooser.guesses).toEqual([expect.stringContaining('whether node/node1 forwards packets')]);
    expect(log.stops).toEqual([]);
  });

  it('quote what the collector heard on standard error', () => {
    const dump = sketchDump({ without: ['ss-listen.txt'] });
    const files = new Map([...dump.files, ['stderr.txt', 'ss-listen.txt: ss: Permission denied\n']]);

    const ns = new NetNamespace({ ...dump, files });

    expect(ns.missing('ss-listen.txt')).toEqual({ file: 'ss-listen.txt', reason: 'ss: Permission denied' });
  });
});
