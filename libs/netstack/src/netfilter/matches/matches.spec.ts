import { NotingChooser } from '../../../../../test/fixtures/choices.js';
import { sketchNamespace } from '../../../../../test/fixtures/namespace-sketch.js';
import { icmpError, ip, tcp, udp } from '../../../../../test/fixtures/packets.js';
import { tupleOf, type Skb } from '../../skb.js';
import { ConntrackTable, translateDestination, translateSource } from '../conntrack.js';
import { compileRuleset, type Hook } from '../ruleset.js';
import { ruleMatches } from '../rule.js';
import { knownMatches } from './index.js';

interface Row {
  /** The rule without `-A CHAIN` and target. */
  readonly rule: string;
  readonly packet?: Skb;
  readonly hook?: Hook;
  readonly iif?: string;
  readonly oif?: string;
  readonly chooser?: NotingChooser;
  readonly matches: boolean | undefined;
}

const NODE = sketchNamespace({
  links: [
    { name: 'eth0', addresses: ['10.10.0.11/24', 'fd00:10::11/64'] },
    { name: 'cni0', addresses: ['10.244.1.1/24'] },
  ],
  routes: [{ dst: 'default', gateway: '10.10.0.1', dev: 'eth0' }],
  ipsets: [
    'create nodes hash:ip family inet',
    'add nodes 10.10.0.12',
    'create web hash:ip,port family inet',
    'add web 10.10.0.11,tcp:80',
    '',
  ].join('\n'),
});

const SYN_TO_80 = '10.10.0.12:40000 > 10.10.0.11:80';

function evaluate({ rule, packet, hook = 'FORWARD', iif = '', oif = '', chooser }: Row): boolean | undefined {
  const skb = packet ?? tcp(SYN_TO_80);
  const text = `*filter\n:${hook} ACCEPT [0:0]\n-A ${hook} ${rule} -j ACCEPT\nCOMMIT\n`;
  const compiled = compileRuleset('x.txt', text, 'nft', skb.family).tables.get('filter')?.chains.get(hook)?.rules[0];
  if (compiled === undefined) throw new Error(`no rule in ${text}`);
  return ruleMatches(compiled, { ns: NODE, hook, skb, iif, oif, chooser: chooser ?? new NotingChooser() });
}

/** A packet of a connection: the state that conntrack gave it. */
function tracked(skb: Skb, change: (skb: Skb) => void = () => undefined): Skb {
  const table = new ConntrackTable();
  table.track(skb, true);
  change(skb);
  table.confirm(skb);
  return skb;
}

/** The answer to a confirmed connection. */
function answered(): Skb {
  const table = new ConntrackTable();
  const syn = tcp(SYN_TO_80);
  table.track(syn, true);
  table.confirm(syn);
  const reply = tcp('10.10.0.11:80 > 10.10.0.12:40000 SYN-ACK');
  table.track(reply, true);
  return reply;
}

function related(): Skb {
  const table = new ConntrackTable();
  const datagram = udp('10.10.0.12:40000 > 10.10.0.11:53');
  table.track(datagram, true);
  table.confirm(datagram);
  const error = icmpError('10.10.0.11', '10.10.0.12', 3, 3, tupleOf(datagram));
  table.track(error, true);
  return error;
}

const invalid = (): Skb => {
  const skb = tcp('10.10.0.12:40000 > 10.10.0.11:80 SYN-ACK');
  new ConntrackTable().track(skb, true);
  return skb;
};

function check(rows: readonly Row[]): void {
  it.each(rows.map((row) => ({ ...row, title: describeRow(row) })))('$title', (row) => {
    expect(evaluate(row)).toBe(row.matches);
  });
}

function describeRow({ rule, packet, hook, iif, oif, matches }: Row): string {
  const { family, protocol, sport, dport, tcpFlags } = packet ?? tcp(SYN_TO_80);
  const by = [hook, iif === undefined ? '' : `in ${iif}`, oif === undefined ? '' : `out ${oif}`];
  return `${rule === '' ? '(nothing)' : rule}: IPv${family} ${protocol} ${sport}>${dport} flags ${tcpFlags} ${by.join(' ')}: ${matches}`;
}

