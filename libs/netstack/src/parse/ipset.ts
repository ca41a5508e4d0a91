import { cidrContains, ipv4, ipv6, maskIp, parseCidr, parseIp, type Cidr, type Ip } from '#libs/model';
import { DumpError } from './dump-file.js';

/** One set of `ipset save`. Members are tuples of the set type's dimensions. */
export interface IpSet {
  readonly name: string;
  readonly type: string;
  readonly dimensions: readonly string[];
  readonly members: readonly IpSetMember[];
  /** Members whose first part is a network, by its length: of a set of any size a look-up asks one hash a length. */
  readonly nets: readonly { readonly length: number; readonly byNet: ReadonlyMap<Ip, readonly IpSetMember[]> }[];
  /** The others (ranges, ports, names), to be looked through. */
  readonly rest: readonly IpSetMember[];
  /** Options `netmask` and `bitmask`: addresses of packets are cut to it first. */
  readonly mask: Ip | undefined;
}

interface IpSetMember {
  readonly parts: readonly IpSetPart[];
  readonly nomatch: boolean;
}

type IpSetPart =
  | { readonly kind: 'net'; readonly net: Cidr }
  | { readonly kind: 'range'; readonly from: Ip; readonly to: Ip }
  | { readonly kind: 'port'; readonly protocol?: string; readonly from: number; readonly to: number }
  | { readonly kind: 'text'; readonly text: string };

export function parseIpsets(text: string): ReadonlyMap<string, IpSet> {
  const types = new Map<string, string>();
  const masks = new Map<string, Ip | undefined>();
  const members = new Map<string, IpSetMember[]>();
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/);
    const [verb, name, third] = words;
    if (verb === '' || verb === undefined || verb.startsWith('#')) continue;
    if (name === undefined || third === undefined)
      throw new DumpError(`ipset-save.txt:${index + 1}`, 'not a line of ipset save');
    if (verb === 'create') {
      types.set(name, third);
      masks.set(name, maskOf(words));
      members.set(name, []);
    } else if (verb === 'add') {
      const type = types.get(name);
      if (type === undefined) throw new DumpError(`ipset-save.txt:${index + 1}`, `set ${name} is not created before`);
      members.get(name)?.push({
        parts: third.split(',').map((part, at) => toPart(part, dimensionsOf(type)[at])),
        nomatch: words.includes('nomatch'),
      });
    }
  }
  return new Map(
    [...types].map(([name, type]) => [
      name,
      compile({ name, type, members: members.get(name) ?? [], mask: masks.get(name) }),
    ]),
  );
}

function dimensionsOf(type: string): string[] {
  return type.slice(type.indexOf(':') + 1).split(',');
}

function toPart(text: string, dimension: string | undefined): IpSetPart {
  if (dimension === 'port') {
    const colon = text.indexOf(':');
    const protocol = colon < 0 ? undefined : text.slice(0, colon);
    const [from = 0, to] = text
      .slice(colon + 1)
      .split('-')
      .map(Number);
    return { kind: 'port', protocol, from, to: to ?? from };
  }
  const net = parseCidr(text);
  if (net !== undefined) return { kind: 'net', net };
  const dash = text.indexOf('-');
  const from = dash < 0 ? undefined : parseIp(text.slice(0, dash));
  const to = dash < 0 ? undefined : parseIp(text.slice(dash + 1));
  return from !== undefined && to !== undefined ? { kind: 'range', from, to } : { kind: 'text', text };
}

/** `netmask 24`, or any `bitmask 255.0.255.0`. */
function maskOf(words: readonly string[]): Ip | undefined {
  const option = (name: string): string | undefined =>
    words.includes(name) ? words[words.indexOf(name) + 1] : undefined;
  const length = option('netmask');
  if (length === undefined) return parseIp(option('bitmask') ?? '');
  return words.includes('inet6') ? maskIp(ipv6(-1n), Number(length)) : maskIp(ipv4(0xffffffff), Number(length));
}

function compile(set: Pick<IpSet, 'name' | 'type' | 'members' | 'mask'>): IpSet {
  const nets = new Map<number, Map<Ip, IpSetMember[]>>();
  const rest: IpSetMember[] = [];
  for (const member of set.members) {
    const [first] = member.parts;
    if (first?.kind !== 'net') {
      rest.push(member);
      continue;
    }
    const { net, length } = first.net;
    let byNet = nets.get(length);
    if (byNet === undefined) nets.set(length, (byNet = new Map<Ip, IpSetMember[]>()));
    const same = byNet.get(net);
    if (same === undefined) byNet.set(net, [member]);
    else same.push(member);
  }
  return {
    ...set,
    dimensions: dimensionsOf(set.type),
    nets: [...nets].map(([length, byNet]) => ({ length, byNet })),
    rest,
  };
}

