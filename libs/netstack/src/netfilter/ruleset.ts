import { parseCidr, parseIpv4, type Cidr, type Family, type Ip } from '#libs/model';
import { parseIptablesSave, QUOTED, type SavedChain, type SavedRule, type SavedTable } from '../parse/iptables-save.js';
import { UDP, TCP, type Skb } from '../skb.js';
import { compileMatch, protocolNumber } from './matches/index.js';
import { inverted, unknownMatch, type Match, type OptionList } from './matches/match.js';
import { compileTarget, type Target } from './targets.js';

export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** The rules of one namespace and family, of one iptables back end. */
export interface Ruleset {
  readonly backend: 'nft' | 'legacy';
  readonly family: Family;
  readonly tables: ReadonlyMap<string, Table>;
}

export interface Table {
  readonly name: string;
  readonly chains: ReadonlyMap<string, Chain>;
}

export interface Chain {
  readonly name: string;
  readonly policy?: string;
  readonly rules: readonly Rule[];
  /** Present on long chains: rules by what they ask for exactly. */
  readonly index?: ChainIndex;
}

export interface Rule {
  readonly position: number;
  readonly text: string;
  readonly src?: Selector<Cidr>;
  readonly dst?: Selector<Cidr>;
  readonly iif?: Selector<string>;
  readonly oif?: Selector<string>;
  readonly protocol?: Selector<number>;
  /** `-f`: second and further fragments only; the walk has none. */
  readonly fragment?: Selector<true>;
  readonly matches: readonly Match[];
  readonly target: Target;
  /** Exact destination port, for the index. */
  readonly dport?: number;
}

export interface Selector<T> {
  readonly value: T;
  readonly invert: boolean;
}

interface ChainIndex {
  readonly byDst: ReadonlyMap<Ip, readonly number[]>;
  readonly bySrc: ReadonlyMap<Ip, readonly number[]>;
  readonly byPort: ReadonlyMap<number, readonly number[]>;
  readonly byIif: ReadonlyMap<string, readonly number[]>;
  readonly byOif: ReadonlyMap<string, readonly number[]>;
  readonly rest: readonly number[];
}

/** Below this many rules a look through all of them is cheaper than asking the index. */
const INDEX_FROM = 9;

export function compileRuleset(file: string, text: string, backend: 'nft' | 'legacy', family: Family): Ruleset {
  const tables = new Map<string, Table>();
  for (const table of parseIptablesSave(file, text)) tables.set(table.name, compileTable(table));
  return { backend, family, tables };
}

function compileTable(table: SavedTable): Table {
  const chains = new Map<string, Chain>();
  for (const [name, chain] of table.chains) chains.set(name, new LazyChain(chain));
  return { name: table.name, chains };
}

/** Compiled when a packet first comes by: most chains of a large node are never visited. */
class LazyChain implements Chain {
  readonly name: string;
  readonly policy: string | undefined;
  private compiled: readonly Rule[] | undefined;
  private indexed: ChainIndex | undefined;

  constructor(private readonly saved: SavedChain) {
    this.name = saved.name;
    this.policy = saved.policy;
  }

  get rules(): readonly Rule[] {
    return (this.compiled ??= this.saved.rules.map((rule) => compileRule(rule, this.saved)));
  }

  get index(): ChainIndex | undefined {
    if (this.saved.rules.length < INDEX_FROM) return undefined;
    return (this.indexed ??= buildIndex(this.rules));
  }
}

function compileRule(saved: SavedRule, chain: SavedChain): Rule {
  const parts = splitRule(saved.words);
  const rule: { -readonly [K in keyof Rule]: Rule[K] } = {
    position: saved.position,
    text: saved.text,
    matches: [],
    target: compileTarget(parts.target),
  };
  const matches: Match[] = [];
  for (const option of parts.builtin) {
    const rest = assignBuiltin(rule, option);
    if (rest !== undefined) matches.push(rest);
  }
  for (const match of parts.matches) {
    const compiled = compileMatch(match.name, match.options, { rule: saved, chain });
    if (compiled !== undefined) matches.push(compiled);
    if (match.name === 'tcp' || match.name === 'udp') rule.dport = exactPort(match.options) ?? rule.dport;
  }
  rule.matches = matches;
  return rule;
}

/** Puts a selector into the rule; gives a match for what the rule's fields cannot hold. */
function assignBuiltin(rule: { -readonly [K in keyof Rule]: Rule[K] }, option: OptionList[number]): Match | undefined {
  const [value = ''] = option.args;
  const invert = option.invert;
  switch (option.flag) {
    case '-s':
    case '-d': {
      const cidr = parseCidr(value);
      if (cidr === undefined) return inverted(maskedAddress(option.flag === '-s' ? 'src' : 'dst', value), invert);
      rule[option.flag === '-s' ? 'src' : 'dst'] = { value: cidr, invert };
      return undefined;
    }
    case '-i':
      rule.iif = { value, invert };
      return undefined;
    case '-o':
      rule.oif = { value, invert };
      return undefined;
    case '-p': {
      const number = protocolNumber(value);
      if (number === undefined) return unknownMatch;
      if (number !== 0) rule.protocol = { value: number, invert };
      return undefined;
    }
    case '-f':
      rule.fragment = { value: true, invert };
      return undefined;
    default:
      // Not an option that iptables-save prints today.
      return unknownMatch;
  }
}

