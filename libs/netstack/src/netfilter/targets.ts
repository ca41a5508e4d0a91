import { parseCidr, parseIp, type Cidr, type Ip } from '#libs/model';
import type { ConnTemplate } from '../skb.js';
import { parseMark, type OptionList } from './matches/match.js';

/** What a rule does when it matches. */
export type Target =
  | { readonly kind: 'none' }
  | { readonly kind: 'accept' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'return' }
  | { readonly kind: 'reject'; readonly with: string }
  | { readonly kind: 'jump'; readonly chain: string; readonly goto: boolean }
  | { readonly kind: 'dnat' | 'snat'; readonly to: NatRange; readonly randomPort: boolean }
  | { readonly kind: 'masquerade'; readonly ports?: PortSpan; readonly randomPort: boolean }
  | { readonly kind: 'redirect'; readonly ports?: PortSpan }
  | { readonly kind: 'netmap'; readonly to: Cidr }
  | { readonly kind: 'mark'; readonly value: number; readonly mask: number }
  | {
      readonly kind: 'connmark';
      readonly action: 'save' | 'restore' | 'set';
      readonly value: number;
      readonly mask: number;
      readonly nfmask: number;
    }
  | { readonly kind: 'notrack' }
  | { readonly kind: 'template'; readonly template: ConnTemplate }
  /** Bits of the type of service that are cleared, and those that are flipped then. */
  | { readonly kind: 'tos'; readonly clear: number; readonly flip: number }
  | { readonly kind: 'ttl'; readonly action: 'set' | 'inc' | 'dec'; readonly value: number }
  | { readonly kind: 'tproxy'; readonly port?: number; readonly ip?: Ip; readonly value: number; readonly mask: number }
  | { readonly kind: 'unknown'; readonly name: string };

interface PortSpan {
  readonly from: number;
  readonly to: number;
}

export interface NatRange {
  readonly from?: Ip;
  readonly to?: Ip;
  /** The first of the ports to choose from. */
  readonly port?: number;
}

/** Targets that decide or change something, for the generated reference. */
const DECIDES = [
  'ACCEPT',
  'CONNMARK',
  'CT',
  'DNAT',
  'DSCP',
  'DROP',
  'MARK',
  'MASQUERADE',
  'NETMAP',
  'NOTRACK',
  'REDIRECT',
  'REJECT',
  'RETURN',
  'SNAT',
  'TOS',
  'TPROXY',
  'TTL',
  'HL',
];

export function knownTargets(): { readonly decide: readonly string[]; readonly pass: readonly string[] } {
  return { decide: DECIDES, pass: [...PASSES].toSorted() };
}

/** They count, log or change what no later rule or route here looks at; the packet goes on. */
const PASSES = new Set([
  'LOG',
  'NFLOG',
  'ULOG',
  'TRACE',
  'AUDIT',
  'CHECKSUM',
  'TCPMSS',
  'CLASSIFY',
  'ECN',
  'SET',
  'LED',
  'IDLETIMER',
  'SECMARK',
  'CONNSECMARK',
]);

export function compileTarget(target: {
  readonly name: string;
  readonly goto: boolean;
  readonly options: OptionList;
}): Target {
  const { name, options } = target;
  const arg = (flag: string): string | undefined => options.find((option) => option.flag === flag)?.args[0];
  const has = (flag: string): boolean => options.some((option) => option.flag === flag);
  switch (name) {
    case '':
      return { kind: 'none' };
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
      return { kind: 'drop' };
    case 'RETURN':
      return { kind: 'return' };
    case 'REJECT':
      return { kind: 'reject', with: arg('--reject-with') ?? 'icmp-port-unreachable' };
    case 'DNAT':
      return { kind: 'dnat', to: natRange(arg('--to-destination')), randomPort: has('--random') };
    case 'SNAT':
      return {
        kind: 'snat',
        to: natRange(arg('--to-source')),
        randomPort: has('--random') || has('--random-fully'),
      };
    case 'MASQUERADE':
      return {
        kind: 'masquerade',
        ports: portSpan(arg('--to-ports')),
        randomPort: has('--random') || has('--random-fully'),
      };
    case 'REDIRECT':
      return { kind: 'redirect', ports: portSpan(arg('--to-ports')) };
    case 'NETMAP': {
      const to = parseCidr(arg('--to') ?? '');
      return to === undefined ? { kind: 'unknown', name } : { kind: 'netmap', to };
    }
    case 'MARK':
      return markTarget(arg) ?? { kind: 'unknown', name };
    case 'CONNMARK':
      return connmarkTarget(arg, has) ?? { kind: 'unknown', name };
    case 'NOTRACK':
      return { kind: 'notrack' };
    case 'CT':
      return has('--notrack') ? { kind: 'notrack' } : (templateTarget(arg) ?? { kind: 'unknown', name });
    case 'DSCP':
      return dscpTarget(arg) ?? { kind: 'unknown', name };
    case 'TOS':
      return tosTarget(arg) ?? { kind: 'unknown', name };
    case 'ECN':
      // Only of TCP, and a client does not ask for ECN.
      return { kind: 'none' };
    case 'TTL':
    case 'HL':
      return ttlTarget(arg, name.toLowerCase());
    case 'TPROXY': {
      const { value, mask } = parseMark(arg('--tproxy-mark') ?? '0/0');
      const port = arg('--on-port');
      return {
        kind: 'tproxy',
        port: port === undefined ? undefined : Number(port),
        ip: parseIp(arg('--on-ip') ?? ''),
        value,
        mask,
      };
    }
    default:
      if (PASSES.has(name)) return { kind: 'none' };
      // In iptables-save every other upper-case target is an extension only when no chain has its name; the traversal knows.
      return { kind: 'jump', chain: name, goto: target.goto };
  }
}

