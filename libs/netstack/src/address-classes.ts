import { cidrContains, parseCidr, parseIp, type Cidr, type Ip } from '#libs/model';
import type { NetNamespace } from './namespace.js';
import type { Table } from './netfilter/ruleset.js';
import type { IpSet } from './parse/ipset.js';
import type { Route } from './parse/routes.js';
import type { RoutingState } from './routing/lookup.js';

/** Whether an address is one of those that packets are asked about: rules for exactly one other address never match them. */
export type IsAsked = (ip: Ip) => boolean;

/**
 * Which addresses a namespace cannot tell apart: for two of one class every rule, set, route and table entry that a packet from or
 * to them can meet says the same. Sound by construction: all that is read of an address is either listed here or makes the
 * namespace opaque, and in an opaque namespace each address is a class of its own. Only for IPv4.
 */
export class AddressClasses {
  private readonly classes = new Map<Ip, number>();
  private readonly numbers = new Map<string, number>();
  private readonly prefixes: readonly Cidr[];
  private readonly sets: readonly IpSet[];
  private readonly opaque: boolean;
  private readonly neighbours: ReadonlySet<Ip>;

  constructor(
    private readonly ns: NetNamespace,
    isAsked: IsAsked,
  ) {
    const found = new Literals(isAsked);
    for (const ruleset of ns.iptables(4))
      for (const table of ruleset?.tables.values() ?? []) found.addTable(table, ns.ipsets);
    const native = ns.native !== undefined && ns.native.length > 0;
    if (native) found.addNative(ns.dump.files.get('nft.json') ?? '');
    for (const { from, to } of ns.routing(4)?.rules ?? []) found.addPrefixes(from, to);
    this.prefixes = [...found.prefixes.values()];
    this.sets = [...found.sets];
    this.opaque = found.opaque || ns.filtersFrames || ns.routing(4) === undefined || ns.native === undefined;
    this.neighbours = new Set(ns.neighbours?.map(({ ip }) => ip));
  }

  /** Equal numbers: not to be told apart. */
  of(ip: Ip): number {
    let known = this.classes.get(ip);
    if (known === undefined) {
      const answers = this.find(ip);
      known = this.numbers.get(answers) ?? this.numbers.size;
      this.numbers.set(answers, known);
      this.classes.set(ip, known);
    }
    return known;
  }

  /** All that the namespace says of an address, as text. */
  private find(ip: Ip): string {
    const routing = this.ns.routing(4);
    if (this.opaque || routing === undefined || typeof ip !== 'number') return `=${ip}`;
    if (this.ns.owns(ip) !== undefined || this.neighbours.has(ip)) return `=${ip}`;
    const literals: number[] = [];
    for (const [index, prefix] of this.prefixes.entries()) if (cidrContains(prefix, ip)) literals.push(index);
    const sets = this.sets.map((set) => membership(set, ip));
    return `${literals.join()}|${sets.join()}|${routesTo(routing, ip)}`;
  }
}

/** Addresses that rules name, and the sets that they ask. */
class Literals {
  readonly prefixes = new Map<string, Cidr>();
  readonly sets = new Set<IpSet>();
  opaque = false;

  constructor(private readonly isAsked: IsAsked) {}

  addPrefixes(...prefixes: readonly (Cidr | undefined)[]): void {
    for (const prefix of prefixes)
      if (prefix !== undefined && prefix.length > 0) this.prefixes.set(`${prefix.net}/${prefix.length}`, prefix);
  }

