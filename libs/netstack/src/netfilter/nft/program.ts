import type { Tri } from '../../chooser.js';
import type { Json, NativeChain, NativeRule, NativeTable } from '../../parse/nft.js';
import type { RuleEnv } from '../matches/match.js';
import { ABSENT, compileExpression, type Expression } from './expression.js';
import { bitsOf } from './flag-bits.js';
import { numbersFor } from './names.js';
import { printRule } from './print.js';
import { CompiledSet } from './set.js';
import { comparable, compileTest, flagBits, member, scalar, textOf, type Test, type Value } from './value.js';

/** One table, compiled: every statement of every rule is a small closure or a plain order. */
export interface Program {
  readonly family: string;
  readonly name: string;
  readonly chains: ReadonlyMap<string, ProgramChain>;
  /** The lowest handle of a rule: chains with a higher one were added when the table was already in use. */
  readonly firstRule: number;
}

export interface ProgramChain {
  readonly name: string;
  readonly handle: number | undefined;
  readonly base: NativeChain['base'];
  readonly rules: readonly ProgramRule[];
}

export interface ProgramRule {
  readonly handle: number;
  readonly text: string;
  readonly statements: readonly Statement[];
}

export type Statement =
  | { readonly kind: 'match'; readonly test: (env: RuleEnv) => Tri }
  | { readonly kind: 'verdict'; readonly verdict: NftVerdict }
  /** A verdict map: the verdict that the key has, or none. */
  | { readonly kind: 'vmap'; readonly key: Expression; readonly set: CompiledSet }
  | { readonly kind: 'reject'; readonly with: string }
  | { readonly kind: 'dnat' | 'snat' | 'redirect'; readonly addr?: Expression; readonly port?: Expression }
  | { readonly kind: 'masquerade'; readonly randomPort: boolean }
  | { readonly kind: 'mark'; readonly value: Expression; readonly target: 'packet' | 'connection' }
  | { readonly kind: 'notrack' }
  /** `dir`: original, reply, or empty for both. */
  | { readonly kind: 'zone'; readonly value: Expression; readonly dir: string }
  | { readonly kind: 'tos'; readonly value: Expression; readonly mask: number; readonly shift: number }
  | { readonly kind: 'pass' }
  | { readonly kind: 'unknown'; readonly name: string };

export type NftVerdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

/** They count, log or remember; the packet goes on. */
const PASSES = new Set([
  'counter',
  'log',
  'set',
  'quota',
  'comment',
  'ct helper',
  'ct timeout',
  'flow',
  'meter',
  'last',
  'dup',
]);

export function compileProgram(table: NativeTable): Program {
  const byName = new Map([...table.sets].map(([name, set]) => [name, CompiledSet.of(set)]));
  const sets: Sets = { byName, filled: filledByRules(table), remaining: 0 };
  const chains = new Map<string, ProgramChain>();
  for (const [name, chain] of table.chains)
    chains.set(name, {
      name,
      handle: chain.handle,
      base: chain.base,
      rules: compileRules(chain, `${table.name}/${name}`, sets),
    });
  return { family: table.family, name: table.name, chains, firstRule: lowestHandle(chains.values()) };
}

function lowestHandle(chains: Iterable<ProgramChain>): number {
  let lowest = Infinity;
  for (const { rules } of chains) for (const { handle } of rules) lowest = Math.min(lowest, handle);
  return lowest;
}

/** The named sets of a table, and which of them its own rules fill. */
interface Sets {
  readonly byName: ReadonlyMap<string, CompiledSet>;
  readonly filled: ReadonlySet<string>;
  /** How many rules of the chain, from the one being compiled, ask a filled set: each is as likely as a new client. */
  readonly remaining: number;
}

function compileRules(chain: NativeChain, at: string, sets: Sets): ProgramRule[] {
  const asks = chain.rules.map((rule) => rule.statements.some((statement) => asksFilledSet(statement, sets)));
  let remaining = asks.filter(Boolean).length;
  return chain.rules.map((rule, index) => {
    const compiled = compileRule(rule, at, { ...sets, remaining });
    if (asks[index]) remaining -= 1;
    return compiled;
  });
}