/** `CT --zone 7`, `--zone-orig 7`, `--zone-reply 7`, `--helper ftp`. undefined: a zone that depends on the packet's mark. */
function templateTarget(arg: (flag: string) => string | undefined): Target | undefined {
  const both = arg('--zone');
  const original = Number(arg('--zone-orig') ?? both ?? 0);
  const reply = Number(arg('--zone-reply') ?? both ?? 0);
  if (!Number.isInteger(original) || !Number.isInteger(reply)) return undefined;
  const zone = original === 0 && reply === 0 ? undefined : { original, reply };
  const helper = arg('--helper');
  if (zone === undefined && helper === undefined) return { kind: 'none' };
  return { kind: 'template', template: { zone, helper } };
}

/** xt_DSCP.c: the upper six bits; iptables-save prints a number, whatever class was asked for. */
function dscpTarget(arg: (flag: string) => string | undefined): Target | undefined {
  const value = Number(arg('--set-dscp') ?? Number.NaN);
  return Number.isInteger(value) ? { kind: 'tos', clear: 0xfc, flip: (value << 2) & 0xfc } : undefined;
}

/** tos_tg(): `--set-tos value/mask` clears the mask and flips the value. */
function tosTarget(arg: (flag: string) => string | undefined): Target | undefined {
  const text = arg('--set-tos');
  if (text === undefined) return undefined;
  const [value = Number.NaN, mask = 0xff] = text.split('/').map(Number);
  return Number.isInteger(value) && Number.isInteger(mask) ? { kind: 'tos', clear: mask, flip: value } : undefined;
}

function ttlTarget(arg: (flag: string) => string | undefined, prefix: string): Target {
  for (const action of ['set', 'inc', 'dec'] as const) {
    const value = arg(`--${prefix}-${action}`);
    if (value !== undefined) return { kind: 'ttl', action, value: Number(value) };
  }
  return { kind: 'none' };
}

/**
 * `10.0.0.1-10.0.0.9:80`, `:80`, `[2001:db8::1]:80`, `2001:db8::1-2001:db8::9`: brackets come with a port only. Of several
 * ranges, which old kernels took, the first.
 */
function natRange(text = ''): NatRange {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const isIpv6 = bracketed === null && text.split(':').length > 2;
  const [addresses = '', ports] = bracketed !== null ? bracketed.slice(1) : isIpv6 ? [text] : text.split(':');
  const [from, to] = addresses.split('-').map((part) => parseIp(part.replace(/^\[|\]$/g, '')));
  return { from, to: to ?? from, port: portSpan(ports)?.from };
}

function portSpan(text: string | undefined): PortSpan | undefined {
  if (text === undefined || text === '') return undefined;
  const [from = 0, to] = text.split('-').map((part) => Number(part.split('/')[0]));
  return { from, to: to ?? from };
}

function markTarget(arg: (flag: string) => string | undefined): Target | undefined {
  const xmark = arg('--set-xmark');
  if (xmark !== undefined) return { kind: 'mark', ...parseMark(xmark) };
  const set = arg('--set-mark');
  if (set !== undefined) {
    const { value, mask } = parseMark(set);
    // --set-mark clears the bits of the value too (xt_MARK.c: mark & ~(mask | value) ^ value).
    return { kind: 'mark', value, mask: (mask | value) >>> 0 };
  }
  const or = arg('--or-mark');
  if (or !== undefined) return { kind: 'mark', value: Number(or) >>> 0, mask: Number(or) >>> 0 };
  const and = arg('--and-mark');
  if (and !== undefined) return { kind: 'mark', value: 0, mask: ~Number(and) >>> 0 };
  const xor = arg('--xor-mark');
  return xor === undefined ? undefined : { kind: 'mark', value: Number(xor) >>> 0, mask: 0 };
}

function connmarkTarget(arg: (flag: string) => string | undefined, has: (flag: string) => boolean): Target | undefined {
  const nfmask = Number(arg('--nfmask') ?? arg('--mask') ?? 0xffffffff) >>> 0;
  const ctmask = Number(arg('--ctmask') ?? arg('--mask') ?? 0xffffffff) >>> 0;
  if (has('--save-mark')) return { kind: 'connmark', action: 'save', value: 0, mask: ctmask, nfmask };
  if (has('--restore-mark')) return { kind: 'connmark', action: 'restore', value: 0, mask: ctmask, nfmask };
  const set = arg('--set-xmark') ?? arg('--set-mark');
  if (set === undefined) return undefined;
  return { kind: 'connmark', action: 'set', ...parseMark(set), nfmask };
}