describe('selectors', () => {
  check([
    { rule: '', matches: true },
    { rule: '-s 10.10.0.12/32', matches: true },
    { rule: '-s 10.10.0.13/32', matches: false },
    { rule: '! -s 10.10.0.13/32', matches: true },
    { rule: '! -s 10.10.0.0/24', matches: false },
    { rule: '-d 10.10.0.0/255.255.255.0', matches: true },
    { rule: '-d 10.10.1.0/24', matches: false },
    { rule: '-s 0.0.0.0/0', matches: true },
    { rule: '-p tcp', matches: true },
    { rule: '-p udp', matches: false },
    { rule: '! -p udp', matches: true },
    { rule: '-p 6', matches: true },
    { rule: '-p sctp', matches: false },
    { rule: '-i eth0', iif: 'eth0', matches: true },
    { rule: '-i eth0', iif: 'eth01', matches: false },
    { rule: '-i eth+', iif: 'eth01', matches: true },
    { rule: '-i +', iif: '', matches: true },
    { rule: '! -i eth0', iif: '', hook: 'OUTPUT', matches: true },
    { rule: '-i eth0', iif: '', hook: 'OUTPUT', matches: false },
    { rule: '-o cni0', oif: 'cni0', matches: true },
    { rule: '! -o cni0', oif: 'cni0', matches: false },
    { rule: '-f', matches: false },
    { rule: '! -f', matches: true },
    { rule: '-s 10.10.0.12/32 -d 10.10.0.11/32 -p tcp -i eth0', iif: 'eth0', matches: true },
  ]);
});

describe('tcp, udp and multiport', () => {
  check([
    { rule: '-p tcp -m tcp', matches: true },
    { rule: '-p tcp -m tcp --dport 80', matches: true },
    { rule: '-p tcp -m tcp --dport 81', matches: false },
    { rule: '-p tcp -m tcp ! --dport 81', matches: true },
    { rule: '-p tcp -m tcp --dport 79:81', matches: true },
    { rule: '-p tcp -m tcp --dport 81:', matches: false },
    { rule: '-p tcp -m tcp --dport :80', matches: true },
    { rule: '-p tcp -m tcp --sport 40000', matches: true },
    { rule: '-p tcp -m tcp --sport 1024:65535 --dport 80', matches: true },
    { rule: '-p tcp -m tcp --sport 1:1023', matches: false },
    { rule: '-p tcp -m tcp --syn', matches: true },
    { rule: '-p tcp -m tcp ! --syn', matches: false },
    { rule: '-p tcp -m tcp --syn', packet: tcp(`${SYN_TO_80} SYN-ACK`), matches: false },
    { rule: '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN', matches: true },
    { rule: '-p tcp -m tcp --tcp-flags SYN,RST SYN', packet: tcp(`${SYN_TO_80} ACK`), matches: false },
    { rule: '-p tcp -m tcp --tcp-flags ALL NONE', matches: false },
    { rule: '-p tcp -m tcp --tcp-option 8', matches: undefined },
    { rule: '-p udp -m udp --dport 80', matches: false },
    { rule: '-p udp -m udp --dport 53', packet: udp('10.0.0.1:1 > 10.0.0.2:53'), matches: true },
    { rule: '-p tcp -m multiport --dports 22,80,443', matches: true },
    { rule: '-p tcp -m multiport --dports 22,8000:9000', matches: false },
    { rule: '-p tcp -m multiport --dports 22,70:90', matches: true },
    { rule: '-p tcp -m multiport ! --dports 22,80', matches: false },
    { rule: '-p tcp -m multiport --sports 40000', matches: true },
    { rule: '-p tcp -m multiport --ports 40000,1', matches: true },
    { rule: '-p tcp -m multiport --ports 81', matches: false },
    {
      rule: '-p tcp -m tcp --sport 1024:65535',
      packet: tcp(SYN_TO_80, { sportUnknown: true }),
      matches: undefined,
    },
  ]);
});

