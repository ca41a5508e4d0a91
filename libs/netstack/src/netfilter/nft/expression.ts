import { addressType, lookupRoute } from '../../routing/lookup.js';
import { ICMP, ICMPV6, SCTP, TCP, UDP } from '../../skb.js';
import type { Json } from '../../parse/nft.js';
import type { NetNamespace } from '../../namespace.js';
import type { RuleEnv } from '../matches/match.js';
import { bitsOf, TCP_FLAGS } from './flag-bits.js';
import { DEVICE_TYPES } from './names.js';
import { member, scalar, textOf, type Value } from './value.js';

export const ABSENT: unique symbol = Symbol('absent');

/** What an expression gives for a packet; `ABSENT`: the packet has no such field, so a match is false; undefined: cannot be told. */
export type Evaluated = Value | typeof ABSENT | undefined;
export type Expression = (env: RuleEnv) => Evaluated;

const unknown: Expression = () => undefined;

/** `key` tells dice of different rules apart. */
export function compileExpression(json: Json, key: string): Expression {
  const literal = scalar(json);
  if (literal !== undefined) return () => literal;
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return Array.isArray(json) ? namedBits(json.map(textOf)) : unknown;
  const [name = ''] = Object.keys(json);
  const body = member(json, name) ?? null;
  switch (name) {
    case 'payload':
      return payload(textOf(member(body, 'protocol')), textOf(member(body, 'field')));
    case 'meta':
      return meta(textOf(member(body, 'key')));
    case 'ct':
      return conntrack(textOf(member(body, 'key')), member(body, 'dir'));
    case 'fib':
      return fib(textOf(member(body, 'result')), [member(body, 'flags') ?? []].flat().map(textOf));
    case 'numgen':
    case 'jhash':
    case 'symhash':
      return dice(Number(member(body, 'mod') ?? 1), Number(member(body, 'offset') ?? 0), key);
    case 'concat':
      return concat(
        Array.isArray(body) ? body.map((part: Json, index: number) => compileExpression(part, `${key}.${index}`)) : [],
      );
    case '&':
    case '|':
    case '^':
    case '<<':
    case '>>':
      return bitwise(name, Array.isArray(body) ? body.map((part: Json) => compileExpression(part, key)) : []);
    default:
      return unknown;
  }
}

function concat(parts: readonly Expression[]): Expression {
  return (env) => {
    const values: Value[] = [];
    for (const part of parts) {
      const value = part(env);
      if (value === undefined || value === ABSENT) return value;
      values.push(value);
    }
    return { parts: values };
  };
}

function bitwise(operator: string, operands: readonly Expression[]): Expression {
  return (env) => {
    const values = operands.map((operand) => operand(env));
    if (values.includes(ABSENT)) return ABSENT;
    if (values.every((value) => typeof value === 'bigint')) return bitwise6(operator, values);
    const numbers = values.map((value) =>
      Array.isArray(value) ? bitsOf(value) : typeof value === 'string' ? bitsOf([value]) : value,
    );
    if (!numbers.every((value): value is number => typeof value === 'number')) return undefined;
    const [first = 0, ...rest] = numbers;
    return rest.reduce((result, value) => apply(operator, result, value) >>> 0, first);
  };
}

/** Of IPv6 addresses; nothing shifts them. */
function bitwise6(operator: string, [first = 0n, ...rest]: readonly bigint[]): bigint | undefined {
  if (operator === '&') return rest.reduce((result, value) => result & value, first);
  if (operator === '|') return rest.reduce((result, value) => result | value, first);
  return operator === '^' ? rest.reduce((result, value) => result ^ value, first) : undefined;
}

function apply(operator: string, a: number, b: number): number {
  if (operator === '&') return a & b;
  if (operator === '|') return a | b;
  if (operator === '^') return a ^ b;
  return operator === '<<' ? a << b : a >>> b;
}

function namedBits(names: readonly string[]): Expression {
  const bits = bitsOf(names);
  return bits === undefined ? () => names : () => bits;
}

