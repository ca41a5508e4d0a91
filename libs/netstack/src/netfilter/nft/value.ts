import { cidrContains, parseCidr, parseIp, type Cidr, type Ip } from '#libs/model';
import type { Json } from '../../parse/nft.js';
import { bitsOf } from './flag-bits.js';
import { protocolNumber } from '../matches/index.js';

/** What a key of nftables evaluates to: numbers (ports, marks, IPv4), IPv6, names, lists (flags, states), concatenations. */
export type Value = number | bigint | string | readonly string[] | Concat;

export interface Concat {
  readonly parts: readonly Value[];
}

/** Tests a value against the right-hand side of a match; undefined: cannot be told. */
export type Test = (value: Value) => boolean | undefined;

export function isConcat(value: Value): value is Concat {
  return typeof value === 'object' && 'parts' in value;
}

/** Text of a scalar, the same for equal values however nft printed them. */
export function keyOf(value: Value): string {
  if (isConcat(value)) return value.parts.map(keyOf).join(' . ');
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** Reads a scalar as nft prints it: addresses become numbers, protocol names their numbers. */
export function scalar(json: Json): Value | undefined {
  if (typeof json === 'number') return json;
  if (typeof json === 'boolean') return json ? 1 : 0;
  if (typeof json !== 'string') return undefined;
  return parseIp(json) ?? PROTOCOLS.get(json) ?? json;
}

/** Names that stand for numbers in keys where numbers are compared. */
const PROTOCOLS: ReadonlyMap<string, number> = new Map(
  ['tcp', 'udp', 'icmp', 'sctp', 'ipv6-icmp', 'icmpv6', 'esp', 'ah', 'gre', 'udplite', 'igmp'].map((name) => [
    name,
    protocolNumber(name) ?? 0,
  ]),
);

/** `{elem: {val, ...}}` of sets with timeouts, counters and comments. */
export function unwrapElement(json: Json): Json {
  const elem = member(json, 'elem');
  return elem === undefined ? json : (member(elem, 'val') ?? json);
}

/** A scalar as text; empty for what is none. */
export function textOf(json: Json | undefined): string {
  return typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean' ? String(json) : '';
}

export function member(json: Json | undefined, key: string): Json | undefined {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as { readonly [key: string]: Json })[key]
    : undefined;
}

/** `dnat`, `["new", "established"]` or `{"|": ["fin", "syn"]}` as bits; undefined when it is something else. */
export function flagBits(json: Json): number | undefined {
  const names = flagNames(json);
  return names.includes(undefined) ? undefined : bitsOf(names.map((name) => name ?? ''));
}

/** `a | b | c` is a nest of pairs; undefined stands for what is no name. */
function flagNames(json: Json): (string | undefined)[] {
  if (typeof json === 'string') return [json];
  const list = member(json, '|') ?? json;
  return Array.isArray(list) ? list.flatMap((one: Json) => flagNames(one)) : [undefined];
}

/** A part of a right-hand side: one value, a prefix, a range, a wildcard name, a concatenation of those. */
export function compileTest(json: Json): Test {
  const prefix = member(json, 'prefix');
  if (prefix !== undefined) return prefixTest(prefix);
  const range = member(json, 'range');
  if (Array.isArray(range)) return rangeTest(range[0] ?? null, range[1] ?? null);
  const concat = member(json, 'concat');
  if (Array.isArray(concat)) return concatTest(concat.map((part: Json) => compileTest(part)));
  // An element of a set: it is compared with all flags of the packet.
  const bits = member(json, '|') === undefined ? undefined : flagBits(json);
  if (bits !== undefined) return (value) => (Array.isArray(value) ? bitsOf(value) : value) === bits;
  if (Array.isArray(json)) return listTest(json.map(textOf));
  const wanted = scalar(json);
  if (wanted === undefined) return () => undefined;
  if (typeof wanted === 'string' && wanted.endsWith('*'))
    return (value) => (typeof value === 'string' ? value.startsWith(wanted.slice(0, -1)) : undefined);
  return (value) => (Array.isArray(value) ? value.includes(textOf(json)) : keyOf(value) === keyOf(wanted));
}

function prefixTest(prefix: Json): Test {
  const addr = member(prefix, 'addr');
  const cidr: Cidr | undefined =
    typeof addr === 'string' ? parseCidr(`${addr}/${textOf(member(prefix, 'len'))}`) : undefined;
  return (value) =>
    cidr === undefined || (typeof value !== 'number' && typeof value !== 'bigint')
      ? undefined
      : cidrContains(cidr, value as Ip);
}

function rangeTest(from: Json, to: Json): Test {
  const low = scalar(from);
  const high = scalar(to);
  return (value) => {
    if (!comparable(low) || !comparable(high) || !comparable(value) || typeof low !== typeof value) return undefined;
    return value >= low && value <= high;
  };
}

export function comparable(value: Value | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function concatTest(tests: readonly Test[]): Test {
  return (value) => {
    if (!isConcat(value)) return undefined;
    let result: boolean | undefined = true;
    for (const [index, test] of tests.entries()) {
      const part = value.parts[index];
      const one = part === undefined ? undefined : test(part);
      if (one === false) return false;
      if (one === undefined) result = undefined;
    }
    return result;
  };
}

/** Flags and states: any of the listed ones. */
function listTest(wanted: readonly string[]): Test {
  return (value) => {
    if (Array.isArray(value)) return wanted.some((one) => value.includes(one));
    return wanted.some((one) => keyOf(scalar(one) ?? one) === keyOf(value));
  };
}
