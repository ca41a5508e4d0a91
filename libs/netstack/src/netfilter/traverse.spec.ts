import { formatSocket, ipv4 } from '#libs/model';
import { hook } from '#libs/netstack';
import { NotingChooser } from '../../../../test/fixtures/choices.js';
import { NamespaceLog } from '../../../../test/fixtures/namespace-log.js';
import { sketchNamespace, type NamespaceSketch } from '../../../../test/fixtures/namespace-sketch.js';
import { tcp, udp } from '../../../../test/fixtures/packets.js';
import type { Skb } from '../skb.js';

const LINKS: NamespaceSketch['links'] = [
  { name: 'eth0', addresses: ['10.10.0.11/24', '10.10.0.99/24', 'fd00:10::11/64'] },
  { name: 'cni0', addresses: ['10.244.1.1/24', 'fd00:244::1/64'] },
];

/** Rules of one table, each chain as `NAME POLICY`, user chains without policy. */
function table(name: string, chains: readonly string[], rules: readonly string[]): string {
  const declared = chains.map((chain) => `:${chain.includes(' ') ? chain : `${chain} -`} [0:0]`);
  return [`*${name}`, ...declared, ...rules, 'COMMIT', ''].join('\n');
}

function node(iptables: string, more: NamespaceSketch = {}): NamespaceLog {
  return new NamespaceLog(sketchNamespace({ links: LINKS, iptables, ...more }));
}

const filter = (chains: readonly string[], rules: readonly string[]): NamespaceLog =>
  node(table('filter', chains, rules));
const pair = (skb: Skb): string => `${formatSocket(skb.src, skb.sport)} > ${formatSocket(skb.dst, skb.dport)}`;
const packet = (): Skb => tcp('10.244.1.2:40000 > 10.244.2.2:80');