/** numgen and hashes: each outcome is as likely, and each is a branch. */
function dice(mod: number, offset: number, key: string): Expression {
  return ({ chooser, ns, hook }) => {
    // kube-proxy writes one outcome per endpoint; a number beyond all services cannot be followed.
    if (!Number.isInteger(mod) || mod < 1 || mod > 5000) return undefined;
    return offset + (mod === 1 ? 0 : chooser.pick(`nft ${ns.id} ${hook} ${key}`, Array<number>(mod).fill(1)));
  };
}

const TRANSPORT = new Set([TCP, UDP, SCTP]);

function payload(protocol: string, field: string): Expression {
  return (env) => {
    const { skb } = env;
    switch (protocol) {
      case 'ip':
      case 'ip6':
        if (skb.family !== (protocol === 'ip' ? 4 : 6)) return ABSENT;
        return ipField(env, field);
      case 'th':
      case 'tcp':
      case 'udp':
      case 'sctp':
        return transportField(env, protocol, field);
      case 'icmp':
      case 'icmpv6':
        if (skb.protocol !== (protocol === 'icmp' ? ICMP : ICMPV6) || skb.icmp === undefined) return ABSENT;
        return field === 'type' ? icmpTypeName(protocol, skb.icmp.type) : field === 'code' ? skb.icmp.code : undefined;
      case 'ether':
        return field === 'saddr' ? skb.srcMac : undefined;
      default:
        return undefined;
    }
  };
}

function ipField({ skb }: RuleEnv, field: string): Evaluated {
  switch (field) {
    case 'saddr':
      return skb.src;
    case 'daddr':
      return skb.dst;
    case 'protocol':
    case 'nexthdr':
      return skb.protocol;
    case 'ttl':
    case 'hoplimit':
      return skb.ttl;
    case 'length':
      return skb.length;
    case 'version':
      return skb.family;
    case 'dscp':
      return (skb.tos ?? 0) >> 2;
    case 'ecn':
      return (skb.tos ?? 0) & 3;
    default:
      return undefined;
  }
}

function transportField({ skb }: RuleEnv, protocol: string, field: string): Evaluated {
  const wanted = { tcp: TCP, udp: UDP, sctp: SCTP }[protocol];
  // `th` reads the bytes that are there, whatever the protocol: they are no port that a rule names.
  if (wanted === undefined && !TRANSPORT.has(skb.protocol)) return -1;
  if (wanted !== undefined && skb.protocol !== wanted) return ABSENT;
  if (field === 'sport') return skb.sport;
  if (field === 'dport') return skb.dport;
  if (field === 'flags') return [...TCP_FLAGS].filter(([, bit]) => skb.tcpFlags & bit).map(([name]) => name);
  return undefined;
}

/** nft prints types by name. */
const ICMP_NAMES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  icmp: {
    0: 'echo-reply',
    3: 'destination-unreachable',
    4: 'source-quench',
    5: 'redirect',
    8: 'echo-request',
    11: 'time-exceeded',
    12: 'parameter-problem',
  },
  icmpv6: {
    1: 'destination-unreachable',
    2: 'packet-too-big',
    3: 'time-exceeded',
    128: 'echo-request',
    129: 'echo-reply',
    135: 'nd-neighbor-solicit',
    136: 'nd-neighbor-advert',
  },
};

function icmpTypeName(protocol: string, type: number): Value {
  return ICMP_NAMES[protocol]?.[type] ?? type;
}

function meta(key: string): Expression {
  return ({ ns, skb, iif, oif, hook }) => {
    switch (key) {
      case 'l4proto':
        return skb.protocol;
      case 'mark':
        return skb.mark;
      case 'nfproto':
        return skb.family === 4 ? 'ipv4' : 'ipv6';
      case 'protocol':
        return skb.family === 4 ? 'ip' : 'ip6';
      // Without a device the name is empty and the index 0 (nft_meta_store_ifname()): `!=` matches.
      case 'iif':
      case 'iifname':
        return iif;
      case 'oif':
      case 'oifname':
        return oif;
      case 'iiftype':
        return deviceType(ns, iif);
      case 'oiftype':
        return deviceType(ns, oif);
      case 'length':
        return skb.length;
      case 'pkttype':
        return 'host';
      case 'skuid':
        return hook === 'OUTPUT' ? skb.uid : ABSENT;
      default:
        return undefined;
    }
  };
}

