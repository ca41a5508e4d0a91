import { formatIp, parseIp, type Cidr, type Family } from '#libs/model';
import {
  parseNativeTables,
  printRule,
  type Json,
  type NativeRule,
  type NativeTable,
  type NetNamespace,
} from '#libs/netstack';
import { entryKey } from './iptables.js';
import { protocolNumber } from './iptables-rule.js';
import type { Action, ProxyPacket, ProxyRule, RuleSource, Test } from './rule.js';

/** The table of kube-proxy in nftables mode (pkg/proxy/nftables/proxier.go). */
export class NftablesTable implements RuleSource {
  private readonly read = new Map<string, readonly ProxyRule[]>();
  private readonly maps = new Map<string, ReadonlyMap<string, ProxyRule>>();
  private readonly sets = new Map<string, ReadonlySet<string>>();

  constructor(private readonly table: NativeTable) {}

  has(chain: string): boolean {
    return this.table.chains.has(chain);
  }

  chainNames(): Iterable<string> {
    return this.table.chains.keys();
  }

  all(chain: string): readonly ProxyRule[] | undefined {
    const known = this.read.get(chain);
    if (known !== undefined) return known;
    const found = this.table.chains.get(chain);
    if (found === undefined) return undefined;
    const rules = found.rules.map((rule) => this.readRule(chain, rule));
    this.read.set(chain, rules);
    return rules;
  }

  rules(chain: string, _packet: ProxyPacket): readonly ProxyRule[] | undefined {
    return this.all(chain);
  }

  element(map: string, key: string): ProxyRule | undefined {
    return this.elements(map).get(key);
  }

  /** Elements of a verdict map by entry key. */
  elements(name: string): ReadonlyMap<string, ProxyRule> {
    const known = this.maps.get(name);
    if (known !== undefined) return known;
    const elements = new Map<string, ProxyRule>();
    for (const element of this.table.sets.get(name)?.elements ?? []) {
      if (!Array.isArray(element)) continue;
      const [key, value]: readonly Json[] = element;
      const parts = keyParts(key);
      const text = `${parts.join(' . ')} : ${printRule({ handle: 0, statements: [value ?? null] })}`;
      elements.set(keyText(parts), {
        locator: `${this.table.family} kube-proxy/@${name}`,
        text,
        tests: [],
        actions: [readAction(value ?? null)],
      });
    }
    this.maps.set(name, elements);
    return elements;
  }

  hasSet(name: string): boolean {
    return this.table.sets.has(name);
  }

  /** Members of a named set: `10.96.0.10`, `10.244.0.2 . 10.244.0.2 . tcp . 8080`. */
  members(name: string): ReadonlySet<string> {
    const known = this.sets.get(name);
    if (known !== undefined) return known;
    const members = new Set(
      (this.table.sets.get(name)?.elements ?? []).map((element) => keyParts(element).join(' . ')),
    );
    this.sets.set(name, members);
    return members;
  }

  private readRule(chain: string, rule: NativeRule): ProxyRule {
    const tests: Test[] = [];
    const actions: Action[] = [];
    for (const statement of rule.statements) {
      const match = member(statement, 'match');
      if (match !== undefined) tests.push(...(isOfNewConnection(match) ? [] : [this.readTest(match)]));
      else if (member(statement, 'counter') === undefined) actions.push(readAction(statement));
    }
    return {
      locator: `${this.table.family} kube-proxy/${chain}/${rule.handle}`,
      text: printRule(rule),
      tests,
      actions,
    };
  }