describe('a filter table', () => {
  it.each([
    {
      title: 'accepts by policy',
      chains: ['FORWARD ACCEPT'],
      rules: [],
      stops: [],
    },
    {
      title: 'drops by policy when no rule decides',
      chains: ['FORWARD DROP'],
      rules: ['-A FORWARD -p udp -j ACCEPT'],
      stops: ['CHAIN_POLICY_DROP filter/FORWARD'],
    },
    {
      title: 'does not ask the policy after an ACCEPT',
      chains: ['FORWARD DROP'],
      rules: ['-A FORWARD -p tcp -j ACCEPT'],
      stops: [],
    },
    {
      title: 'takes the first rule that matches',
      chains: ['FORWARD ACCEPT'],
      rules: ['-A FORWARD -p udp -j DROP', '-A FORWARD -p tcp -j ACCEPT', '-A FORWARD -j DROP'],
      stops: [],
    },
    {
      title: 'comes back from a chain that ends',
      chains: ['FORWARD ACCEPT', 'A'],
      rules: ['-A FORWARD -j A', '-A FORWARD -j DROP', '-A A -p udp -j ACCEPT'],
      stops: ['FILTER_DROP filter/FORWARD/2'],
    },
    {
      title: 'comes back to the caller by RETURN',
      chains: ['FORWARD ACCEPT', 'A'],
      rules: ['-A FORWARD -j A', '-A FORWARD -j DROP', '-A A -j RETURN', '-A A -j ACCEPT'],
      stops: ['FILTER_DROP filter/FORWARD/2'],
    },
    {
      title: 'returns through two levels one at a time',
      chains: ['FORWARD DROP', 'A', 'B'],
      rules: ['-A FORWARD -j A', '-A A -j B', '-A A -j ACCEPT', '-A B -j RETURN', '-A B -j DROP'],
      stops: [],
    },
    {
      title: 'ends in the policy by RETURN of a built-in chain',
      chains: ['FORWARD DROP'],
      rules: ['-A FORWARD -j RETURN', '-A FORWARD -j ACCEPT'],
      stops: ['CHAIN_POLICY_DROP filter/FORWARD'],
    },
    {
      title: 'does not come back to the chain that said goto, but to its caller',
      chains: ['FORWARD ACCEPT', 'A', 'B'],
      rules: ['-A FORWARD -j A', '-A FORWARD -j DROP', '-A A -g B', '-A A -j ACCEPT', '-A B -p udp -j ACCEPT'],
      stops: ['FILTER_DROP filter/FORWARD/2'],
    },
    {
      title: 'ends in the policy after a goto of a built-in chain',
      chains: ['FORWARD DROP', 'A'],
      rules: ['-A FORWARD -g A', '-A FORWARD -j ACCEPT', '-A A -p udp -j ACCEPT'],
      stops: ['CHAIN_POLICY_DROP filter/FORWARD'],
    },
    {
      title: 'accepts for good, from any depth',
      chains: ['FORWARD DROP', 'A', 'B'],
      rules: ['-A FORWARD -j A', '-A FORWARD -j DROP', '-A A -g B', '-A B -j ACCEPT'],
      stops: [],
    },
    {
      title: 'goes on past an obstacle as if it were not there, and names each one',
      chains: ['FORWARD DROP'],
      rules: ['-A FORWARD -j DROP', '-A FORWARD -j REJECT --reject-with tcp-reset', '-A FORWARD -p udp -j ACCEPT'],
      stops: ['FILTER_DROP filter/FORWARD/1', 'FILTER_REJECT filter/FORWARD/2', 'CHAIN_POLICY_DROP filter/FORWARD'],
    },
    {
      title: 'passes targets that only count or log',
      chains: ['FORWARD ACCEPT'],
      rules: ['-A FORWARD -j LOG --log-prefix "x: "', '-A FORWARD -j TCPMSS --clamp-mss-to-pmtu', '-A FORWARD -p tcp'],
      stops: [],
    },
    {
      title: 'cannot tell what chains do that jump in a circle: no kernel loads them',
      chains: ['FORWARD ACCEPT', 'A', 'B'],
      rules: ['-A FORWARD -j A', '-A FORWARD -j DROP', '-A A -j B', '-A B -j A'],
      stops: ['NETNS_NOT_COLLECTED node/node1'],
    },
    {
      title: 'lets no other hook see its rules',
      chains: ['INPUT DROP', 'FORWARD ACCEPT', 'OUTPUT DROP'],
      rules: [],
      stops: [],
    },
  ])('$title', ({ chains, rules, stops }) => {
    const log = filter(chains, rules);

    log.hook('FORWARD', packet(), 'cni0', 'eth0');

    expect(log.stops).toEqual(stops);
  });

  it('takes a packet that "ctstate INVALID" drops for a finding of conntrack', () => {
    const log = filter(['FORWARD ACCEPT'], ['-A FORWARD -m conntrack --ctstate INVALID -j DROP']);

    log.forwarded(tcp('10.244.1.2:40000 > 10.244.2.2:80 SYN-ACK'));

    expect(log.stops).toEqual(['CONNTRACK_INVALID_DROP filter/FORWARD/1']);
  });

  it.each([
    { hook: 'INPUT' as const, target: '-j DROP', skb: packet(), answer: { kind: 'silence' } },
    { hook: 'OUTPUT' as const, target: '-j DROP', skb: packet(), answer: { kind: 'silence' } },
    {
      hook: 'OUTPUT' as const,
      target: '-j DROP',
      skb: udp('10.10.0.11:40000 > 10.244.2.2:53'),
      answer: { kind: 'errno', errno: 'EPERM' },
    },
    { hook: 'FORWARD' as const, target: '-j REJECT', skb: packet(), answer: { kind: 'icmp', type: 3, code: 3 } },
    {
      hook: 'FORWARD' as const,
      target: '-j REJECT --reject-with icmp-host-prohibited',
      skb: packet(),
      answer: { kind: 'icmp', type: 3, code: 10 },
    },
    {
      hook: 'FORWARD' as const,
      target: '-j REJECT --reject-with icmp-admin-prohibited',
      skb: packet(),
      answer: { kind: 'icmp', type: 3, code: 13 },
    },
    { hook: 'FORWARD' as const, target: '-j REJECT --reject-with tcp-reset', skb: packet(), answer: { kind: 'reset' } },
  ])('$hook $target answers $answer', ({ hook, target, skb, answer }) => {
    const log = filter([`${hook} ACCEPT`], [`-A ${hook} ${target}`]);

    log.hook(hook, skb);

    expect(log.obstacles.map((obstacle) => obstacle.answer)).toEqual([answer]);
  });

  it('names the command that removes the rule', () => {
    const log = filter(['FORWARD ACCEPT'], ['-A FORWARD -s 10.244.0.0/16 -j DROP']);

    log.hook('FORWARD', packet());

    expect(log.obstacles[0]?.facts.details?.command).toBe('iptables -t filter -D FORWARD -s 10.244.0.0/16 -j DROP');
  });
});

