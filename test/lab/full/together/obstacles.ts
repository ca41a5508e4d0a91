import { cause } from '../cause.js';
import { bridged, overlay, step, type Fault, type Step } from '../fault.js';
import type { Target } from '../target.js';

/** Something between client-0 and web-1 that stops the one connection that is asked for, and can be taken away again. */
export interface Obstacle extends Fault {
  /** What is decided only once on the way: of two such obstacles only one can be met. */
  readonly decision?: string;
  readonly undo: (target: Target) => readonly Step[];
}

const LAYER = 'together';

function obstacle(name: string, body: Omit<Obstacle, 'name' | 'layer' | 'description'>): Obstacle {
  return { name, layer: LAYER, description: name, ...body };
}

/** One rule in front of a chain of a node or a pod. `WEB` and `CLIENT` stand for addresses. */
function rule(place: string, program: Program, chain: string, words: string): Obstacle {
  const [table = 'filter', hook = ''] = chain.split('/');
  const at = (t: Target) => (place.startsWith('node') ? place : t.at(place));
  const spelled = (t: Target) => words.replaceAll('WEB', t.ip('web-1')).replaceAll('CLIENT', t.ip('client-0'));
  const run = (t: Target, action: string) => `${PROGRAMS[program](t)} -t ${table} ${action} ${hook} ${spelled(t)}`;
  const [, target = ''] = words.split('-j ');
  return obstacle(`${chain} of ${place} ${words} (${program} iptables)`, {
    causes: (t) => [cause(target.startsWith('REJECT') ? 'FILTER_REJECT' : 'FILTER_DROP', at(t), `${chain}/`, target)],
    steps: (t) => [step(at(t), run(t, '-I'))],
    undo: (t) => [step(at(t), run(t, '-D'))],
  });
}

type Program = 'the usual' | 'the other' | 'nft';

const PROGRAMS = {
  'the usual': (t: Target) => t.iptables,
  'the other': (t: Target) => t.otherIptables,
  nft: () => 'iptables-nft',
} as const;

/** What is added by one command and removed by the same with another word. */
function added(name: string, at: (t: Target) => string, body: Added): Obstacle {
  const { codes, shows, decision, command, fits } = body;
  return obstacle(name, {
    ...(decision === undefined ? {} : { decision }),
    ...(fits === undefined ? {} : { fits }),
    causes: (t) => [cause(codes, at(t), shows(t))],
    steps: (t) => [step(at(t), command(t, 'add'))],
    undo: (t) => [step(at(t), command(t, 'del'))],
  });
}

interface Added {
  readonly codes: string;
  readonly shows: (t: Target) => string;
  readonly decision?: string;
  readonly fits?: (t: Target) => boolean;
  readonly command: (t: Target, verb: 'add' | 'del') => string;
}

const node1 = () => 'node1';
const node2 = () => 'node2';
const web = (t: Target) => t.at('web-1');
const client = (t: Target) => t.at('client-0');
const NOBODY = '02:00:00:00:00:99';

