import { SelectorError, tokenizeSelector, type Token } from './tokenize-selector.js';

export type Selector =
  | { readonly kind: 'all' | 'global' }
  | { readonly kind: 'has'; readonly key: string }
  | {
      readonly kind: 'compare';
      readonly key: string;
      readonly operator: '==' | '!=' | 'contains' | 'starts with' | 'ends with';
      readonly value: string;
    }
  | { readonly kind: 'set'; readonly key: string; readonly wanted: boolean; readonly values: ReadonlySet<string> }
  | { readonly kind: 'not'; readonly inner: Selector }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Selector[] };

/** Deeper nesting is refused instead of overflowing the stack: the text is not trusted. */
const MAX_DEPTH = 100;

/**
 * Parses a selector (libcalico-go/lib/selector/parser): `||` binds loosest, then `&&`, then `!`. An empty text selects everything.
 * Throws SelectorError.
 */
export function parseSelector(text: string): Selector {
  const tokens = tokenizeSelector(text);
  if (tokens[0]?.kind === 'end') return { kind: 'all' };
  return new Parser(tokens).parse();
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  parse(): Selector {
    const selector = this.joined('or');
    if (this.peek().kind !== 'end') throw new SelectorError('unexpected content at the end');
    return selector;
  }

  private joined(kind: 'and' | 'or'): Selector {
    const parts = [this.part(kind)];
    while (this.skip(kind === 'or' ? '||' : '&&')) parts.push(this.part(kind));
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind, parts };
  }

  private part(of: 'and' | 'or'): Selector {
    return of === 'or' ? this.joined('and') : this.operation();
  }

  private operation(): Selector {
    let negated = false;
    while (this.skip('!')) negated = !negated;
    const inner = this.operand();
    return negated ? { kind: 'not', inner } : inner;
  }

  private operand(): Selector {
    const token = this.next();
    switch (token.kind) {
      case 'all':
      case 'global':
        return { kind: token.kind };
      case 'has':
        return { kind: 'has', key: token.value };
      case 'label':
        return this.comparison(token.value);
      case '(':
        return this.nested();
      default:
        throw new SelectorError(`unexpected ${token.kind}`);
    }
  }

  private nested(): Selector {
    if (++this.depth > MAX_DEPTH) throw new SelectorError('nested too deep');
    const inner = this.joined('or');
    this.depth--;
    if (!this.skip(')')) throw new SelectorError('expected )');
    return inner;
  }

  private comparison(key: string): Selector {
    const { kind } = this.next();
    switch (kind) {
      case '==':
      case '!=':
      case 'contains':
      case 'starts with':
      case 'ends with':
        return { kind: 'compare', key, operator: kind, value: this.string() };
      case 'in':
      case 'not in':
        return { kind: 'set', key, wanted: kind === 'in', values: this.set() };
      default:
        throw new SelectorError(`expected an operator after ${key}`);
    }
  }

  private set(): ReadonlySet<string> {
    if (!this.skip('{')) throw new SelectorError('expected a set');
    const values = new Set<string>();
    // A comma may stand behind the last value.
    while (this.peek().kind === 'string') {
      values.add(this.string());
      if (!this.skip(',')) break;
    }
    if (!this.skip('}')) throw new SelectorError('expected }');
    return values;
  }

  private string(): string {
    const token = this.next();
    if (token.kind !== 'string') throw new SelectorError('expected a string');
    return token.value;
  }

  private peek(): Token {
    return this.tokens[this.at] ?? { kind: 'end' };
  }

  private next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  private skip(kind: Token['kind']): boolean {
    if (this.peek().kind !== kind) return false;
    this.at++;
    return true;
  }
}