describe('what cannot be told', () => {
  const unknownRule = ['-A FORWARD -m bpf --bytecode "x" -j DROP'];

  it('asks whether a rule with an unknown match matches', () => {
    const no = new NotingChooser(0, false);
    const yes = new NotingChooser(0, true);
    const ns = sketchNamespace({ links: LINKS, iptables: table('filter', ['FORWARD ACCEPT'], unknownRule) });
    const passed = new NamespaceLog(ns, no);
    const dropped = new NamespaceLog(ns, yes);

    passed.hook('FORWARD', packet());
    dropped.hook('FORWARD', packet());

    expect(no.guesses).toEqual([expect.stringContaining('rule filter/FORWARD/1 of node/node1 matches')]);
    expect([passed.stops, dropped.stops]).toEqual([[], ['FILTER_DROP filter/FORWARD/1']]);
  });

  it('does not ask when nothing hangs on it', () => {
    const log = filter(['FORWARD ACCEPT'], ['-A FORWARD -m bpf --bytecode "x"', '-A FORWARD -p udp -m bpf -j DROP']);

    log.hook('FORWARD', packet());

    expect(log.chooser).toHaveProperty('guesses', []);
  });

  it('asks what a target that is neither known nor a chain does', () => {
    const log = filter(['FORWARD ACCEPT'], ['-A FORWARD -j SYNPROXY --sack-perm']);

    log.hook('FORWARD', packet());

    expect(log.chooser).toHaveProperty('guesses', [expect.stringContaining('target SYNPROXY')]);
    expect(log.stops).toEqual(['FILTER_DROP filter/FORWARD/1']);
  });

  it.each([
    { without: ['iptables-legacy-save.txt'], asks: true },
    { without: ['iptables-nft-save.txt'], asks: true },
    { without: ['nft.json'], asks: true },
    { without: ['ip6tables-nft-save.txt', 'ip6tables-legacy-save.txt'], asks: false },
    { without: ['ss-listen.txt', 'ip-neigh.json'], asks: false },
  ])('ends what is known where rules were not collected: $without: $asks', ({ without, asks }) => {
    const log = new NamespaceLog(sketchNamespace({ links: LINKS, without }));

    log.hook('FORWARD', packet());

    expect(log.obstacles.map(({ unknowable }) => unknowable)).toEqual(asks ? [true] : []);
  });
});

describe('the order of a hook', () => {
  const rules = (name: string, chain: string, mark: number): string =>
    table(name, [`${chain} ACCEPT`], [`-A ${chain} -m mark --mark ${mark} -j MARK --set-xmark ${mark + 1}/0xffffffff`]);

  it.each([
    { hook: 'PREROUTING' as const, order: ['raw', 'mangle'], mark: 2 },
    { hook: 'FORWARD' as const, order: ['mangle', 'filter', 'security'], mark: 3 },
    { hook: 'INPUT' as const, order: ['mangle', 'filter', 'security'], mark: 3 },
    { hook: 'OUTPUT' as const, order: ['raw', 'mangle', 'filter', 'security'], mark: 4 },
  ])('$hook runs $order, however they stand in the file', ({ hook, order, mark }) => {
    const text = order.map((name, at) => rules(name, hook, at)).toReversed();
    const log = node(text.join(''));

    const skb = log.hook(hook, packet());

    expect(skb.mark).toBe(mark);
  });

  it('runs iptables-nft before iptables-legacy', () => {
    const log = node(rules('filter', 'FORWARD', 0), { iptablesLegacy: rules('filter', 'FORWARD', 1) });

    expect(log.hook('FORWARD', packet()).mark).toBe(2);
  });

  it('drops in the back end that is not looked at usually, too', () => {
    const log = node('', { iptablesLegacy: table('filter', ['FORWARD DROP'], []) });

    log.hook('FORWARD', packet());

    expect(log.stops).toEqual(['CHAIN_POLICY_DROP filter/FORWARD']);
  });

  it('translates the destination after mangle PREROUTING and before FORWARD', () => {
    const log = node(
      [
        table('mangle', ['PREROUTING ACCEPT'], ['-A PREROUTING -d 10.96.0.10/32 -j MARK --set-xmark 0x1/0xffffffff']),
        table(
          'nat',
          ['PREROUTING ACCEPT'],
          ['-A PREROUTING -d 10.96.0.10/32 -p tcp -j DNAT --to-destination 10.244.2.2:8080'],
        ),
        table('filter', ['FORWARD ACCEPT'], ['-A FORWARD -d 10.244.2.2/32 -m mark --mark 0x1 -j DROP']),
      ].join(''),
    );

    log.forwarded(tcp('10.244.1.2:40000 > 10.96.0.10:80'));

    expect(log.stops).toEqual(['FILTER_DROP filter/FORWARD/1']);
  });
});

