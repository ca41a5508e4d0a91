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

/** Parses the output of iptables-save and ip6tables-save, with or without counters. */
export function parseIptablesSave(file: string, text: string): SavedTable[] {
  const tables: SavedTable[] = [];
  let chains: Map<string, SavedChain> | undefined;
  let start = 0;
  for (let number = 1; start < text.length; number++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    if (line === '' || line.startsWith('#') || line === 'COMMIT') continue;
    if (line.startsWith('*')) {
      chains = new Map();
      tables.push({ name: line.slice(1).trim(), chains });
    } else if (chains === undefined) throw new DumpError(`${file}:${number}`, 'a rule before its *table line');
    else if (line.startsWith(':')) addChain(chains, line, `${file}:${number}`);
    else addRule(chains, line, `${file}:${number}`);
  }
  return tables;
}

function addChain(chains: Map<string, SavedChain>, line: string, at: string): void {
  const [name = '', policy] = line.slice(1).split(' ');
  if (name === '' || policy === undefined) throw new DumpError(at, 'a chain line needs a name and a policy');
  chains.set(name, { name, policy: policy === '-' ? undefined : policy, rules: [] });
}

function addRule(chains: Map<string, SavedChain>, line: string, at: string): void {
  const text = line.startsWith('[') ? line.slice(line.indexOf(']') + 2) : line;
  const words = splitWords(text);
  const name = words[1];
  if (words[0] !== '-A' || name === undefined) throw new DumpError(at, `"${text.slice(0, 60)}" is not a rule`);
  const chain = chains.get(name);
  if (chain === undefined) throw new DumpError(at, `chain ${name} is not declared`);
  chain.rules.push({ position: chain.rules.length + 1, text, words: words.slice(2) });
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