  private readTest(match: Json): Test {
    const left = member(match, 'left');
    const right = member(match, 'right') ?? null;
    const op = member(match, 'op');
    const invert = op === '!=';
    const unknown: Test = { kind: 'unknown', text: printRule({ handle: 0, statements: [{ match }] }) };
    if (op !== '==' && op !== '!=' && op !== 'in') return unknown;
    const field = member(member(left, 'payload'), 'field');
    if (field === 'saddr' || field === 'daddr') {
      if (field === 'saddr' && typeof right === 'string' && right.startsWith('@affinity-'))
        return invert ? unknown : { kind: 'remembered', name: right.slice(1), seconds: this.timeoutOf(right.slice(1)) };
      const nets = this.nets(right);
      return nets === undefined ? unknown : { kind: field === 'saddr' ? 'source' : 'destination', nets, invert };
    }
    if (field === 'dport' && typeof right === 'number') return { kind: 'dport', value: right, invert };
    if (member(member(left, 'meta'), 'key') === 'l4proto' && typeof right === 'string') {
      const value = protocolNumber(right);
      return value === undefined ? unknown : { kind: 'protocol', value, invert };
    }
    if (member(member(left, 'meta'), 'key') === 'iifname' && typeof right === 'string')
      return { kind: 'iif', name: right.replace(/\*$/, '+'), invert };
    if (member(member(left, 'fib'), 'result') === 'type' && right === 'local') {
      const flags = member(member(left, 'fib'), 'flags');
      const isSource = JSON.stringify(flags).includes('saddr');
      return { kind: isSource ? 'source-local' : 'destination-local', invert };
    }
    const masked = member(left, '&');
    if (Array.isArray(masked) && member(member(masked[0], 'meta'), 'key') === 'mark' && right === 0) {
      const mask = Number(masked[1]) >>> 0;
      return { kind: 'mark', value: 0, mask, invert };
    }
    return unknown;
  }

  private nets(right: Json): Cidr[] | undefined {
    if (typeof right === 'string' && right.startsWith('@')) {
      const set = this.table.sets.get(right.slice(1));
      return set === undefined ? undefined : netsOf(set.elements);
    }
    const list = member(right, 'set');
    return netsOf(Array.isArray(list) ? list : [list ?? right]);
  }

  private timeoutOf(set: string): number | undefined {
    return this.table.sets.get(set)?.timeoutSeconds;
  }
}

/** `ct state new` and `ct status dnat`: so for the first packet of a connection to a service. */
function isOfNewConnection(match: Json): boolean {
  const key = member(member(member(match, 'left'), 'ct'), 'key');
  const right = member(match, 'right');
  return (
    member(match, 'op') !== '!=' && ((key === 'state' && right === 'new') || (key === 'status' && right === 'dnat'))
  );
}

function netsOf(items: readonly Json[]): Cidr[] | undefined {
  const nets: Cidr[] = [];
  for (const item of items) {
    const value = member(member(item, 'elem'), 'val') ?? item;
    const text = typeof value === 'string' ? value : member(member(value, 'prefix'), 'addr');
    const ip = typeof text === 'string' ? parseIp(text) : undefined;
    if (ip === undefined) return undefined;
    const length = member(member(value, 'prefix'), 'len');
    nets.push({ net: ip, length: typeof length === 'number' ? length : typeof ip === 'number' ? 32 : 128 });
  }
  return nets;
}

function readAction(statement: Json): Action {
  const unknown: Action = { kind: 'unknown', text: printRule({ handle: 0, statements: [statement] }) };
  const name = typeof statement === 'string' ? statement : Object.keys(objectOf(statement))[0];
  const body = typeof statement === 'string' ? null : (member(statement, name ?? '') ?? null);
  switch (name) {
    case 'jump':
    case 'goto': {
      const target = member(body, 'target');
      return typeof target === 'string' ? { kind: 'call', chain: target, goto: name === 'goto' } : unknown;
    }
    case 'accept':
    case 'drop':
    case 'reject':
    case 'return':
    case 'masquerade':
      return { kind: name };
    case 'mangle':
      return setMark(body) ?? unknown;
    case 'set': {
      const set = member(body, 'set');
      return typeof set === 'string' ? { kind: 'remember', name: set.replace(/^@/, '') } : unknown;
    }
    case 'dnat':
      return readDnat(body) ?? unknown;
    case 'vmap':
      return readVmap(body) ?? unknown;
    default:
      return unknown;
  }
}

/** `meta mark set meta mark | 0x4000`; with `^` the bit is taken away, which only the masquerading chain does. */
function setMark(body: Json): Action | undefined {
  if (member(member(member(body, 'key'), 'meta'), 'key') !== 'mark') return undefined;
  const or = member(member(body, 'value'), '|');
  const xor = member(member(body, 'value'), '^');
  const [, bits] = Array.isArray(or) ? or : Array.isArray(xor) ? xor : [];
  if (typeof bits !== 'number') return undefined;
  const value = bits >>> 0;
  return Array.isArray(or) ? { kind: 'set-mark', value, mask: value } : { kind: 'set-mark', value: 0, mask: value };
}

