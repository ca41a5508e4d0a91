import {
  splitWords,
  type SavedChain,
  type SavedRule,
  type SavedTable,
} from '../libs/netstack/src/parse/iptables-save.js';

/**
 * A prototype that could stand in for parseIptablesSave(): it finds lines and chains only, and splits the words of a rule when they are
 * asked for. Nine rules of ten of a large node are never asked in a walk, and their words were most of what the parser allocates.
 */
export function parseSaveLazily(file: string, text: string): SavedTable[] {
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
    } else if (first === COLON || first === DASH || first === BRACKET) {
      if (chains === undefined) throw new Error(`${file}:${number}: a rule before its *table line`);
      if (first === COLON) addChain(chains, text, start, end);
      else
        last = addRule(
          chains,
          last,
          text,
          first === BRACKET ? text.indexOf(']', start) + 2 : start,
          end,
          `${file}:${number}`,
        );
    }
    start = end + 1;
  }
  return tables;
}

const [STAR, COLON, DASH, BRACKET] = [42, 58, 45, 91];

function addChain(chains: Map<string, SavedChain>, text: string, start: number, end: number): void {
  const blank = text.indexOf(' ', start);
  const name = text.slice(start + 1, blank);
  const afterPolicy = text.indexOf(' ', blank + 1);
  const policy = text.slice(blank + 1, afterPolicy < 0 || afterPolicy > end ? end : afterPolicy);
  chains.set(name, { name, policy: policy === '-' ? undefined : policy, rules: [] });
}

/** Rules of a chain stand together, so the chain of the line before is tried first. */
function addRule(
  chains: ReadonlyMap<string, SavedChain>,
  last: SavedChain | undefined,
  text: string,
  start: number,
  end: number,
  at: string,
): SavedChain {
  const nameFrom = start + 3;
  const blank = text.indexOf(' ', nameFrom);
  const nameTo = blank < 0 || blank > end ? end : blank;
  const isLast = last !== undefined && nameTo - nameFrom === last.name.length && text.startsWith(last.name, nameFrom);
  const chain = isLast ? last : chains.get(text.slice(nameFrom, nameTo));
  if (chain === undefined) throw new Error(`${at}: chain ${text.slice(nameFrom, nameTo)} is not declared`);
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