/** What a packet offers for one dimension of a set. */
export interface SetKeyPart {
  readonly ip: Ip;
  readonly port: number;
  readonly protocol: string;
  readonly iface: string;
  readonly mac: string;
}

/** Whether the set holds the key; the most specific matching member decides, `nomatch` members exclude. undefined: type not modelled. */
export function setContains(
  set: IpSet,
  keys: readonly SetKeyPart[],
  sets: ReadonlyMap<string, IpSet>,
  depth = 0,
): boolean | undefined {
  if (set.type === 'list:set') {
    if (depth > 8) return undefined;
    for (const member of set.members) {
      const [part] = member.parts;
      const inner = part?.kind === 'text' ? sets.get(part.text) : undefined;
      const found = inner === undefined ? undefined : setContains(inner, keys, sets, depth + 1);
      if (found !== false) return found;
    }
    return false;
  }
  const known = set.dimensions.every((dimension) => ['ip', 'net', 'port', 'iface', 'mac'].includes(dimension));
  if (!known) return undefined;
  if (set.type === 'hash:net,iface') return netIfaceContains(set, keys);
  // bitmap_port.c asks TCP and UDP only: the identifier of a ping is no port of it.
  if (set.type === 'bitmap:port' && keys[0]?.protocol !== 'tcp' && keys[0]?.protocol !== 'udp') return false;
  const asked = maskKeys(set, keys);
  const first = asked[0];
  let best: { length: number; nomatch: boolean } | undefined;
  const consider = (member: IpSetMember): void => {
    const length = matchLength(set, member, asked);
    if (length !== undefined && (best === undefined || length > best.length))
      best = { length, nomatch: member.nomatch };
  };
  if (first !== undefined)
    for (const { length, byNet } of set.nets) {
      // Another family than the set's has other lengths.
      if (length > 32 && typeof first.ip === 'number') continue;
      for (const member of byNet.get(maskIp(first.ip, length)) ?? []) consider(member);
    }
  for (const member of set.rest) consider(member);
  return best !== undefined && !best.nomatch;
}

function maskKeys({ mask, dimensions }: IpSet, keys: readonly SetKeyPart[]): readonly SetKeyPart[] {
  const [first, ...others] = keys;
  if (mask === undefined || first === undefined || dimensions[0] !== 'ip') return keys;
  return [{ ...first, ip: andIp(first.ip, mask) }, ...others];
}

function andIp(ip: Ip, mask: Ip): Ip {
  if (typeof ip === 'number') return typeof mask === 'number' ? ipv4(ip & mask) : ip;
  return typeof mask === 'bigint' ? ipv6(ip & mask) : ip;
}

/** ip_set_hash_netiface.c: the longest prefix that holds the address decides, whatever interfaces it is listed with. */
function netIfaceContains(set: IpSet, [address, iface]: readonly SetKeyPart[]): boolean {
  if (address === undefined || iface === undefined) return false;
  let longest = -1;
  let found = false;
  for (const { parts, nomatch } of set.members) {
    const [net, name] = parts;
    if (net?.kind !== 'net' || !cidrContains(net.net, address.ip) || net.net.length < longest) continue;
    if (net.net.length > longest) found = false;
    longest = net.net.length;
    if (name?.kind === 'text' && name.text === iface.iface) found = !nomatch;
  }
  return found;
}

/** Sum of prefix lengths when every part matches. */
function matchLength(set: IpSet, member: IpSetMember, keys: readonly SetKeyPart[]): number | undefined {
  let length = 0;
  for (const [index, part] of member.parts.entries()) {
    const key = keys[index];
    if (key === undefined) return undefined;
    switch (part.kind) {
      case 'net':
        if (!cidrContains(part.net, key.ip)) return undefined;
        length += part.net.length;
        break;
      case 'range':
        if (typeof key.ip !== typeof part.from || key.ip < part.from || key.ip > part.to) return undefined;
        length += 32;
        break;
      case 'port':
        if (part.protocol !== undefined && part.protocol !== key.protocol) return undefined;
        if (key.port < part.from || key.port > part.to) return undefined;
        break;
      case 'text':
        if (part.text.toLowerCase() !== (set.dimensions[index] === 'mac' ? key.mac.toLowerCase() : key.iface))
          return undefined;
        break;
    }
  }
  return length;
}
