import { DumpError } from './dump-file.js';

/** One table of an iptables-save dump, as written. */
export interface SavedTable {
  readonly name: string;
  readonly chains: ReadonlyMap<string, SavedChain>;
}

export interface SavedChain {
  readonly name: string;
  /** ACCEPT or DROP for built-in chains, undefined for user chains. */
  readonly policy?: string;
  readonly rules: SavedRule[];
}

export interface SavedRule {
  /** Counted from 1, as iptables counts. */
  readonly position: number;
  /** As iptables-save prints it, without counters. */
  readonly text: string;
  readonly words: readonly string[];
}

const [STAR, COLON, DASH, BRACKET] = [42, 58, 45, 91];

/**
 * Parses the output of iptables-save and ip6tables-save, with or without counters. A scan for lines and chains only: the words of a
 * rule are split when somebody asks, which for nine rules of ten of a large node is never.
 */
export function parseIptablesSave(file: string, text: string): SavedTable[] {
  const tables: SavedTable[] = [];
  let chains: Map<string, SavedChain> | undefined;
  let last: SavedChain | undefined;
  for (let start = 0, number = 1; start < text.length; number++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const first = text.charCodeAt(start);
    if (first === STAR) {
      chains = new Map();
      last = undefined;
      tables.push({ name: text.slice(start + 1, end).trim(), chains });
    } else if (end > start && first !== HASH && !text.startsWith('COMMIT', start)) {
      if (chains === undefined) throw new DumpError(`${file}:${number}`, 'a rule before its *table line');
      const line = { text, start, end, at: `${file}:${number}` };
      if (first === COLON) addChain(chains, line);
      else if (first === DASH || first === BRACKET) last = addRule(chains, last, line);
      else throw new DumpError(line.at, `"${text.slice(start, Math.min(end, start + 60))}" is not a rule`);
    }
    start = end + 1;
  }
  return tables;
}

const HASH = 35;

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly at: string;
}

function addChain(chains: Map<string, SavedChain>, { text, start, end, at }: Line): void {
  const [name = '', policy] = text.slice(start + 1, end).split(' ');
  if (name === '' || policy === undefined) throw new DumpError(at, 'a chain line needs a name and a policy');
  chains.set(name, { name, policy: policy === '-' ? undefined : policy, rules: [] });
}

/** Rules of a chain stand together, so the chain of the line before is tried first. */
function addRule(chains: ReadonlyMap<string, SavedChain>, last: SavedChain | undefined, line: Line): SavedChain {
  const { text, end, at } = line;
  const counters = text.charCodeAt(line.start) === BRACKET ? text.indexOf(']', line.start) + 2 : 0;
  const start = counters > line.start && counters < end ? counters : line.start;
  if (!text.startsWith('-A ', start))
    throw new DumpError(at, `"${text.slice(start, Math.min(end, start + 60))}" is not a rule`);
  const nameFrom = start + 3;
  const blank = text.indexOf(' ', nameFrom);
  const nameTo = blank < 0 || blank > end ? end : blank;
  const isLast = last !== undefined && nameTo - nameFrom === last.name.length && text.startsWith(last.name, nameFrom);
  const chain = isLast ? last : chains.get(text.slice(nameFrom, nameTo));
  if (chain === undefined)
    throw new DumpError(at, `chain ${text.slice(nameFrom, nameTo).slice(0, 60)} is not declared`);
  chain.rules.push(new LazyRule(chain.rules.length + 1, text.slice(start, end)));
  return chain;
}

class LazyRule implements SavedRule {
  private split: readonly string[] | undefined;

  constructor(
    readonly position: number,
    readonly text: string,
  ) {}

  get words(): readonly string[] {
    return (this.split ??= splitWords(this.text).slice(2));
  }
}

/** Stands before a word that was quoted: it is an argument, even when it begins with a dash. */
export const QUOTED = '\u0000';

/** Splits as iptables-restore does: blanks divide, double quotes bind, a backslash escapes within quotes. */
export function splitWords(text: string): string[] {
  if (!text.includes('"')) return text.split(' ').filter((word) => word !== '');
  const words: string[] = [];
  let word = '';
  let quoted = false;
  let started = false;
  const push = (): void => {
    if (started || word !== '') words.push(started ? `${QUOTED}${word}` : word);
  };
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (quoted && c === '\\') word += text.charAt(++i);
    else if (c === '"') {
      quoted = !quoted;
      started = true;
    } else if (c === ' ' && !quoted) {
      push();
      word = '';
      started = false;
    } else word += c;
  }
  push();
  return words;
}