describe('icmp', () => {
  const unreachable = icmpError('10.0.0.1', '10.0.0.2', 3, 4, tupleOf(tcp('10.0.0.2:1 > 10.0.0.3:2')));
  check([
    { rule: '-p icmp -m icmp --icmp-type 3', packet: unreachable, matches: true },
    { rule: '-p icmp -m icmp --icmp-type 3/4', packet: unreachable, matches: true },
    { rule: '-p icmp -m icmp --icmp-type 3/3', packet: unreachable, matches: false },
    { rule: '-p icmp -m icmp --icmp-type 8', packet: unreachable, matches: false },
    { rule: '-p icmp -m icmp ! --icmp-type 8', packet: unreachable, matches: true },
    { rule: '-p icmp -m icmp --icmp-type any', packet: unreachable, matches: true },
    { rule: '-p icmp -m icmp --icmp-type 255', packet: unreachable, matches: true },
    { rule: '-p icmp -m icmp --icmp-type 3', matches: false },
  ]);
});

describe('conntrack and state', () => {
  const dnat = (): Skb => tracked(tcp(SYN_TO_80), (skb) => translateDestination(skb, ip('10.244.1.2'), 8080));
  const snat = (): Skb => tracked(tcp(SYN_TO_80), (skb) => translateSource(skb, ip('10.10.0.11'), undefined));
  check([
    { rule: '-m conntrack --ctstate NEW', packet: tracked(tcp(SYN_TO_80)), matches: true },
    { rule: '-m conntrack --ctstate RELATED,ESTABLISHED', packet: tracked(tcp(SYN_TO_80)), matches: false },
    { rule: '-m conntrack ! --ctstate NEW', packet: tracked(tcp(SYN_TO_80)), matches: false },
    { rule: '-m conntrack --ctstate RELATED,ESTABLISHED', packet: answered(), matches: true },
    { rule: '-m conntrack --ctstate NEW', packet: answered(), matches: false },
    { rule: '-m conntrack --ctstate RELATED', packet: related(), matches: true },
    { rule: '-m conntrack --ctstate INVALID', packet: invalid(), matches: true },
    { rule: '-m conntrack --ctstate NEW', packet: invalid(), matches: false },
    { rule: '-m conntrack --ctstate UNTRACKED', packet: tcp(SYN_TO_80, { untracked: true }), matches: true },
    { rule: '-m conntrack --ctstate INVALID', packet: tcp(SYN_TO_80, { untracked: true }), matches: false },
    { rule: '-m conntrack --ctstate DNAT', packet: dnat(), matches: true },
    { rule: '-m conntrack --ctstate SNAT', packet: dnat(), matches: false },
    { rule: '-m conntrack --ctstate SNAT', packet: snat(), matches: true },
    { rule: '-m conntrack --ctorigdst 10.10.0.11/32', packet: dnat(), matches: true },
    { rule: '-m conntrack --ctorigdstport 80', packet: dnat(), matches: true },
    { rule: '-m conntrack --ctreplsrc 10.244.1.0/24', packet: dnat(), matches: true },
    { rule: '-m conntrack --ctreplsrcport 8080', packet: dnat(), matches: true },
    { rule: '-m conntrack --ctrepldst 10.10.0.11/32', packet: snat(), matches: true },
    { rule: '-m conntrack --ctorigsrc 10.10.0.13/32', packet: snat(), matches: false },
    { rule: '-m conntrack --ctproto 6', packet: snat(), matches: true },
    { rule: '-m conntrack --ctdir ORIGINAL', packet: answered(), matches: false },
    { rule: '-m conntrack --ctdir REPLY', packet: answered(), matches: true },
    { rule: '-m conntrack --ctstatus SEEN_REPLY', packet: answered(), matches: true },
    { rule: '-m conntrack --ctstatus SEEN_REPLY', packet: tracked(tcp(SYN_TO_80)), matches: false },
    { rule: '-m conntrack --ctstatus ASSURED', packet: answered(), matches: false },
    { rule: '-m conntrack --ctexpire 1:10', packet: answered(), matches: undefined },
    { rule: '-m conntrack ! --ctorigdstport 80', packet: invalid(), matches: false },
    { rule: '-m conntrack ! --ctdir REPLY', packet: invalid(), matches: false },
    { rule: '-m conntrack ! --ctdir REPLY', packet: tracked(tcp(SYN_TO_80)), matches: true },
    { rule: '-m state --state NEW', packet: tracked(tcp(SYN_TO_80)), matches: true },
    { rule: '-m state --state INVALID', packet: invalid(), matches: true },
  ]);
});