describe('MARK and CONNMARK', () => {
  it.each([
    { option: '--set-xmark 0x4000/0x4000', before: 0x1, after: 0x4001 },
    { option: '--set-xmark 0x4000/0x4000', before: 0x4001, after: 0x4001 },
    // kube-proxy clears its mark like this: an xor with no bits cleared first.
    { option: '--set-xmark 0x4000/0x0', before: 0x4001, after: 0x1 },
    { option: '--set-xmark 0x4000/0x0', before: 0x1, after: 0x4001 },
    { option: '--set-xmark 0x1/0xffffffff', before: 0xff, after: 0x1 },
    { option: '--set-xmark 0x0/0xffffffff', before: 0xff, after: 0x0 },
    { option: '--set-mark 0x4', before: 0xff, after: 0x4 },
    { option: '--set-mark 0x4/0x0', before: 0x3, after: 0x7 },
    { option: '--set-mark 0x4/0x0', before: 0x7, after: 0x7 },
    { option: '--or-mark 0x8', before: 0x1, after: 0x9 },
    { option: '--or-mark 0x8', before: 0x9, after: 0x9 },
    { option: '--and-mark 0xf', before: 0xff, after: 0xf },
    { option: '--xor-mark 0x3', before: 0x1, after: 0x2 },
    { option: '--set-xmark 0x80000000/0x80000000', before: 0, after: 0x80000000 },
    { option: '--and-mark 0x80000000', before: 0xffffffff, after: 0x80000000 },
  ])('MARK $option: $before becomes $after', ({ option, before, after }) => {
    const log = node(table('mangle', ['FORWARD ACCEPT'], [`-A FORWARD -j MARK ${option}`]));

    const skb = log.hook('FORWARD', { ...packet(), mark: before });

    expect(skb.mark).toBe(after);
  });

  it('goes on after MARK', () => {
    const log = node(
      table(
        'mangle',
        ['FORWARD ACCEPT'],
        ['-A FORWARD -j MARK --set-xmark 0x1/0x1', '-A FORWARD -j MARK --set-xmark 0x2/0x2'],
      ),
    );

    expect(log.hook('FORWARD', packet()).mark).toBe(3);
  });

  it.each([
    { save: '--save-mark', restore: '--restore-mark', first: 0x12, second: 0, after: 0x12 },
    {
      save: '--save-mark --nfmask 0xf0 --ctmask 0xf0',
      restore: '--restore-mark --nfmask 0xf0 --ctmask 0xf0',
      first: 0x12,
      second: 0x3,
      after: 0x13,
    },
    { save: '--set-xmark 0x5/0xffffffff', restore: '--restore-mark', first: 0x12, second: 0, after: 0x5 },
  ])('CONNMARK $save on one packet, $restore on the next', ({ save, restore, first, second, after }) => {
    const log = node(
      table(
        'mangle',
        ['PREROUTING ACCEPT', 'POSTROUTING ACCEPT'],
        [
          `-A PREROUTING -m conntrack --ctstate NEW -j CONNMARK ${save}`,
          `-A PREROUTING -m conntrack --ctstate ESTABLISHED -j CONNMARK ${restore}`,
        ],
      ),
    );

    log.forwarded({ ...packet(), mark: first });
    const reply = log.forwarded(tcp('10.244.2.2:80 > 10.244.1.2:40000 SYN-ACK', { mark: second }));

    expect(reply.mark).toBe(after);
  });
});

