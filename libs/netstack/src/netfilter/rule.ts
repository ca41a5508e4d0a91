import { cidrContains, parseCidr, parseIpv4, type Cidr } from '#libs/model';
import type { Tri } from '../chooser.js';
import type { SavedChain, SavedRule } from '../parse/iptables-save.js';
import { TCP, UDP } from '../skb.js';
import { addressKey, CT_STATES, headerOf, portKey, type Header } from './header.js';
import { compileMatch, protocolNumber } from './matches/index.js';
import {
  inverted,
  parseMark,
  parseRange,
  unknownMatch,
  type Match,
  type OptionList,
  type RuleEnv,
} from './matches/match.js';
import type { Chain } from './ruleset.js';
import { splitRule } from './split-rule.js';
import { compileTarget, type Target } from './targets.js';

/**
 * One rule, compiled as the kernel does (struct ipt_ip): what nearly all rules ask for stands in plain integers and is compared
 * first; everything else is one match. `asks` tells which of the fields count. What each packet reads stands first: of a large
 * node's rules most are not in the processor's caches, and fetching them is what a look at them costs.
 */
export interface Rule {
  readonly asks: number;
  readonly dstNet: number;
  readonly dstMask: number;
  readonly protocol: number;
  /** First and last destination port, in the upper and lower half. */
  readonly dports: number;
  readonly srcNet: number;
  readonly srcMask: number;
  readonly match: Match | undefined;
  /** Where `-j CHAIN` and `-g CHAIN` lead. */
  readonly jump: Chain | undefined;
  /** The next one of its chain. */
  readonly next: Rule | undefined;
  readonly target: Target;
  readonly mark: number;
  readonly markMask: number;
  /** Bits of CT_STATES. */
  readonly states: number;
  /** Names; where a `+` stood at the end, what stands before it. */
  readonly iif: string;
  readonly oif: string;
  readonly position: number;
  readonly text: string;
  /** What it asks for exactly, for the index. */
  readonly exact: Exact | undefined;
}

/** Values of which only one will do: addresses as addressKey(), the port with its protocol. */
interface Exact {
  readonly src?: number | bigint;
  readonly dst?: number | bigint;
  readonly port?: number;
  readonly iif?: string;
  readonly oif?: string;
}

/** Bits of `Rule.asks`; the negation of each is the bit above it. */
const SRC = 1;
const DST = 4;
const PROTOCOL = 16;
const DPORT = 64;
const MARK = 256;
const STATE = 1024;
const IIF = 4096;
const IIF_PREFIX = 16384;
const OIF = 65536;
const OIF_PREFIX = 262144;
/** `-f`: second and further fragments only; the walk has none. */
const FRAGMENT = 1048576;
/** The rule has no target, or one that only counts: nothing hangs on whether it matches. */
const IDLE = 4194304;
const NOT = 2;

/** Still without its place in a table. */
export type LinkableRule = { -readonly [K in keyof Rule]: Rule[K] };
type Draft = LinkableRule;

export function compileRule(saved: SavedRule, chain: SavedChain): LinkableRule {
  const parts = splitRule(saved.words);
  const target = compileTarget(parts.target);
  const rule: Draft = {
    asks: target.kind === 'none' ? IDLE : 0,
    dstNet: 0,
    dstMask: 0,
    protocol: 0,
    dports: 0,
    srcNet: 0,
    srcMask: 0,
    match: undefined,
    jump: undefined,
    next: undefined,
    target,
    mark: 0,
    markMask: 0,
    states: 0,
    iif: '',
    oif: '',
    position: saved.position,
    text: saved.text,
    exact: undefined,
  };
  for (const [at, option] of parts.builtin.entries()) {
    // iptables refuses an option that is given twice.
    const isAgain = parts.builtin.some(({ flag }, before) => before < at && flag === option.flag);
    if (isAgain) addMatch(rule, unknownMatch);
    else addSelector(rule, option);
  }
  for (const { name, options } of parts.matches) {
    const rest = fold(rule, name, options);
    if (rest.length === 0 && options.length > 0) continue;
    const compiled = compileMatch(name, rest, { rule: saved, chain });
    if (compiled !== undefined) addMatch(rule, compiled);
  }
  return rule;
}