  /** Of the rules that a packet of an asked address can come to; chains that only other addresses lead to are left out. */
  addTable(table: Table, sets: NetNamespace['ipsets']): void {
    const waiting = [...table.chains.values()].filter(({ policy }) => policy !== undefined);
    const seen = new Set(waiting);
    for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop())
      for (const { text, jump } of chain.rules) {
        const plain = text.replace(COMMENT, '');
        // Where nodes are bridged together the other pod's own MAC address is seen, and it is in no class.
        if (plain.includes('--mac-source')) this.opaque = true;
        if (this.isForOthers(plain)) continue;
        this.addRule(plain, sets);
        if (jump === undefined || seen.has(jump)) continue;
        seen.add(jump);
        waiting.push(jump);
      }
  }

  /** `-d 10.96.0.10/32` where nobody asks for that address. */
  private isForOthers(rule: string): boolean {
    for (const [, negated, address] of rule.matchAll(EXACT)) {
      const ip = parseIp(address ?? '');
      if (negated === undefined && ip !== undefined && !this.isAsked(ip)) return true;
    }
    return false;
  }

  private addRule(rule: string, sets: NetNamespace['ipsets']): void {
    for (const [, name = ''] of rule.matchAll(MATCH_SET)) {
      const set = sets?.get(name);
      if (set === undefined) this.opaque = true;
      else if (set.type.includes('mac')) this.opaque = true;
      else this.sets.add(set);
    }
    for (const [literal] of rule.matchAll(LITERAL)) this.addLiteral(literal);
  }

  private addLiteral(literal: string): void {
    const prefix = parseCidr(literal);
    if (prefix === undefined) this.opaque = true;
    else this.addPrefixes(prefix);
  }

  /** nftables in JSON: addresses, prefixes and ranges compared as they are. Arithmetic and hashes on addresses are not looked into. */
  addNative(json: string): void {
    if (ARITHMETIC.test(json)) this.opaque = true;
    for (const [, address = '', length = ''] of json.matchAll(NATIVE_PREFIX)) this.addLiteral(`${address}/${length}`);
    for (const [, address = ''] of json.replace(NATIVE_TARGET, '').matchAll(NATIVE_ADDRESS)) this.addLiteral(address);
  }
}

const COMMENT = /--comment (?:"(?:[^"\\]|\\.)*"|\S+)/g;
const EXACT = /(?:(!) )?-[sd] (\d+\.\d+\.\d+\.\d+)\/32(?= |$)/g;
const MATCH_SET = /--match-set (\S+)/g;
/** With a mask in dots or with a range the text is no prefix: opaque. */
const LITERAL = /\d+\.\d+\.\d+\.\d+(?:[/-][\d.]+)?/g;
const NATIVE_PREFIX = /"addr":\s*"(\d+\.\d+\.\d+\.\d+)",\s*"len":\s*(\d+)/g;
const NATIVE_ADDRESS = /"(\d+\.\d+\.\d+\.\d+)"/g;
/** Where a packet is sent to is no question about it. */
const NATIVE_TARGET = /"[ds]nat":\s*\{[^{}]*\}/g;
const ARITHMETIC =
  /"(?:&|\||\^|<<|>>|jhash|symhash)"\s*:|"range":\s*\[\s*"\d+\.|"op":\s*"(?:[<>]|add|update)|"protocol":\s*"ether"/;

/** Of a set of plain addresses whether it has the address; of pairs, triples and exceptions each member that has it. */
function membership(set: IpSet, ip: Ip): string {
  if (set.mask !== undefined || set.type.startsWith('list:')) return `=${ip}`;
  const isPlain = set.members.every(({ parts, nomatch }) => parts.length === 1 && !nomatch);
  const members: number[] = [];
  for (const [index, { parts }] of set.members.entries()) {
    if (!parts.some((part) => contains(part, ip))) continue;
    if (isPlain) return 'in';
    members.push(index);
  }
  return members.join('+');
}

function contains(part: IpSet['members'][number]['parts'][number], ip: Ip): boolean {
  if (part.kind === 'net') return cidrContains(part.net, ip);
  return part.kind === 'range' && part.from <= ip && ip <= part.to;
}

/** All routes, of whatever table, that contain the address: which of them count depends on what is no address. */
function routesTo({ fibs }: RoutingState, ip: Ip): string {
  const routes: number[] = [];
  for (const fib of fibs.tables.values()) for (const route of fib.matches(ip)) routes.push(numberOf(route));
  return routes.join();
}

const numbers = new WeakMap<Route, number>();
let last = 0;

function numberOf(route: Route): number {
  let known = numbers.get(route);
  if (known === undefined) numbers.set(route, (known = ++last));
  return known;
}
