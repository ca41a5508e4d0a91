import { portKey, type Header } from './header.js';
import type { Rule } from './rule.js';

/** Rules by what they ask for exactly, so that a packet meets only those that may match. */
export interface ChainIndex {
  readonly keys: readonly KeyedRules[];
  /** Rules with none of the keys. */
  readonly rest: readonly Rule[];
  /** The few of `rest` stand in each list of `keys` as well. */
  readonly isRestCopied: boolean;
}

interface KeyedRules {
  readonly key: KeyName;
  readonly rules: ReadonlyMap<Key, Rules>;
}

/** A list that is long itself is indexed by the keys that are left. */
type Rules = readonly Rule[] | ChainIndex;
type Key = number | bigint | string;
type KeyName = (typeof KEYS)[number];

/** Most telling first: a rule is found by the first of these that it has. */
const KEYS = ['dst', 'port', 'src', 'iif', 'oif'] as const;

/** Below this many rules a look through all of them is cheaper than asking the index. */
const INDEX_FROM = 9;
/** So few rules without key are put into each list, which saves merging them for each packet. */
const COPIED_REST = 4;

const NONE: readonly Rule[] = [];

/** undefined: the rules are few. */
export function indexRules(rules: readonly Rule[]): ChainIndex | undefined {
  return rules.length < INDEX_FROM ? undefined : buildIndex(rules, 0);
}

function buildIndex(rules: readonly Rule[], from: number): ChainIndex {
  const found = new Map<KeyName, Map<Key, Rule[]>>();
  const rest: Rule[] = [];
  for (const rule of rules) {
    const key = KEYS.find((name, at) => at >= from && rule.exact?.[name] !== undefined);
    const value = key === undefined ? undefined : rule.exact?.[key];
    if (key === undefined || value === undefined) {
      rest.push(rule);
      continue;
    }
    let lists = found.get(key);
    if (lists === undefined) found.set(key, (lists = new Map<Key, Rule[]>()));
    const list = lists.get(value);
    if (list === undefined) lists.set(value, [rule]);
    else list.push(rule);
  }
  const isRestCopied = rest.length <= COPIED_REST;
  const copied = isRestCopied ? rest : NONE;
  const keys = [...found].map(([key, lists]) => ({ key, rules: finish(lists, KEYS.indexOf(key) + 1, copied) }));
  return { keys: keys.toSorted((a, b) => KEYS.indexOf(a.key) - KEYS.indexOf(b.key)), rest, isRestCopied };
}

function finish(lists: ReadonlyMap<Key, readonly Rule[]>, next: number, rest: readonly Rule[]): Map<Key, Rules> {
  const finished = new Map<Key, Rules>();
  for (const [key, list] of lists) {
    const whole = merge(list, rest);
    finished.set(key, whole.length >= INDEX_FROM && next < KEYS.length ? buildIndex(whole, next) : whole);
  }
  return finished;
}

/** The rules that may match, in their order. */
export function candidates(index: ChainIndex, header: Header): readonly Rule[] {
  let found: readonly Rule[] | undefined;
  for (let i = 0; i < index.keys.length; i++) {
    const keyed = index.keys[i];
    const rules = keyed?.rules.get(keyOf(keyed.key, header));
    if (rules === undefined) continue;
    const list = isIndex(rules) ? candidates(rules, header) : rules;
    found = found === undefined ? list : merge(found, list);
  }
  if (found === undefined) return index.rest;
  return index.isRestCopied ? found : merge(found, index.rest);
}

function isIndex(rules: Rules): rules is ChainIndex {
  return !Array.isArray(rules);
}

function keyOf(key: KeyName, header: Header): Key {
  switch (key) {
    case 'dst':
      return header.dst;
    case 'src':
      return header.src;
    case 'port':
      return portKey(header.protocol, header.dport);
    case 'iif':
      return header.iif;
    case 'oif':
      return header.oif;
  }
}

/** Two lists in order of position into one; a rule of both comes once. */
function merge(a: readonly Rule[], b: readonly Rule[]): readonly Rule[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const out: Rule[] = [];
  let i = 0;
  let j = 0;
  for (let left = a[0], right = b[0]; left !== undefined || right !== undefined; left = a[i], right = b[j]) {
    const takeLeft = right === undefined || (left !== undefined && left.position <= right.position);
    const next = takeLeft ? left : right;
    if (next !== undefined) out.push(next);
    if (left === next) i += 1;
    if (right === next) j += 1;
  }
  return out;
}