/** One more condition, asked after all others. */
export function addMatch(rule: LinkableRule, match: Match): void {
  rule.match = rule.match === undefined ? match : both(rule.match, match);
}

function ask(rule: Draft, bit: number, invert: boolean): void {
  rule.asks |= invert ? bit | (bit * NOT) : bit;
}

function addSelector(rule: Draft, { flag, invert, args: [value = ''] }: OptionList[number]): void {
  switch (flag) {
    case '-s':
      addAddress(rule, 'src', value, invert);
      return;
    case '-d':
      addAddress(rule, 'dst', value, invert);
      return;
    case '-i':
      addInterface(rule, 'iif', value, invert);
      return;
    case '-o':
      addInterface(rule, 'oif', value, invert);
      return;
    case '-p': {
      const number = protocolNumber(value);
      if (number === undefined) addMatch(rule, unknownMatch);
      if (number === undefined || number === 0) return;
      rule.protocol = number;
      ask(rule, PROTOCOL, invert);
      return;
    }
    case '-f':
      ask(rule, FRAGMENT, invert);
      return;
    default:
      // Not an option that iptables-save prints today.
      addMatch(rule, unknownMatch);
  }
}

function addAddress(rule: Draft, end: 'src' | 'dst', text: string, invert: boolean): void {
  const bit = end === 'src' ? SRC : DST;
  const cidr = parseCidr(text);
  if (typeof cidr?.net === 'bigint') addMatch(rule, inverted(inCidr(end, cidr), invert));
  else {
    const [net, mask] = cidr === undefined ? sparseMask(text) : [cidr.net, maskOf(cidr.length)];
    if (net === undefined || mask === undefined) addMatch(rule, unknownMatch);
    else if (end === 'src') [rule.srcNet, rule.srcMask] = [net & mask, mask];
    else [rule.dstNet, rule.dstMask] = [net & mask, mask];
    if (net !== undefined && mask !== undefined) ask(rule, bit, invert);
  }
  if (cidr === undefined || invert) return;
  if (typeof cidr.net === 'bigint' ? cidr.length === 128 : cidr.length === 32)
    rule.exact = { ...rule.exact, [end]: addressKey(cidr.net) };
}

function inCidr(end: 'src' | 'dst', cidr: Cidr): Match {
  return ({ skb }) => cidrContains(cidr, skb[end]);
}

function maskOf(length: number): number {
  return length === 0 ? 0 : -1 << (32 - length);
}

/** `10.0.0.1/255.0.0.255`: a mask whose bits do not stand together. */
function sparseMask(text: string): readonly [number | undefined, number | undefined] {
  const [address = '', netmask = ''] = text.split('/');
  const mask = parseIpv4(netmask);
  return [parseIpv4(address), mask === undefined ? undefined : mask | 0];
}

function addInterface(rule: Draft, end: 'iif' | 'oif', name: string, invert: boolean): void {
  const [exact, prefix] = end === 'iif' ? [IIF, IIF_PREFIX] : [OIF, OIF_PREFIX];
  const isPrefix = name.endsWith('+');
  rule[end] = isPrefix ? name.slice(0, -1) : name;
  ask(rule, isPrefix ? prefix : exact, invert);
  if (!isPrefix && !invert) rule.exact = { ...rule.exact, [end]: name };
}

/** Takes the options that fit into the rule's own fields; gives back the others. */
function fold(rule: Draft, name: string, options: OptionList): OptionList {
  if (name === 'tcp' || name === 'udp') return foldPort(rule, name === 'tcp' ? TCP : UDP, options);
  if (name === 'conntrack' || name === 'state') return foldState(rule, options);
  return name === 'mark' ? foldMark(rule, options) : options;
}

/** Of states only: a connection that is translated (SNAT, DNAT) has one of them besides. */
function foldState(rule: Draft, options: OptionList): OptionList {
  const [option] = options;
  const isState = option?.flag === '--ctstate' || option?.flag === '--state';
  if (options.length !== 1 || option === undefined || !isState || (rule.asks & STATE) !== 0) return options;
  let bits = 0;
  for (const state of (option.args[0] ?? '').split(',')) {
    if (!isCtState(state)) return options;
    bits |= CT_STATES[state];
  }
  rule.states = bits;
  ask(rule, STATE, option.invert);
  return [];
}