describe('mark and connmark', () => {
  const marked = (mark: number): Skb => tcp(SYN_TO_80, { mark });
  const connmarked = (mark: number): Skb =>
    tracked(tcp(SYN_TO_80), ({ ct }) => {
      if (ct !== undefined) ct.conn.mark = mark;
    });
  check([
    { rule: '-m mark --mark 0x4000/0x4000', packet: marked(0x4001), matches: true },
    { rule: '-m mark --mark 0x4000/0x4000', packet: marked(0x8000), matches: false },
    { rule: '-m mark ! --mark 0x4000/0x4000', packet: marked(0), matches: true },
    { rule: '-m mark --mark 0x1', packet: marked(0x1), matches: true },
    { rule: '-m mark --mark 0x1', packet: marked(0x3), matches: false },
    { rule: '-m mark --mark 0x80000000/0x80000000', packet: marked(0x80000000), matches: true },
    { rule: '-m mark --mark 0x0/0xff', packet: marked(0x100), matches: true },
    // A value with bits outside its mask can never be met.
    { rule: '-m mark --mark 0x3/0x1', packet: marked(0x3), matches: false },
    { rule: '-m connmark --mark 0x10/0xf0', packet: connmarked(0x1f), matches: true },
    { rule: '-m connmark --mark 0x10/0xf0', packet: connmarked(0x2f), matches: false },
    { rule: '-m connmark --mark 0x0', packet: tcp(SYN_TO_80), matches: false },
    { rule: '-m connmark ! --mark 0x1', packet: tcp(SYN_TO_80), matches: false },
    { rule: '-m connmark ! --mark 0x1', packet: connmarked(0x2), matches: true },
  ]);
});

describe('dscp, tos, ecn and helper', () => {
  const marked = (tos: number): Skb => ({ ...tcp(SYN_TO_80), tos });

  it.each<Row>([
    { rule: '-m dscp --dscp 0x00', matches: true },
    { rule: '-m dscp --dscp 0x2e', matches: false },
    { rule: '-m dscp ! --dscp 0x2e', matches: true },
    { rule: '-m dscp --dscp 0x2e', packet: marked(0xb9), matches: true },
    { rule: '-m tos --tos 0x00/0xff', matches: true },
    { rule: '-m tos --tos 0x10/0x3f', packet: marked(0x50), matches: true },
    { rule: '-m ecn --ecn-ip-ect 3', matches: false },
    { rule: '-m ecn --ecn-ip-ect 1', packet: marked(0xb9), matches: true },
    { rule: '-m ecn --ecn-tcp-ece', matches: false },
    { rule: '-m ecn ! --ecn-tcp-cwr', matches: true },
    { rule: '-m helper --helper ftp', matches: false },
  ])('$rule: $matches', (row) => {
    expect(evaluate(row)).toBe(row.matches);
  });
});