describe('CT', () => {
  const raw = (...rules: readonly string[]): string =>
    table(
      'raw',
      ['PREROUTING ACCEPT'],
      rules.map((rule) => `-A PREROUTING ${rule}`),
    );
  const drop = (match: string): string => table('filter', ['FORWARD ACCEPT'], [`-A FORWARD ${match} -j DROP`]);
  const forth = (): Skb => tcp('10.244.1.2:40000 > 10.244.2.2:80');
  const back = (): Skb => tcp('10.244.2.2:80 > 10.244.1.2:40000 SYN-ACK');

  it.each([
    { title: 'in one zone', rules: ['-j CT --zone 7'], state: 'ESTABLISHED' },
    { title: 'in another zone', rules: ['-s 10.244.2.2/32 -j CT --zone 7'], state: 'INVALID' },
    { title: 'in zones of one direction', rules: ['-s 10.244.1.2/32 -j CT --zone-orig 7'], state: 'ESTABLISHED' },
    { title: 'with a helper only', rules: ['-p tcp -j CT --helper ftp'], state: 'ESTABLISHED' },
  ])('finds the connection for the answer $title: $state', ({ rules, state }) => {
    const log = node(raw(...rules));

    log.forwarded(forth());
    const answer = log.forwarded(back(), 'eth0', 'cni0');

    expect(answer.ct?.state ?? 'INVALID').toBe(state);
  });

  it('gives a connection its helper', () => {
    const log = node(raw('-p tcp -j CT --helper ftp') + drop('-m helper --helper ftp'));

    log.forwarded(forth());

    expect(log.stops).toEqual(['FILTER_DROP filter/FORWARD/1']);
  });
});

describe('DSCP and TOS', () => {
  it.each([
    { target: '-j DSCP --set-dscp 0x2e', before: 1, after: 0xb9 },
    { target: '-j TOS --set-tos 0x10/0x3f', before: 0xc1, after: 0xd0 },
  ])('$target', ({ target, before, after }) => {
    const log = node(table('mangle', ['FORWARD ACCEPT'], [`-A FORWARD ${target}`]));

    expect(log.hook('FORWARD', { ...packet(), tos: before }).tos).toBe(after);
  });
});

