declare const family: unique symbol;

/** An IPv4 address as an unsigned 32-bit number. */
export type Ipv4 = number & { readonly [family]: 4 };
/** An IPv6 address as an unsigned 128-bit bigint. */
export type Ipv6 = bigint & { readonly [family]: 6 };
/** `typeof ip === 'number'` tells the family; both work as Map keys. */
export type Ip = Ipv4 | Ipv6;
export type Family = 4 | 6;

export function ipv4(value: number): Ipv4 {
  return (value >>> 0) as Ipv4;
}

export function ipv6(value: bigint): Ipv6 {
  return BigInt.asUintN(128, value) as Ipv6;
}

export function familyOf(ip: Ip): Family {
  return typeof ip === 'number' ? 4 : 6;
}

/** Parses dotted-quad IPv4 or RFC 4291 IPv6 text; undefined when it is neither. No octal, no zone, no abbreviations. */
export function parseIp(text: string): Ip | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

export function parseIpv4(text: string): Ipv4 | undefined {
  const length = text.length;
  if (length < 7 || length > 15) return undefined;
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c === 46) {
      if (digits === 0 || ++dots > 3) return undefined;
      value = value * 256 + octet;
      octet = 0;
      digits = 0;
      continue;
    }
    if (c < 48 || c > 57 || (digits > 0 && octet === 0)) return undefined;
    octet = octet * 10 + (c - 48);
    if (++digits > 3 || octet > 255) return undefined;
  }
  return dots === 3 && digits > 0 ? ipv4(value * 256 + octet) : undefined;
}

function parseIpv6(text: string): Ipv6 | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  // Dotted decimals may stand at the very end only (RFC 4291 §2.2).
  const head = groups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1] ?? '', true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...tail]) value = (value << 16n) | BigInt(group);
  return ipv6(value);
}

function groups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = last && i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (v4 === undefined) return undefined;
      out.push(v4 >>> 16, v4 & 0xffff);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      out.push(parseInt(part, 16));
    }
  }
  return out;
}

/** Canonical text: dotted quad, or RFC 5952 (lower case, longest zero run compressed). */
export function formatIp(ip: Ip): string {
  if (typeof ip === 'number') return `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;
  const parts: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) parts.push(Number((ip >> shift) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && parts[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    if (end > i) i = end;
  }
  const hex = parts.map((part) => part.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

/** A prefix; `net` has its host bits cleared. */
export interface Cidr {
  readonly net: Ip;
  readonly length: number;
}

/** Parses `10.0.0.0/8`, a bare address (full length), or an address with a dotted netmask as iptables-save may print it. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === undefined) return undefined;
  const bits = typeof ip === 'number' ? 32 : 128;
  if (slash < 0) return { net: ip, length: bits };
  const suffix = text.slice(slash + 1);
  const length = suffix.includes('.') ? maskLength(suffix) : /^\d{1,3}$/.test(suffix) ? Number(suffix) : undefined;
  if (length === undefined || length > bits) return undefined;
  return { net: maskIp(ip, length), length };
}

function maskLength(text: string): number | undefined {
  const mask = parseIpv4(text);
  if (mask === undefined) return undefined;
  const inverted = ~mask >>> 0;
  if ((inverted & (inverted + 1)) !== 0) return undefined;
  return Math.clz32(inverted);
}

export function maskIp(ip: Ip, length: number): Ip {
  if (typeof ip === 'number') return ipv4(length === 0 ? 0 : ip & (-1 << (32 - length)));
  const host = BigInt(128 - length);
  return ipv6((ip >> host) << host);
}

export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  if (typeof cidr.net === 'number') {
    if (typeof ip !== 'number') return false;
    return cidr.length === 0 || (ip ^ cidr.net) >>> (32 - cidr.length) === 0;
  }
  if (typeof ip !== 'bigint') return false;
  return (ip ^ cidr.net) >> BigInt(128 - cidr.length) === 0n;
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.net)}/${cidr.length}`;
}

export function isLoopback(ip: Ip): boolean {
  return typeof ip === 'number' ? ip >>> 24 === 127 : ip === 1n;
}

export function isMulticast(ip: Ip): boolean {
  return typeof ip === 'number' ? ip >>> 28 === 14 : ip >> 120n === 0xffn;
}

/** `10.0.0.1:80` or `[fd00::1]:80`. */
export function formatSocket(ip: Ip | string, port: number): string {
  const text = typeof ip === 'string' ? ip : formatIp(ip);
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}