describe('addrtype', () => {
  const to6 = (dst: string): Skb => tcp(`[fd00:10::1]:40000 > [${dst}]:80`);
  const to = (dst: string): Skb => tcp(`10.10.0.12:40000 > ${dst}:80`);
  check([
    { rule: '-m addrtype --dst-type LOCAL', packet: to('10.10.0.11'), matches: true },
    { rule: '-m addrtype --dst-type LOCAL', packet: to('10.244.1.1'), matches: true },
    { rule: '-m addrtype --dst-type LOCAL', packet: to('127.1.2.3'), matches: true },
    { rule: '-m addrtype --dst-type LOCAL', packet: to('10.244.1.2'), matches: false },
    { rule: '-m addrtype ! --dst-type LOCAL', packet: to('10.244.1.2'), matches: true },
    { rule: '-m addrtype --dst-type UNICAST', packet: to('10.244.1.2'), matches: true },
    { rule: '-m addrtype --dst-type BROADCAST', packet: to('10.10.0.255'), matches: true },
    { rule: '-m addrtype --dst-type BROADCAST', packet: to('255.255.255.255'), matches: true },
    { rule: '-m addrtype --dst-type MULTICAST', packet: to('224.0.0.1'), matches: true },
    { rule: '-m addrtype --dst-type LOCAL,BROADCAST', packet: to('10.10.0.255'), matches: true },
    { rule: '-m addrtype --dst-type LOCAL', packet: to6('fd00:10::11'), matches: true },
    { rule: '-m addrtype --dst-type UNICAST', packet: to6('fd00:10::11'), matches: true },
    { rule: '-m addrtype --dst-type UNICAST', packet: to6('ff02::1'), matches: false },
    { rule: '-m addrtype --dst-type MULTICAST', packet: to6('ff02::1'), matches: true },
    { rule: '-m addrtype --dst-type LOCAL', packet: to6('fd00:10::12'), matches: false },
    { rule: '-m addrtype ! --dst-type LOCAL', packet: to6('fd00:10::12'), matches: true },
    { rule: '-m addrtype --dst-type UNREACHABLE', packet: to6('fd00:99::1'), matches: true },
    { rule: '-m addrtype --dst-type ANYCAST', packet: to6('fd00:10::'), matches: true },
    { rule: '-m addrtype --dst-type MULTICAST,LOCAL', packet: to6('fd00:10::11'), matches: false },
    { rule: '-m addrtype --dst-type LOCAL --limit-iface-out', oif: 'eth0', packet: to6('fd00:10::11'), matches: true },
    { rule: '-m addrtype --src-type LOCAL', packet: tcp('10.10.0.11:1 > 10.0.0.1:2'), matches: true },
    { rule: '-m addrtype --src-type LOCAL', packet: to('10.10.0.11'), matches: false },
    { rule: '-m addrtype --dst-type LOCAL --limit-iface-in', iif: 'eth0', packet: to('10.10.0.11'), matches: true },
    { rule: '-m addrtype --dst-type LOCAL --limit-iface-in', iif: 'cni0', packet: to('10.10.0.11'), matches: false },
    { rule: '-m addrtype --dst-type LOCAL --limit-iface-out', oif: 'cni0', packet: to('10.10.0.11'), matches: false },
  ]);
});

describe('set and iprange', () => {
  check([
    { rule: '-m set --match-set nodes src', matches: true },
    { rule: '-m set --match-set nodes dst', matches: false },
    { rule: '-m set ! --match-set nodes src', matches: false },
    { rule: '-m set --match-set web dst,dst', matches: true },
    { rule: '-m set --match-set web dst,src', matches: false },
    { rule: '-m set --match-set gone src', matches: undefined },
    { rule: '-m set ! --match-set gone src', matches: undefined },
    { rule: '-m set --match-set nodes src --bytes-gt 1', matches: undefined },
    { rule: '-m iprange --src-range 10.10.0.10-10.10.0.20', matches: true },
    { rule: '-m iprange --src-range 10.10.0.13-10.10.0.20', matches: false },
    { rule: '-m iprange ! --dst-range 10.10.0.1-10.10.0.9', matches: true },
  ]);
});