function isCtState(name: string): name is keyof typeof CT_STATES {
  return Object.hasOwn(CT_STATES, name);
}

/** Of a rule that asks for the protocol anyway; of others the match itself must. */
function foldPort(rule: Draft, protocol: number, options: OptionList): OptionList {
  const isOurs = (rule.asks & (PROTOCOL | (PROTOCOL * NOT))) === PROTOCOL && rule.protocol === protocol;
  const option = options.find(({ flag }) => flag === '--dport');
  if (!isOurs || option === undefined || (rule.asks & DPORT) !== 0) return options;
  const { from, to } = parseRange(option.args[0] ?? '');
  if (!isPort(from) || !isPort(to)) return options;
  rule.dports = (from << 16) | to;
  ask(rule, DPORT, option.invert);
  if (from === to && !option.invert) rule.exact = { ...rule.exact, port: portKey(protocol, from) };
  return options.filter((other) => other !== option);
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 65535;
}

function foldMark(rule: Draft, options: OptionList): OptionList {
  const [option] = options;
  if (options.length !== 1 || option?.flag !== '--mark' || (rule.asks & MARK) !== 0) return options;
  const { value, mask } = parseMark(option.args[0] ?? '');
  [rule.mark, rule.markMask] = [value | 0, mask | 0];
  ask(rule, MARK, option.invert);
  return [];
}

/** Three-valued match of one rule. `header` is that of the packet, for those who ask many rules. */
export function ruleMatches(rule: Rule, env: RuleEnv, header: Header = headerOf(env.skb, env.iif, env.oif)): Tri {
  if (rule.asks !== 0 && !fits(rule, header, env)) return false;
  return rule.match === undefined || rule.match(env);
}

/** Whether anything hangs on the rule. */
export function decides(rule: Rule): boolean {
  return (rule.asks & IDLE) === 0;
}

function fits(rule: Rule, header: Header, env: RuleEnv): boolean {
  const { asks } = rule;
  if (asks & DST && isIn(header.dst, rule.dstNet, rule.dstMask) === ((asks & (DST * NOT)) !== 0)) return false;
  if (asks & PROTOCOL && (header.protocol === rule.protocol) === ((asks & (PROTOCOL * NOT)) !== 0)) return false;
  if (asks & DPORT) {
    const { dport } = header;
    const inRange = dport >= rule.dports >>> 16 && dport <= (rule.dports & 0xffff);
    if (inRange === ((asks & (DPORT * NOT)) !== 0)) return false;
  }
  if (asks & SRC && isIn(header.src, rule.srcNet, rule.srcMask) === ((asks & (SRC * NOT)) !== 0)) return false;
  if (asks & MARK && ((env.skb.mark & rule.markMask) === rule.mark) === ((asks & (MARK * NOT)) !== 0)) return false;
  if (asks & STATE && ((header.state & rule.states) !== 0) === ((asks & (STATE * NOT)) !== 0)) return false;
  return asks < IIF || fitsDevices(rule, header);
}

/** A trailing `+` stands for anything; an interface that is not there (in OUTPUT, say) matches only `+`. */
function fitsDevices(rule: Rule, { iif, oif }: Header): boolean {
  const { asks } = rule;
  if (asks & IIF && (iif === rule.iif) === ((asks & (IIF * NOT)) !== 0)) return false;
  if (asks & IIF_PREFIX && iif.startsWith(rule.iif) === ((asks & (IIF_PREFIX * NOT)) !== 0)) return false;
  if (asks & OIF && (oif === rule.oif) === ((asks & (OIF * NOT)) !== 0)) return false;
  if (asks & OIF_PREFIX && oif.startsWith(rule.oif) === ((asks & (OIF_PREFIX * NOT)) !== 0)) return false;
  return !(asks & FRAGMENT) || (asks & (FRAGMENT * NOT)) !== 0;
}

function isIn(ip: number | bigint, net: number, mask: number): boolean {
  return typeof ip === 'number' && (ip & mask) === net;
}

/** Both matches, with three-valued AND. */
function both(first: Match, second: Match): Match {
  return (env) => {
    const one = first(env);
    if (one === false) return false;
    const other = second(env);
    return other === false ? false : one === undefined ? undefined : other;
  };
}