function asksFilledSet(statement: Json, sets: Sets): boolean {
  const right = member(member(statement, 'match'), 'right');
  return typeof right === 'string' && right.startsWith('@') && sets.filled.has(right.slice(1));
}

function compileRule(rule: NativeRule, at: string, sets: Sets): ProgramRule {
  const key = `${at}/${rule.handle}`;
  return {
    handle: rule.handle,
    text: printRule(rule),
    statements: rule.statements.map((statement) => compileStatement(statement, key, sets)),
  };
}

function compileStatement(statement: Json, key: string, sets: Sets): Statement {
  if (typeof statement !== 'object' || statement === null || Array.isArray(statement))
    return { kind: 'unknown', name: textOf(statement) };
  const [name = ''] = Object.keys(statement);
  const body = member(statement, name) ?? null;
  const expression = (json: Json | undefined): Expression | undefined =>
    json === undefined ? undefined : mapped(json, key, sets);
  switch (name) {
    case 'match':
      return { kind: 'match', test: compileMatch(body, key, sets) };
    case 'accept':
    case 'drop':
    case 'return':
    case 'continue':
      return { kind: 'verdict', verdict: { kind: name } };
    case 'jump':
    case 'goto':
      return { kind: 'verdict', verdict: { kind: name, chain: textOf(member(body, 'target')) } };
    case 'vmap':
      return {
        kind: 'vmap',
        key: compileExpression(member(body, 'key') ?? null, key),
        set: setOf(member(body, 'data'), sets),
      };
    case 'reject':
      return { kind: 'reject', with: rejectName(body) };
    case 'dnat':
    case 'snat':
    case 'redirect':
      return { kind: name, addr: expression(member(body, 'addr')), port: expression(member(body, 'port')) };
    case 'masquerade':
      return { kind: 'masquerade', randomPort: JSON.stringify(body).includes('random') };
    case 'mangle':
      return mangle(body, key, sets);
    case 'notrack':
      return { kind: 'notrack' };
    default:
      return PASSES.has(name) ? { kind: 'pass' } : { kind: 'unknown', name };
  }
}

function mangle(body: Json, key: string, sets: Sets): Statement {
  const target = member(body, 'key');
  const value = mapped(numbersFor(target, member(body, 'value') ?? null), key, sets);
  const ct = member(target, 'ct');
  const field = textOf(member(member(target, 'payload'), 'field'));
  if (member(member(target, 'meta'), 'key') === 'mark') return { kind: 'mark', value, target: 'packet' };
  if (member(ct, 'key') === 'mark') return { kind: 'mark', value, target: 'connection' };
  if (member(ct, 'key') === 'zone') return { kind: 'zone', value, dir: textOf(member(ct, 'dir')) };
  if (field === 'dscp') return { kind: 'tos', value, mask: 0xfc, shift: 2 };
  if (field === 'ecn') return { kind: 'tos', value, mask: 3, shift: 0 };
  // Other fields (priority, TTL, MSS) decide nothing here.
  return { kind: 'pass' };
}

/** A map look-up in the place of a value: `numgen random mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }`. */
function mapped(json: Json, key: string, sets: Sets): Expression {
  const map = member(json, 'map');
  if (map === undefined) return compileExpression(json, key);
  const question = compileExpression(member(map, 'key') ?? null, key);
  const set = setOf(member(map, 'data'), sets);
  return (env) => {
    const value = question(env);
    if (value === undefined || value === ABSENT) return value;
    const found = set.find(value);
    if (found === 'unknown') return undefined;
    return found === 'absent' ? ABSENT : compileExpression(found.data, key)(env);
  };
}

function setOf(json: Json | undefined, sets: Sets): CompiledSet {
  if (typeof json === 'string' && json.startsWith('@')) return sets.byName.get(json.slice(1)) ?? new CompiledSet([]);
  const list = member(json, 'set');
  return new CompiledSet(Array.isArray(list) ? (list as readonly Json[]) : list === undefined ? [] : [list]);
}