function readDnat(body: Json): Action | undefined {
  const addr = member(body, 'addr');
  if (typeof addr === 'string') return toDnat(addr, member(body, 'port'));
  const map = member(addr, 'map');
  return map === undefined
    ? undefined
    : readSpread(map, (value) => {
        const parts = member(value, 'concat');
        return Array.isArray(parts) ? toDnat(parts[0], parts[1]) : undefined;
      });
}

function toDnat(addr: Json | undefined, port: Json | undefined): Action | undefined {
  const ip = typeof addr === 'string' ? parseIp(addr) : undefined;
  return ip === undefined || typeof port !== 'number' ? undefined : { kind: 'dnat', ip, port };
}

function readVmap(body: Json): Action | undefined {
  const data = member(body, 'data');
  if (typeof data !== 'string') return readSpread(body, readAction);
  const key = member(body, 'key');
  const list = member(key, 'concat');
  const parts = (Array.isArray(list) ? list : [key ?? null]).map((part: Json) => {
    const field = member(member(part, 'payload'), 'field');
    if (field === 'daddr') return 'ip';
    if (field === 'dport') return 'dport';
    return member(member(part, 'meta'), 'key') === 'l4proto' ? 'protocol' : undefined;
  });
  const known = parts.filter((part) => part !== undefined);
  return known.length < parts.length ? undefined : { kind: 'lookup', map: data.replace(/^@/, ''), key: known };
}

/** `numgen random mod N map { 0 : A, 1 : B }`. */
function readSpread(map: Json, read: (value: Json) => Action | undefined): Action | undefined {
  const numgen = member(member(map, 'key'), 'numgen');
  const mod = member(numgen, 'mod');
  const list = member(member(map, 'data'), 'set');
  if (member(numgen, 'mode') !== 'random' || typeof mod !== 'number' || !Array.isArray(list)) return undefined;
  const offset = member(numgen, 'offset');
  const to = new Map<number, Action>();
  for (const element of list) {
    const [key, value]: readonly Json[] = Array.isArray(element) ? element : [];
    const action = read(value ?? null);
    if (typeof key !== 'number' || action === undefined) return undefined;
    to.set(key - (typeof offset === 'number' ? offset : 0), action);
  }
  return { kind: 'spread', mod, to };
}

function keyParts(key: Json | undefined): string[] {
  const value = member(member(key, 'elem'), 'val') ?? key ?? null;
  const parts = member(value, 'concat');
  return (Array.isArray(parts) ? parts : [value]).map(String);
}

/** The entry key of `10.96.0.10 . tcp . 80` and of `tcp . 30080`. */
function keyText(parts: readonly string[]): string {
  const [first = '', second = '', third] = parts;
  if (third === undefined) return entryKey(undefined, protocolNumber(first) ?? 0, Number(second));
  return entryKey(parseIp(first), protocolNumber(second) ?? 0, Number(third));
}

function member(json: Json | undefined, name: string): Json | undefined {
  return objectOf(json)[name];
}

function objectOf(json: Json | undefined): { readonly [key: string]: Json } {
  return typeof json !== 'object' || json === null || Array.isArray(json)
    ? {}
    : (json as { readonly [key: string]: Json });
}

/** kube-proxy's table of a family; undefined when the namespace has none. */
export function nftablesTable(ns: NetNamespace, family: Family): NftablesTable | undefined {
  const name = family === 4 ? 'ip' : 'ip6';
  // Most nodes have no such table, and nft.json of an iptables node can be large.
  if (ns.native?.some((program) => program.name === 'kube-proxy' && program.family === name) !== true) return undefined;
  const table = parseNativeTables(ns.dump.files.get('nft.json') ?? '').find(
    (one) => one.name === 'kube-proxy' && one.family === name,
  );
  return table === undefined ? undefined : new NftablesTable(table);
}

/** `10.244.0.2 . 10.244.0.2 . tcp . 8080`: how the hairpin set names an endpoint. */
export function hairpinMember(ip: Parameters<typeof formatIp>[0], protocol: string, port: number): string {
  return `${formatIp(ip)} . ${formatIp(ip)} . ${protocol.toLowerCase()} . ${port}`;
}