describe('DNAT, REDIRECT and NETMAP', () => {
  const prerouting = (target: string, more: NamespaceSketch = {}, chooser = new NotingChooser()): NamespaceLog =>
    new NamespaceLog(
      sketchNamespace({
        links: LINKS,
        iptables: table('nat', ['PREROUTING ACCEPT'], [`-A PREROUTING ${target}`]),
        ...more,
      }),
      chooser,
    );

  it.each([
    { target: '-p tcp -j DNAT --to-destination 10.244.2.2:8080', to: '10.244.2.2:8080' },
    { target: '-p tcp -j DNAT --to-destination 10.244.2.2', to: '10.244.2.2:80' },
    { target: '-p tcp -j DNAT --to-destination :8080', to: '10.96.0.10:8080' },
    { target: '-p tcp -j REDIRECT --to-ports 15001', to: '10.244.1.1:15001' },
    { target: '-p tcp -j REDIRECT', to: '10.244.1.1:80' },
    { target: '-j NETMAP --to 192.168.5.0/24', to: '192.168.5.10:80' },
    { target: '-p udp -j DNAT --to-destination 10.244.2.2:8080', to: '10.96.0.10:80' },
    { target: '-d 10.96.0.11/32 -j DNAT --to-destination 10.244.2.2', to: '10.96.0.10:80' },
  ])('$target: to $to', ({ target, to }) => {
    const log = prerouting(target);

    const skb = log.hook('PREROUTING', tcp('10.244.1.2:40000 > 10.96.0.10:80'), 'cni0');

    expect(pair(skb)).toBe(`10.244.1.2:40000 > ${to}`);
  });

  it('makes a branch of each address of a range', () => {
    const chooser = new NotingChooser(2);
    const log = prerouting('-p tcp -j DNAT --to-destination 10.244.2.2-10.244.2.4:8080', {}, chooser);

    const skb = log.hook('PREROUTING', tcp('10.244.1.2:40000 > 10.96.0.10:80'), 'cni0');

    expect(pair(skb)).toBe('10.244.1.2:40000 > 10.244.2.4:8080');
    expect(chooser.picks.map(({ weights }) => weights)).toEqual([[1, 1, 1]]);
  });

  it('redirects own packets to loopback', () => {
    const log = node(table('nat', ['OUTPUT ACCEPT'], ['-A OUTPUT -p tcp -j REDIRECT --to-ports 15001']));

    expect(pair(log.hook('OUTPUT', tcp('10.10.0.11:40000 > 10.96.0.10:80')))).toBe(
      '10.10.0.11:40000 > 127.0.0.1:15001',
    );
  });

  it('drops where the input interface has no address to redirect to, as the cali* interfaces of Calico', () => {
    const links = [...(LINKS ?? []), { name: 'cali1', addresses: ['fe80::1/64'] }];
    const log = prerouting('-p tcp -j REDIRECT --to-ports 15001', { links });

    const skb = log.hook('PREROUTING', tcp('10.244.1.2:40000 > 10.96.0.10:80'), 'cali1');

    expect(pair(skb)).toBe('10.244.1.2:40000 > 10.96.0.10:80');
    expect(log.stops).toEqual(['FILTER_DROP nat/PREROUTING/1']);
  });

  it('translates IPv6 with ports in brackets', () => {
    const log = prerouting('', {
      iptables: '',
      ip6tables: table(
        'nat',
        ['PREROUTING ACCEPT'],
        ['-A PREROUTING -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080'],
      ),
    });

    const skb = log.hook('PREROUTING', tcp('[fd00:244::2]:40000 > [fd00:96::10]:80'), 'cni0');

    expect(pair(skb)).toBe('[fd00:244::2]:40000 > [fd00:244:2::2]:8080');
  });

  it.each([
    { to: '2001:db8::8', becomes: '[2001:db8::8]:80' },
    { to: '::8', becomes: '[::8]:80' },
    { to: '[2001:db8::8]:8080', becomes: '[2001:db8::8]:8080' },
    { to: '2001:db8::8-2001:db8::9', becomes: '[2001:db8::8]:80' },
    { to: '[2001:db8::8-2001:db8::9]:8080', becomes: '[2001:db8::8]:8080' },
    { to: ':8080', becomes: '[fd00:96::10]:8080' },
  ])('translates IPv6 to $to', ({ to, becomes }) => {
    const target = `-A PREROUTING -p tcp -j DNAT --to-destination ${to}`;
    const log = node('', { ip6tables: table('nat', ['PREROUTING ACCEPT'], [target]) });

    const skb = log.hook('PREROUTING', tcp('[fd00:244::2]:40000 > [fd00:96::10]:80'), 'cni0');

    expect(pair(skb)).toBe(`[fd00:244::2]:40000 > ${becomes}`);
  });

  it('leaves packets alone that are not tracked', () => {
    const log = node(
      [
        table('raw', ['PREROUTING ACCEPT'], ['-A PREROUTING -j CT --notrack']),
        table('nat', ['PREROUTING ACCEPT'], ['-A PREROUTING -p tcp -j DNAT --to-destination 10.244.2.2']),
      ].join(''),
    );

    expect(pair(log.hook('PREROUTING', packet(), 'cni0'))).toBe('10.244.1.2:40000 > 10.244.2.2:80');
    expect(pair(log.hook('PREROUTING', tcp('10.244.1.2:40000 > 10.96.0.10:80'), 'cni0'))).toBe(
      '10.244.1.2:40000 > 10.96.0.10:80',
    );
  });
});

