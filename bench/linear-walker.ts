import { formatIp, parseIp, type Ip } from '#libs/model';

/**
 * The plain way: every rule of a chain, one after the other, its words compared as iptables-save prints them. It shares no code with
 * netstack but the parsing of an address, so it is baseline and second opinion at once. It knows what kube-proxy writes.
 */
export class LinearWalker {
  private readonly tables = new Map<string, Map<string, LinearChain>>();

  constructor(text: string) {
    let chains = new Map<string, LinearChain>();
    for (const line of text.split('\n'))
      if (line.startsWith('*')) this.tables.set(line.slice(1), (chains = new Map<string, LinearChain>()));
      else if (line.startsWith(':')) {
        const [name = '', policy = '-'] = line.slice(1).split(' ');
        chains.set(name, { name, policy, rules: [] });
      } else if (line.startsWith('-A ')) {
        const words = (line.match(/"(?:\\.|[^"])*"|\S+/g) ?? []).slice(1);
        const [name = '', ...rest] = words;
        chains.get(name)?.rules.push(rest);
      }
  }

  /** Runs one table at one hook; rules that decided or changed something are written to `seen`, as `table/chain/position`. */
  run(table: string, hook: string, packet: LinearPacket, seen: string[]): LinearVerdict {
    const chains = this.tables.get(table);
    const chain = chains?.get(hook);
    if (chains === undefined || chain === undefined) return 'continue';
    const verdict = walkChain({ table, chains, packet, seen }, chain);
    if (verdict !== 'continue') return verdict;
    if (chain.policy !== 'DROP') return 'continue';
    seen.push(`${table}/${hook}`);
    return 'drop';
  }
}

interface LinearChain {
  readonly name: string;
  readonly policy: string;
  readonly rules: string[][];
}

/** Mutable, like the kernel's. */
export interface LinearPacket {
  src: Ip;
  dst: Ip;
  protocol: string;
  sport: number;
  dport: number;
  mark: number;
  state: string;
  iif: string;
  oif: string;
  readonly local: ReadonlySet<string>;
}

export type LinearVerdict = 'accept' | 'drop' | 'continue';

interface Scan {
  readonly table: string;
  readonly chains: ReadonlyMap<string, LinearChain>;
  readonly packet: LinearPacket;
  readonly seen: string[];
}

function walkChain(scan: Scan, chain: LinearChain): LinearVerdict {
  const { packet, seen, table } = scan;
  for (const [index, words] of chain.rules.entries()) {
    const target = matchRule(words, packet);
    if (target === undefined) continue;
    const [verb, name = '', ...options] = words.slice(target);
    const place = `${table}/${chain.name}/${index + 1}`;
    if (name === 'RETURN') return 'continue';
    if (name === 'ACCEPT' || name === 'DROP') {
      seen.push(place);
      return name === 'ACCEPT' ? 'accept' : 'drop';
    }
    if (name === 'MARK') {
      const before = packet.mark;
      const [value = 0, mask = 0xffffffff] = (options[1] ?? '').split('/').map(Number);
      packet.mark = ((packet.mark & ~mask) ^ value) >>> 0;
      if (packet.mark !== before) seen.push(place);
      continue;
    }
    if (name === 'DNAT') {
      seen.push(place);
      const [host = '', port] = (options[1] ?? '').split(':');
      packet.dst = parseIp(host) ?? packet.dst;
      if (port !== undefined) packet.dport = Number(port);
      return 'accept';
    }
    if (name === 'MASQUERADE') {
      seen.push(place);
      return 'accept';
    }
    const next = scan.chains.get(name);
    if (next === undefined) continue;
    const verdict = walkChain(scan, next);
    if (verdict !== 'continue') return verdict;
    if (verb === '-g') return 'continue';
  }
  return 'continue';
}

/** Where the target's words begin, when all that stands before is true. */
function matchRule(words: readonly string[], packet: LinearPacket): number | undefined {
  let invert = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '-j' || word === '-g') return i;
    if (word === '!') {
      invert = true;
      continue;
    }
    const value = words[i + 1] ?? '';
    i++;
    if (word !== '-m' && word !== '--comment' && word !== '--mode') {
      if (test(word ?? '', value, packet) === invert) return undefined;
    }
    invert = false;
  }
  return undefined;
}

function test(option: string, value: string, packet: LinearPacket): boolean {
  switch (option) {
    case '-s':
      return inNet(value, packet.src);
    case '-d':
      return inNet(value, packet.dst);
    case '-i':
      return sameName(value, packet.iif);
    case '-o':
      return sameName(value, packet.oif);
    case '-p':
      return value === packet.protocol;
    case '--dport':
      return inRange(value, packet.dport);
    case '--sport':
      return inRange(value, packet.sport);
    case '--mark': {
      const [wanted = 0, mask = 0xffffffff] = value.split('/').map(Number);
      return (packet.mark & mask) >>> 0 === wanted;
    }
    case '--ctstate':
      return value.split(',').includes(packet.state);
    case '--dst-type':
      return (value === 'LOCAL') === packet.local.has(formatIp(packet.dst));
    case '--probability':
      // Dice always fall on the first side.
      return true;
    default:
      throw new Error(`the linear walker does not know ${option}`);
  }
}

function inNet(text: string, ip: Ip): boolean {
  const [net = '', length = '32'] = text.split('/');
  const base = parseIp(net);
  if (typeof base !== 'number' || typeof ip !== 'number') return false;
  return Math.floor(base / 2 ** (32 - Number(length))) === Math.floor(ip / 2 ** (32 - Number(length)));
}

function inRange(text: string, port: number): boolean {
  const [from = '', to = from] = text.split(':');
  return port >= Number(from === '' ? 0 : from) && port <= Number(to === '' ? 65535 : to);
}

function sameName(pattern: string, name: string): boolean {
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