/** `10.0.0.1/255.0.0.255`: a mask whose bits do not stand together. */
function maskedAddress(end: 'src' | 'dst', text: string): Match {
  const [address = '', netmask = ''] = text.split('/');
  const ip = parseIpv4(address);
  const mask = parseIpv4(netmask);
  if (ip === undefined || mask === undefined) return unknownMatch;
  return ({ skb }) => {
    const value = skb[end];
    return typeof value === 'number' && (value & mask) >>> 0 === (ip & mask) >>> 0;
  };
}

function exactPort(options: OptionList): number | undefined {
  for (const { flag, invert, args } of options)
    if (flag === '--dport' && !invert && args[0] !== undefined && /^\d+$/.test(args[0])) return Number(args[0]);
  return undefined;
}

interface RuleParts {
  readonly builtin: OptionList;
  readonly matches: readonly { readonly name: string; readonly options: OptionList }[];
  readonly target: { readonly name: string; readonly goto: boolean; readonly options: OptionList };
}

/** Words of a rule into built-in selectors, matches with their options, and the target with its options. */
function splitRule(words: readonly string[]): RuleParts {
  const builtin: OptionList[number][] = [];
  const matches: { name: string; options: OptionList[number][] }[] = [];
  const target: { name: string; goto: boolean; options: OptionList[number][] } = { name: '', goto: false, options: [] };
  let owner: OptionList[number][] = builtin;
  let invert = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '!') {
      invert = true;
      continue;
    }
    if (word === '-m') {
      const options: OptionList[number][] = [];
      matches.push({ name: words[++i] ?? '', options });
      owner = options;
    } else if (word === '-j' || word === '-g') {
      target.name = words[++i] ?? '';
      target.goto = word === '-g';
      owner = target.options;
    } else {
      const short = word.startsWith('-') && !word.startsWith('--');
      const args = word === '--comment' ? [words[i + 1] ?? ''] : takeArgs(words, i + 1);
      i += args.length;
      (short ? builtin : owner).push({ flag: word, invert, args: args.map((arg) => arg.replace(QUOTED, '')) });
    }
    invert = false;
  }
  return { builtin, matches, target };
}

function takeArgs(words: readonly string[], from: number): string[] {
  const args: string[] = [];
  for (let i = from; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '!' || (word.startsWith('-') && word.length > 1 && !/^-\d/.test(word))) break;
    args.push(word);
  }
  return args;
}

function buildIndex(rules: readonly Rule[]): ChainIndex {
  const byDst = new Map<Ip, number[]>();
  const bySrc = new Map<Ip, number[]>();
  const byPort = new Map<number, number[]>();
  const byIif = new Map<string, number[]>();
  const byOif = new Map<string, number[]>();
  const rest: number[] = [];
  for (const [at, rule] of rules.entries()) {
    const dst = hostOf(rule.dst);
    const src = hostOf(rule.src);
    if (dst !== undefined) append(byDst, dst, at);
    else if (rule.dport !== undefined && rule.protocol !== undefined && !rule.protocol.invert)
      append(byPort, portKey(rule.protocol.value, rule.dport), at);
    else if (src !== undefined) append(bySrc, src, at);
    else if (isExactName(rule.iif)) append(byIif, rule.iif.value, at);
    else if (isExactName(rule.oif)) append(byOif, rule.oif.value, at);
    else rest.push(at);
  }
  return { byDst, bySrc, byPort, byIif, byOif, rest };
}

function hostOf(selector: Selector<Cidr> | undefined): Ip | undefined {
  if (selector === undefined || selector.invert) return undefined;
  return selector.value.length === (typeof selector.value.net === 'number' ? 32 : 128) ? selector.value.net : undefined;
}

function isExactName(selector: Selector<string> | undefined): selector is Selector<string> {
  return selector !== undefined && !selector.invert && !selector.value.endsWith('+');
}

function portKey(protocol: number, port: number): number {
  return protocol * 65536 + port;
}

function append<K>(map: Map<K, number[]>, key: K, at: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [at]);
  else list.push(at);
}

/** Positions (from 0) of the rules that may match, in order. undefined: all of them, the chain is short. */
export function candidates(chain: Chain, packet: Skb, iif: string, oif: string): readonly number[] | undefined {
  const index = chain.index;
  if (index === undefined) return undefined;
  const hasPorts = packet.protocol === TCP || packet.protocol === UDP;
  let merged = index.rest;
  merged = merge(merged, index.byDst.get(packet.dst));
  if (hasPorts && index.byPort.size > 0)
    merged = merge(merged, index.byPort.get(portKey(packet.protocol, packet.dport)));
  if (index.bySrc.size > 0) merged = merge(merged, index.bySrc.get(packet.src));
  if (index.byIif.size > 0) merged = merge(merged, index.byIif.get(iif));
  if (index.byOif.size > 0) merged = merge(merged, index.byOif.get(oif));
  return merged;
}

/** Two ascending lists into one; without a second one nothing is copied. */
function merge(a: readonly number[], b: readonly number[] | undefined): readonly number[] {
  if (b === undefined || b.length === 0) return a;
  if (a.length === 0) return b;
  const out: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i] ?? Infinity;
    const right = b[j] ?? Infinity;
    if (left < right) {
      out.push(left);
      i += 1;
    } else {
      out.push(right);
      j += 1;
    }
  }
  return out;
}