describe('SNAT and MASQUERADE', () => {
  const postrouting = (target: string): NamespaceLog =>
    node(table('nat', ['POSTROUTING ACCEPT'], [`-A POSTROUTING ${target}`]));

  it.each([
    { target: '-j MASQUERADE', src: '10.10.0.11:40000' },
    { target: '-p tcp -j MASQUERADE --to-ports 5000-6000', src: '10.10.0.11:5000' },
    { target: '-j SNAT --to-source 10.10.0.99', src: '10.10.0.99:40000' },
    { target: '-p tcp -j SNAT --to-source 10.10.0.99:7000', src: '10.10.0.99:7000' },
    { target: '-j NETMAP --to 192.168.5.0/24', src: '192.168.5.2:40000' },
    { target: '-o cni0 -j MASQUERADE', src: '10.244.1.2:40000' },
    { target: '! -d 10.244.0.0/16 -j MASQUERADE', src: '10.244.1.2:40000' },
  ])('$target: from $src', ({ target, src }) => {
    const log = postrouting(target);

    expect(pair(log.hook('POSTROUTING', log.hook('PREROUTING', packet(), 'cni0'), '', 'eth0'))).toBe(
      `${src} > 10.244.2.2:80`,
    );
  });

  it('masquerades as the address that is on the link of the next hop', () => {
    const log = node(table('nat', ['POSTROUTING ACCEPT'], ['-A POSTROUTING -j MASQUERADE']), {
      links: [{ name: 'eth0', addresses: ['10.0.0.1/24', '192.168.1.1/24'] }],
    });
    const skb = log.hook('PREROUTING', packet(), 'cni0');

    hook(log, 'POSTROUTING', skb, 'cni0', 'eth0', { nextHop: ipv4(0xc0a801fe) });

    expect(pair(skb)).toBe('192.168.1.1:40000 > 10.244.2.2:80');
  });

  it('drops where no interface has an address to masquerade as', () => {
    const log = node(table('nat', ['POSTROUTING ACCEPT'], ['-A POSTROUTING -j MASQUERADE']), {
      links: [{ name: 'eth0' }],
    });

    log.hook('POSTROUTING', log.hook('PREROUTING', packet(), 'cni0'), '', 'eth0');

    expect(log.stops).toEqual(['FILTER_DROP nat/POSTROUTING/1']);
  });

  it('says that the port is not known when it is random', () => {
    const log = postrouting('-j MASQUERADE --random-fully');

    const skb = log.forwarded(packet());

    expect(skb.sportUnknown).toBe(true);
  });
});

describe('NAT of the rest of a connection', () => {
  const KUBE = [
    table(
      'nat',
      ['PREROUTING ACCEPT', 'OUTPUT ACCEPT', 'POSTROUTING ACCEPT'],
      [
        '-A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.2.2:8080',
        '-A OUTPUT -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.2.2:8080',
        '-A POSTROUTING -o eth0 -j MASQUERADE',
      ],
    ),
  ].join('');

  it('is reversed for the answer: DNAT and SNAT restore what the client asked', () => {
    const log = node(KUBE);

    const request = log.forwarded(tcp('10.244.1.2:40000 > 10.96.0.10:80'));
    const reply = log.forwarded(tcp('10.244.2.2:8080 > 10.10.0.11:40000 SYN-ACK'), 'eth0', 'cni0');

    expect(pair(request)).toBe('10.10.0.11:40000 > 10.244.2.2:8080');
    expect(pair(reply)).toBe('10.96.0.10:80 > 10.244.1.2:40000');
    expect(reply.ct).toMatchObject({ state: 'ESTABLISHED', reply: true });
  });

  it('is the same for later packets, whatever the rules would say', () => {
    const log = node(
      table(
        'nat',
        ['PREROUTING ACCEPT', 'POSTROUTING ACCEPT'],
        [
          '-A PREROUTING -p tcp -m tcp --tcp-flags SYN,ACK SYN -j DNAT --to-destination 10.244.2.2:8080',
          '-A PREROUTING -p tcp -j DNAT --to-destination 10.244.2.3:9090',
        ],
      ),
    );

    log.forwarded(tcp('10.244.1.2:40000 > 10.96.0.10:80'));
    log.forwarded(tcp('10.244.2.2:8080 > 10.244.1.2:40000 SYN-ACK'), 'eth0', 'cni0');
    const data = log.forwarded(tcp('10.244.1.2:40000 > 10.96.0.10:80 ACK-PSH'));

    expect(pair(data)).toBe('10.244.1.2:40000 > 10.244.2.2:8080');
  });

  it('gives a first packet that no rule translated a null binding', () => {
    const log = node(
      table('nat', ['PREROUTING ACCEPT', 'POSTROUTING ACCEPT'], ['-A POSTROUTING -o cni0 -j MASQUERADE']),
    );

    log.forwarded(packet());
    const again = log.forwarded(packet(), 'cni0', 'cni0');

    expect(pair(again)).toBe('10.244.1.2:40000 > 10.244.2.2:80');
  });
});