function compileMatch(body: Json, key: string, sets: Sets): (env: RuleEnv) => Tri {
  const op = textOf(member(body, 'op') ?? '==');
  const left = compileExpression(member(body, 'left') ?? null, key);
  const right = numbersFor(member(body, 'left'), member(body, 'right') ?? null);
  const test = rightTest(op, right, sets);
  const negated = op === '!=';
  return (env) => {
    const value = left(env);
    if (value === undefined) return undefined;
    // A packet without the field breaks the rule off, whatever the operator (NFT_BREAK).
    if (value === ABSENT) return false;
    const result = test(value, env);
    return result === undefined || !negated ? result : !result;
  };
}

function rightTest(op: string, right: Json, sets: Sets): (value: Value, env: RuleEnv) => Tri {
  if (typeof right === 'string' && right.startsWith('@')) return namedSetTest(right.slice(1), sets);
  const list = member(right, 'set');
  if (list !== undefined) {
    const set = setOf(right, sets);
    return (value) => found(set, value);
  }
  if (op === '<' || op === '>' || op === '<=' || op === '>=') return (value) => ordered(op, value, scalar(right));
  // `fib saddr . iif oif exists`, and `missing`.
  if (typeof right === 'boolean') return (value) => (value !== 0 && value !== '') === right;
  const test: Test = compileTest(right);
  const bits = flagBits(right);
  if (bits === undefined) return test;
  // `ct state new,established` asks for one of the bits, `==` and `!=` compare all of them.
  return (value) => {
    const number = typeof value === 'number' ? value : Array.isArray(value) ? bitsOf(value) : undefined;
    if (number === undefined) return test(value);
    return op === 'in' ? (number & bits) !== 0 : number === bits;
  };
}

/** Sets that the table's own rules fill: they hold who was seen lately. */
function filledByRules(table: NativeTable): ReadonlySet<string> {
  const names = new Set<string>();
  for (const chain of table.chains.values())
    for (const rule of chain.rules)
      for (const statement of rule.statements) {
        const set = member(member(statement, 'set'), 'set');
        if (typeof set === 'string') names.add(set.slice(1));
      }
  return names;
}

/** A client with a fresh port may be in a set that rules fill, or not: each outcome is a branch. */
function namedSetTest(name: string, sets: Sets): (value: Value, env: RuleEnv) => Tri {
  const set = sets.byName.get(name);
  if (set === undefined) return () => undefined;
  if (!sets.filled.has(name)) return (value) => found(set, value);
  return (_value, env) => env.chooser.pick(`nft set ${env.ns.id} ${name}`, [sets.remaining, 1]) === 1;
}

function found(set: CompiledSet, value: Value): Tri {
  const result = set.find(value);
  return result === 'unknown' ? undefined : result !== 'absent';
}

function ordered(op: string, value: Value, bound: Value | undefined): Tri {
  if (!comparable(value) || !comparable(bound)) return undefined;
  if (op === '<') return value < bound;
  if (op === '>') return value > bound;
  return op === '<=' ? value <= bound : value >= bound;
}

function rejectName(body: Json): string {
  const type = member(body, 'type');
  if (type === 'tcp reset') return 'tcp-reset';
  const expr = textOf(member(body, 'expr') ?? 'port-unreachable');
  if (type === 'icmpv6') return `icmp6-${expr === 'admin-prohibited' ? 'adm-prohibited' : expr}`;
  return type === 'icmpx' ? `icmpx-${expr}` : `icmp-${expr}`;
}

export function readVerdict(json: Json): NftVerdict | undefined {
  if (typeof json === 'string' && isPlain(json)) return { kind: json };
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const [name = ''] = Object.keys(json);
  if (isPlain(name)) return { kind: name };
  if (name === 'jump' || name === 'goto') return { kind: name, chain: textOf(member(member(json, name), 'target')) };
  return undefined;
}

function isPlain(name: string): name is 'accept' | 'drop' | 'return' | 'continue' {
  return name === 'accept' || name === 'drop' || name === 'return' || name === 'continue';
}