export const OBSTACLES: readonly Obstacle[] = [
  rule('client-0', 'nft', 'filter/OUTPUT', '-d WEB -j DROP'),
  rule('client-0', 'nft', 'filter/OUTPUT', '-d WEB -j REJECT'),
  rule('node1', 'the usual', 'filter/FORWARD', '-d WEB -p tcp -j REJECT --reject-with tcp-reset'),
  rule('node1', 'the usual', 'mangle/POSTROUTING', '-d WEB -j DROP'),
  rule('node1', 'the other', 'raw/PREROUTING', '-d WEB -j DROP'),
  rule('node2', 'the usual', 'filter/FORWARD', '-d WEB -j DROP'),
  rule('node2', 'the usual', 'mangle/FORWARD', '-d WEB -p tcp --dport 8080 -j DROP'),
  rule('node2', 'the other', 'filter/FORWARD', '-d WEB -j DROP'),
  rule('node2', 'the usual', 'mangle/PREROUTING', '-d WEB -j DROP'),
  rule('web-1', 'nft', 'filter/INPUT', '-p tcp --dport 8080 -j DROP'),
  rule('web-1', 'nft', 'filter/INPUT', '-s CLIENT -j REJECT'),
  rule('web-1', 'nft', 'filter/OUTPUT', '-d CLIENT -j DROP'),
  rule('node2', 'the usual', 'mangle/FORWARD', '-s WEB -d CLIENT -j DROP'),
  rule('node1', 'the usual', 'filter/FORWARD', '-s WEB -d CLIENT -j DROP'),
  added('blackhole in client-0', client, {
    codes: 'ROUTE_BLACKHOLE',
    shows: (t) => t.cidr('node2'),
    decision: 'route of client-0',
    command: (t, verb) => `ip route ${verb} blackhole ${t.cidr('node2')}`,
  }),
  added('blackhole in node1', node1, {
    codes: 'ROUTE_BLACKHOLE ROUTE_SHADOWED',
    shows: (t) => t.ip('web-1'),
    decision: 'route of node1',
    command: (t, verb) => `ip route ${verb} blackhole ${t.ip('web-1')}/32`,
  }),
  added('rule in node1', node1, {
    codes: 'RULE_PROHIBIT',
    shows: (t) => `to ${t.ip('web-1')}`,
    decision: 'route of node1',
    command: (t, verb) => `ip rule ${verb} pref 77 to ${t.ip('web-1')} prohibit`,
  }),
  added('blackhole for the answer in node2', node2, {
    codes: 'ROUTE_BLACKHOLE ROUTE_SHADOWED',
    shows: (t) => t.ip('client-0'),
    decision: 'route of the answer in node2',
    command: (t, verb) => `ip route ${verb} blackhole ${t.ip('client-0')}/32`,
  }),
  added('rule for the answer in web-1', web, {
    codes: 'RULE_PROHIBIT',
    shows: (t) => `to ${t.ip('client-0')}`,
    command: (t, verb) => `ip rule ${verb} pref 77 to ${t.ip('client-0')} blackhole`,
  }),
  obstacle('no route in node1', {
    decision: 'route of node1',
    causes: (t) => [cause('POD_CIDR_ROUTE_MISSING', 'node1', t.cidr('node2'))],
    steps: (t) => [step('node1', `ip route del ${t.cidr('node2')}`)],
    undo: (t) => [step('node1', `ip route add ${t.cidr('node2')} ${t.via('node2')}`)],
  }),
  obstacle('wrong gateway of the answer in node2', {
    decision: 'route of the answer in node2',
    causes: () => [
      cause(
        'ROUTE_WRONG_GATEWAY GATEWAY_UNREACHABLE NEXTHOP_DEAD NEIGH_FAILED ROUTE_WRONG_DEVICE',
        'node2',
        '10.10.0.99',
      ),
    ],
    steps: (t) => [step('node2', `ip route replace ${t.cidr('node1')} via 10.10.0.99 dev eth0`)],
    undo: (t) => [step('node2', `ip route replace ${t.cidr('node1')} ${t.via('node1')}`)],
  }),
  obstacle('wrong MAC of node2 in node1', {
    causes: (t) => [cause('NEIGH_WRONG_MAC', 'node1', t.address('node2'))],
    steps: (t) => [step('node1', `ip neigh replace ${t.address('node2')} lladdr ${NOBODY} dev eth0 nud permanent`)],
    undo: (t) => [step('node1', `ip neigh del ${t.address('node2')} dev eth0`)],
  }),
  obstacle('wrong MAC of web-1 in node2', {
    causes: (t) => [cause('NEIGH_WRONG_MAC', 'node2', t.ip('web-1'))],
    steps: (t) => [
      step('node2', `ip neigh replace ${t.ip('web-1')} lladdr ${NOBODY} dev ${podDevice(t)} nud permanent`),
    ],
    undo: (t) => [step('node2', `ip neigh del ${t.ip('web-1')} dev ${podDevice(t)}`)],
  }),
  obstacle('no forwarding in node2', {
    causes: () => [cause('IP_FORWARD_OFF IFACE_FORWARDING_OFF', 'node2', 'forward')],
    steps: () => [step('node2', 'sysctl -qw net.ipv4.ip_forward=0')],
    undo: () => [step('node2', 'sysctl -qw net.ipv4.ip_forward=1')],
  }),
  obstacle('native table in node2', {
    causes: () => [cause('NFT_DROP FILTER_DROP', 'node2', 'lab/base')],
    steps: (t) => [
      step(
        'node2',
        `nft add table ip lab && nft 'add chain ip lab base { type filter hook forward priority 5; }' && nft add rule ip lab base ip daddr ${t.ip('web-1')} drop`,
      ),
    ],
    undo: () => [step('node2', 'nft delete table ip lab')],
  }),
  obstacle('traffic control in node2', {
    causes: (t) => [cause('TC_DROP', 'node2', t.veth('web-1'))],
    steps: (t) => [
      step(
        'node2',
        `tc qdisc add dev ${t.veth('web-1')} clsact && tc filter add dev ${t.veth('web-1')} egress bpf da bytecode '${PORT_8080}'`,
      ),
    ],
    undo: (t) => [step('node2', `tc qdisc del dev ${t.veth('web-1')} clsact`)],
  }),
  obstacle('port of web-1 disabled', {
    fits: bridged,
    causes: (t) => [cause('BRIDGE_PORT_BLOCKED', 'node2', t.veth('web-1'))],
    steps: (t) => [step('node2', `bridge link set dev ${t.veth('web-1')} state 0`)],
    undo: (t) => [step('node2', `bridge link set dev ${t.veth('web-1')} state 3`)],
  }),
  obstacle('veth of web-1 down', {
    fits: bridged,
    causes: (t) => [cause('IFACE_DOWN', 'node2', t.veth('web-1'))],
    steps: (t) => [step('node2', `ip link set ${t.veth('web-1')} down`)],
    undo: (t) => [step('node2', `ip link set ${t.veth('web-1')} up`)],
  }),
  obstacle('no entry for the VTEP of node2', {
    fits: overlay,
    causes: (t) => [cause('FDB_MISSING', 'node1', t.vtepMac('node2'))],
    steps: (t) => [step('node1', fdb(t, 'del'))],
    undo: (t) => [step('node1', `${fdb(t, 'add')} permanent`)],
  }),
  obstacle('tunnel blocked in node2', {
    fits: overlay,
    causes: () => [cause('FILTER_DROP TUNNEL_PORT_BLOCKED', 'node2', 'filter/INPUT/1')],
    steps: (t) => [step('node2', `${t.iptables} -I INPUT -p udp --dport ${t.vtep.port} -j DROP`)],
    undo: (t) => [step('node2', `${t.iptables} -D INPUT -p udp --dport ${t.vtep.port} -j DROP`)],
  }),
];

/** IPv4, TCP, destination port 8080: TC_ACT_SHOT; else TC_ACT_OK. */
const PORT_8080 = '8,40 0 0 12,21 0 5 2048,48 0 0 23,21 0 3 6,40 0 0 36,21 0 1 8080,6 0 0 2,6 0 0 0,';

function podDevice(t: Target): string {
  return t.isBridged ? 'cni0' : t.veth('web-1');
}

function fdb(t: Target, verb: string): string {
  return `bridge fdb ${verb} ${t.vtepMac('node2')} dev ${t.vtep.device} dst ${t.address('node2')} self`;
}