/** ARPHRD_* of if_arp.h; 0 where no device is. */
function deviceType(ns: NetNamespace, dev: string): Evaluated {
  if (dev === '') return 0;
  if (dev === 'lo') return DEVICE_TYPES.loopback;
  const link = ns.link(dev);
  if (link === undefined) return undefined;
  return OTHER_KINDS.get(link.kind ?? '') ?? DEVICE_TYPES.ether;
}

const OTHER_KINDS: ReadonlyMap<string, number> = new Map(
  Object.entries({ ipip: 768, ip6tnl: 769, sit: 776, gre: 778, wireguard: 65534, tun: 65534, xfrm: 65534 }),
);

function conntrack(key: string, dir: Json | undefined): Expression {
  return ({ skb }) => {
    const { ct } = skb;
    if (key === 'state') return [skb.untracked ? 'untracked' : ct === undefined ? 'invalid' : ct.state.toLowerCase()];
    if (ct === undefined) return ABSENT;
    const { conn } = ct;
    const tuple = conn[dir === 'reply' ? 'reply' : 'original'];
    switch (key) {
      case 'mark':
        return conn.mark;
      case 'direction':
        return ct.reply ? 'reply' : 'original';
      case 'zone':
        return dir === 'reply'
          ? conn.zones.reply
          : dir === 'original'
            ? conn.zones.original
            : Math.max(conn.zones.original, conn.zones.reply);
      case 'helper':
        return conn.helper ?? ABSENT;
      case 'status': {
        const status: string[] = conn.confirmed ? ['confirmed'] : [];
        if (conn.seenReply) status.push('seen-reply');
        if (conn.seenReply && conn.tcp === 'ESTABLISHED') status.push('assured');
        if (conn.original.src !== conn.reply.dst || conn.original.sport !== conn.reply.dport) status.push('snat');
        if (conn.original.dst !== conn.reply.src || conn.original.dport !== conn.reply.sport) status.push('dnat');
        return status;
      }
      case 'saddr':
      case 'ip saddr':
      case 'ip6 saddr':
        return tuple.src;
      case 'daddr':
      case 'ip daddr':
      case 'ip6 daddr':
        return tuple.dst;
      case 'proto-src':
        return tuple.sport;
      case 'proto-dst':
        return tuple.dport;
      case 'protocol':
        return tuple.protocol;
      default:
        return undefined;
    }
  };
}

/** nft_fib: a look-up for the source or destination; `type` asks table local, `oif` the route. */
function fib(result: string, flags: readonly string[]): Expression {
  return (env) => {
    const { ns, skb, iif, chooser } = env;
    const routing = ns.routing(skb.family);
    if (routing === undefined) return undefined;
    // nft_fib_is_loopback(): what came by lo is taken to be right.
    if (result !== 'type' && iif === 'lo') return result === 'check' ? 1 : 'lo';
    const source = flags.includes('saddr');
    const ip = source ? skb.src : skb.dst;
    if (result === 'type')
      return addressType(
        routing,
        ip,
        flags.includes('iif') ? env.iif : flags.includes('oif') ? env.oif : undefined,
      ).toLowerCase();
    const found = lookupRoute(
      routing,
      {
        dst: ip,
        src: source ? skb.dst : skb.src,
        iif: 'lo',
        mark: flags.includes('mark') ? skb.mark : 0,
        protocol: skb.protocol,
        sport: 0,
        dport: 0,
        tos: 0,
      },
      chooser,
    );
    const fits =
      found.kind === 'route' && (!flags.includes('iif') || found.route.nextHops.some((hop) => hop.dev === iif));
    if (result === 'check') return fits ? 1 : 0;
    // "missing" is printed as false, an existing route as its interface.
    return fits && found.kind === 'route' ? (found.hop.dev ?? 0) : 0;
  };
}