describe('statistic', () => {
  check([
    { rule: '-m statistic --mode random --probability 0.50000000000', chooser: new NotingChooser(0), matches: true },
    { rule: '-m statistic --mode random --probability 0.50000000000', chooser: new NotingChooser(1), matches: false },
    { rule: '-m statistic --mode random --probability 1.00000000000', chooser: new NotingChooser(1), matches: true },
    { rule: '-m statistic --mode random --probability 0.00000000000', chooser: new NotingChooser(0), matches: false },
  ]);

  it.each([
    { rule: '-m statistic --mode random --probability 0.33333333349', weights: [0.33333333349, 1 - 0.33333333349] },
    { rule: '-m statistic --mode random ! --probability 0.25000000000', weights: [0.75, 0.25] },
    { rule: '-m statistic --mode nth --every 4 --packet 0', weights: [0.25, 0.75] },
  ])('$rule rolls $weights', ({ rule, weights }) => {
    const chooser = new NotingChooser();

    evaluate({ rule, chooser, matches: true });

    expect(chooser.picks.map((pick) => pick.weights)).toEqual([weights]);
  });
});

describe('rpfilter', () => {
  const from = (src: string): Skb => tcp(`${src}:40000 > 10.10.0.11:80`);
  check([
    { rule: '-m rpfilter', hook: 'PREROUTING', iif: 'eth0', packet: from('10.10.0.12'), matches: true },
    { rule: '-m rpfilter', hook: 'PREROUTING', iif: 'cni0', packet: from('10.10.0.12'), matches: false },
    { rule: '-m rpfilter --invert', hook: 'PREROUTING', iif: 'cni0', packet: from('10.10.0.12'), matches: true },
    { rule: '-m rpfilter --loose', hook: 'PREROUTING', iif: 'cni0', packet: from('10.10.0.12'), matches: true },
    { rule: '-m rpfilter', hook: 'PREROUTING', iif: 'eth0', packet: from('10.10.0.11'), matches: false },
    { rule: '-m rpfilter', hook: 'PREROUTING', iif: 'lo', packet: from('10.10.0.11'), matches: true },
    { rule: '-m rpfilter', hook: 'PREROUTING', iif: 'eth0', packet: from('8.8.8.8'), matches: true },
  ]);
});

describe('owner, physdev, ttl, length, pkttype and mac', () => {
  const bridged = tcp(SYN_TO_80, { physIn: 'veth1', physOut: 'veth2' });
  check([
    { rule: '-m owner --uid-owner 1000', hook: 'OUTPUT', packet: tcp(SYN_TO_80, { uid: 1000 }), matches: true },
    { rule: '-m owner --uid-owner 0-999', hook: 'OUTPUT', packet: tcp(SYN_TO_80, { uid: 1000 }), matches: false },
    { rule: '-m owner --uid-owner 1000', hook: 'OUTPUT', matches: undefined },
    { rule: '-m owner --uid-owner 1000', hook: 'FORWARD', matches: false },
    { rule: '-m physdev --physdev-in veth1', packet: bridged, matches: true },
    { rule: '-m physdev --physdev-in veth+', packet: bridged, matches: true },
    { rule: '-m physdev --physdev-out veth3', packet: bridged, matches: false },
    { rule: '-m physdev --physdev-is-bridged', packet: bridged, matches: true },
    { rule: '-m physdev --physdev-is-bridged', matches: false },
    { rule: '-m physdev ! --physdev-is-in', matches: true },
    { rule: '-m ttl --ttl-lt 64', packet: tcp(SYN_TO_80, { ttl: 63 }), matches: true },
    { rule: '-m ttl --ttl-lt 64', matches: false },
    { rule: '-m ttl --ttl-eq 64', matches: true },
    { rule: '-m ttl --ttl-gt 64', matches: false },
    { rule: '-m length --length 0:60', matches: true },
    { rule: '-m length --length 61:', matches: false },
    { rule: '-m pkttype --pkt-type unicast', matches: true },
    { rule: '-m pkttype --pkt-type broadcast', matches: false },
    {
      rule: '-m mac --mac-source 02:00:00:00:00:01',
      iif: 'eth0',
      packet: tcp(SYN_TO_80, { srcMac: '02:00:00:00:00:01' }),
      matches: true,
    },
    {
      rule: '-m mac --mac-source 02:00:00:00:00:0A',
      iif: 'eth0',
      packet: tcp(SYN_TO_80, { srcMac: '02:00:00:00:00:0a' }),
      matches: true,
    },
    {
      rule: '-m mac ! --mac-source 02:00:00:00:00:01',
      iif: 'eth0',
      packet: tcp(SYN_TO_80, { srcMac: '02:00:00:00:00:01' }),
      matches: false,
    },
    { rule: '-m mac --mac-source 02:00:00:00:00:01', iif: 'eth0', matches: undefined },
    // Without a frame there is no source address, and nothing to negate.
    { rule: '-m mac --mac-source 02:00:00:00:00:01', matches: false },
    { rule: '-m mac ! --mac-source 02:00:00:00:00:01', matches: false },
    { rule: '-m mac ! --mac-source 02:00:00:00:00:01', iif: 'lo', matches: false },
  ]);
});

