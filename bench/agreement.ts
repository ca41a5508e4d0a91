import { formatIp, ipv4, parseIp, type Ip } from '#libs/model';
import { ConntrackTable, hook, NetNamespace, TCP, UDP, type NamespaceRun, type Skb } from '#libs/netstack';
import { Random } from '../test/differential/random.js';
import { sketchDump } from '../test/fixtures/namespace-sketch.js';
import { LinearWalker, type LinearPacket } from './linear-walker.js';

const LOCAL = ['10.0.0.1', '10.1.0.1', '127.0.0.1'];

class Stopped extends Error {}

/** The same rules and packets for both walkers; gives the first packets on which they do not agree, as text. */
function compareWalkers(rules: string, packets: number, random: Random, addresses: readonly string[]): string[] {
  const linear = new LinearWalker(rules);
  const ns = benchNamespace(rules);
  const seen: string[] = [];
  const run = runOf(ns, seen);
  const hosts = addresses.map(ipOf);
  const problems: string[] = [];
  for (let i = 0; i < packets && problems.length < 5; i++) {
    const skb = randomPacket(random, hosts);
    const [iif, oif] = [random.pick(DEVICES), random.pick(DEVICES)];
    const text = `${formatIp(skb.src)}:${skb.sport} > ${formatIp(skb.dst)}:${skb.dport} ${skb.protocol} mark ${skb.mark} ${iif} ${oif}`;
    const expected = walkLinear(linear, skb, iif, oif);
    const got = walkIndexed(run, seen, skb, iif, oif);
    if (expected !== got) problems.push(`${text}\n  linear:  ${expected}\n  indexed: ${got}`);
  }
  return problems;
}

export function benchNamespace(rules: string): NetNamespace {
  return new NetNamespace(
    sketchDump({
      links: [
        { name: 'eth0', addresses: ['10.0.0.1/24'] },
        { name: 'cni0', addresses: ['10.1.0.1/24'] },
      ],
      routes: [
        { dst: 'default', gateway: '10.0.0.254', dev: 'eth0' },
        { dst: '10.244.0.0/16', gateway: '10.0.0.2', dev: 'eth0' },
      ],
      iptables: rules,
    }),
  );
}

export function runOf(ns: NetNamespace, seen: string[]): NamespaceRun {
  return {
    ns,
    conntrack: new ConntrackTable(),
    chooser: { pick: () => 0, guess: () => false },
    recorder: {
      step: ({ evidence, kind }) => {
        if (evidence !== undefined && (kind === 'filter' || kind === 'translate')) seen.push(evidence.locator);
      },
      obstacle: ({ facts }) => {
        const [evidence] = facts.evidence;
        // A rule that drops has told its step already, a policy has none.
        if (evidence !== undefined && seen.at(-1) !== evidence.locator) seen.push(evidence.locator);
        throw new Stopped();
      },
    },
  };
}

const DEVICES = ['eth0', 'cni0', 'veth1', 'lo'] as const;
const PORTS = [22, 53, 80, 81, 443, 8080, 30080] as const;

function randomPacket(random: Random, hosts: readonly Ip[]): Skb {
  const host = (): Ip => (random.chance(0.85) ? random.pick(hosts) : ipv4(random.int(0, 0xffffffff)));
  return {
    family: 4,
    src: host(),
    dst: host(),
    protocol: random.chance(0.7) ? TCP : UDP,
    sport: random.int(1, 65535),
    dport: random.pick(PORTS),
    tcpFlags: 2,
    ttl: 64,
    mark: random.pick([0, 0, 0, 0x4000, 1]),
    length: 60,
  };
}

function walkIndexed(run: NamespaceRun, seen: string[], packet: Skb, iif: string, oif: string): string {
  const skb = { ...packet };
  // Each packet is the first of its connection.
  const alone: NamespaceRun = { ...run, conntrack: new ConntrackTable() };
  seen.length = 0;
  try {
    hook(alone, 'PREROUTING', skb, iif, '');
    hook(alone, 'FORWARD', skb, iif, oif);
    hook(alone, 'POSTROUTING', skb, '', oif);
    return `${seen.join(' ')} ${formatIp(skb.dst)}:${skb.dport} mark ${skb.mark}`;
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    return `${seen.join(' ')} stopped`;
  }
}