describe('what a dump cannot tell', () => {
  check([
    { rule: '-m limit --limit 5/min', matches: undefined },
    { rule: '-m hashlimit --hashlimit-upto 1/sec --hashlimit-name x', matches: undefined },
    { rule: '-m bpf --bytecode "1,6 0 0 1"', matches: undefined },
    { rule: '-m constructor', matches: undefined },
    // One condition that is false decides, whatever the unknown one says.
    { rule: '-p udp -m bpf --bytecode "1,6 0 0 1"', matches: false },
    { rule: '-p tcp -m bpf --bytecode "x" -m tcp --dport 81', matches: false },
    { rule: '-p tcp -m tcp --dport 80 -m bpf --bytecode "x"', matches: undefined },
  ]);
});

describe('matches that only count or comment', () => {
  check([
    { rule: '-m comment --comment "DROP -j everything"', matches: true },
    { rule: '-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts', matches: true },
    { rule: '-m recent --set --name X --mask 255.255.255.255 --rsource', matches: true },
  ]);
});

describe('recent', () => {
  it('lets each endpoint of session affinity be the one of an earlier connection', () => {
    const text = [
      '*nat',
      ':KUBE-SVC-A - [0:0]',
      ':KUBE-SEP-1 - [0:0]',
      ':KUBE-SEP-2 - [0:0]',
      '-A KUBE-SVC-A -m recent --rcheck --seconds 600 --reap --name KUBE-SEP-1 -j KUBE-SEP-1',
      '-A KUBE-SVC-A -m recent --rcheck --seconds 600 --reap --name KUBE-SEP-2 -j KUBE-SEP-2',
      'COMMIT',
    ].join('\n');
    const rules = compileRuleset('x.txt', text, 'nft', 4).tables.get('nat')?.chains.get('KUBE-SVC-A')?.rules ?? [];
    const chooser = new NotingChooser(1);

    const results = rules.map((rule) =>
      ruleMatches(rule, { ns: NODE, hook: 'PREROUTING', skb: tcp(SYN_TO_80), iif: 'eth0', oif: '', chooser }),
    );

    expect(results).toEqual([true, true]);
    // One of three: endpoint 1, endpoint 2, a client that is new.
    expect(chooser.picks.map(({ weights }) => weights)).toEqual([
      [2, 1],
      [1, 1],
    ]);
  });

  it('takes the client for new where the rule drops', () => {
    const chooser = new NotingChooser(1);
    const text = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m recent --rcheck --name SSH -j DROP\nCOMMIT\n';
    const [rule] = compileRuleset('x.txt', text, 'nft', 4).tables.get('filter')?.chains.get('INPUT')?.rules ?? [];
    if (rule === undefined) throw new Error('no rule');

    expect(ruleMatches(rule, { ns: NODE, hook: 'INPUT', skb: tcp(SYN_TO_80), iif: 'eth0', oif: '', chooser })).toBe(
      false,
    );
  });
});

describe('knownMatches', () => {
  it('lists every match that the generated reference shows, once and sorted', () => {
    const names = knownMatches();

    expect(names).toEqual([...new Set(names)].toSorted());
    expect(names).toEqual(
      expect.arrayContaining(['addrtype', 'comment', 'conntrack', 'mark', 'set', 'statistic', 'tcp']),
    );
  });
});