function walkLinear(
  walker: LinearWalker,
  { src, dst, protocol, sport, dport, mark }: Skb,
  iif: string,
  oif: string,
): string {
  const packet: LinearPacket = {
    src,
    dst,
    protocol: protocol === TCP ? 'tcp' : 'udp',
    sport,
    dport,
    mark,
    state: 'NEW',
    iif,
    oif: '',
    local: LOCAL_SET,
  };
  const seen: string[] = [];
  walker.run('nat', 'PREROUTING', packet, seen);
  packet.oif = oif;
  if (walker.run('filter', 'FORWARD', packet, seen) === 'drop') return `${seen.join(' ')} stopped`;
  packet.iif = '';
  walker.run('nat', 'POSTROUTING', packet, seen);
  return `${seen.join(' ')} ${formatIp(packet.dst)}:${packet.dport} mark ${packet.mark}`;
}

export const LOCAL_SET: ReadonlySet<string> = new Set(LOCAL);

/** Rules over a few addresses, in chains long enough to be indexed: every kind of exact condition, and what cannot be indexed. */
function randomRules(random: Random, addresses: readonly string[]): string {
  const users = ['U0', 'U1', 'U2'];
  const lines = [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ...users.map((name) => `:${name} - [0:0]`),
  ];
  const chain = (name: string, callees: readonly string[]): void => {
    for (let i = random.int(6, 40); i > 0; i--) lines.push(`-A ${name} ${randomRule(random, addresses, callees)}`);
  };
  chain('FORWARD', users);
  for (const [index, name] of users.entries()) chain(name, users.slice(index + 1));
  lines.push('COMMIT', '');
  return lines.join('\n');
}

function randomRule(random: Random, addresses: readonly string[], callees: readonly string[]): string {
  const words: string[] = [];
  const not = (): string => (random.chance(0.15) ? '! ' : '');
  const net = (): string => `${random.pick(addresses)}/${random.pick([32, 32, 32, 24, 16, 31])}`;
  if (random.chance(0.35)) words.push(`${not()}-s ${net()}`);
  if (random.chance(0.45)) words.push(`${not()}-d ${net()}`);
  if (random.chance(0.2)) words.push(`${not()}-i ${random.pick([...DEVICES, 'veth+', 'e+'])}`);
  if (random.chance(0.15)) words.push(`${not()}-o ${random.pick([...DEVICES, 'veth+'])}`);
  if (random.chance(0.5)) {
    const protocol = random.pick(['tcp', 'udp']);
    words.push(`-p ${protocol}`);
    if (random.chance(0.7))
      words.push(
        `-m ${protocol} ${not()}--dport ${random.pick(['80', '443', '8080', '53', '50:100', ':443', '1024:'])}`,
      );
  }
  if (random.chance(0.15)) words.push(`-m mark ${not()}--mark ${random.pick(['0x4000/0x4000', '0x0', '0x1/0x1'])}`);
  const targets = [
    '-j RETURN',
    '-j ACCEPT',
    '-j DROP',
    '-j MARK --set-xmark 0x4000/0x4000',
    '-j MARK --set-xmark 0x1/0x3',
  ];
  for (const callee of callees) targets.push(`-j ${callee}`, `-j ${callee}`, `-g ${callee}`);
  return [...words, random.pick(targets)].join(' ');
}

function ipOf(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`"${text}" is no address`);
  return ip;
}

/** `total` packets over random rule sets and one of kube-proxy; the first disagreements, none when all agree. */
export function compareAll(total: number, seed: number, kubeProxy: string, addresses: readonly string[]): string[] {
  const random = new Random(seed);
  const perSet = 2000;
  for (let done = 0; done < total * 0.9; done += perSet) {
    const rules = randomRules(random, addresses);
    const problems = compareWalkers(rules, perSet, random, addresses);
    if (problems.length > 0) return [rules, ...problems];
  }
  return compareWalkers(kubeProxy, total * 0.1, random, addresses);
}

export const ADDRESSES = [
  ...Array.from({ length: 20 }, (_, index) => `10.96.0.${index}`),
  ...Array.from({ length: 20 }, (_, index) => `10.244.0.${index}`),
  '10.0.0.1',
  '10.1.0.1',
  '10.0.0.7',
  '8.8.8.8',
];
