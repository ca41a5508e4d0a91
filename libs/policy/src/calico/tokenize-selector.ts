/** Tokens of Calico's selector language. */
export type Token =
  | { readonly kind: 'label' | 'string' | 'has'; readonly value: string }
  | {
      readonly kind:
        | '{'
        | '}'
        | ','
        | '('
        | ')'
        | '=='
        | '!='
        | '!'
        | '&&'
        | '||'
        | 'in'
        | 'not in'
        | 'contains'
        | 'starts with'
        | 'ends with'
        | 'all'
        | 'global'
        | 'end';
    };

/** A selector that cannot be read; the message says why. */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SelectorError';
  }
}

const PUNCTUATION = /^(==|!=|&&|\|\||[{}(),!])/;
const STRING = /^(?:"([^"]*)"|'([^']*)')/;
const CALL = /^(all|global)\([ \t]*\)/;
const HAS = /^has\([ \t]*([a-zA-Z0-9_./-]+)[ \t]*\)/;
const WORD = /^[a-zA-Z0-9_./-]+/;
/** Right after a label only an operator may stand; it needs no space behind it (`a in{"b"}`, `a contains"b"`). */
const OPERATOR = /^(?:(contains|in)|(starts|ends)[ \t]*with|not[ \t]*(in))/;

/** libcalico-go/lib/selector/tokenizer: spaces and tabs part tokens, strings know no escapes. */
export function tokenizeSelector(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let rest = text.replace(/^[ \t]+/, '');
  while (rest !== '') {
    const [token, length] = nextToken(rest, tokens.at(-1)?.kind === 'label');
    tokens.push(token);
    rest = rest.slice(length).replace(/^[ \t]+/, '');
  }
  tokens.push({ kind: 'end' });
  return tokens;
}

function nextToken(rest: string, afterLabel: boolean): readonly [Token, number] {
  const punctuation = PUNCTUATION.exec(rest)?.[1];
  if (punctuation !== undefined) return [{ kind: punctuationKind(punctuation) }, punctuation.length];
  const string = STRING.exec(rest);
  if (string !== null) return [{ kind: 'string', value: string[1] ?? string[2] ?? '' }, string[0].length];
  if (rest.startsWith('"') || rest.startsWith("'")) throw new SelectorError('unterminated string');
  if (afterLabel) {
    const operator = OPERATOR.exec(rest);
    if (operator === null) throw new SelectorError(`expected an operator at "${shown(rest)}"`);
    return [{ kind: operatorKind(operator) }, operator[0].length];
  }
  const call = CALL.exec(rest);
  if (call !== null) return [{ kind: call[1] === 'all' ? 'all' : 'global' }, call[0].length];
  const has = HAS.exec(rest);
  if (has?.[1] !== undefined) return [{ kind: 'has', value: has[1] }, has[0].length];
  if (/^(has|all|global)\(/.test(rest)) throw new SelectorError(`no closing parenthesis at "${shown(rest)}"`);
  const word = WORD.exec(rest)?.[0];
  if (word === undefined || word.length > 512) throw new SelectorError(`unexpected characters at "${shown(rest)}"`);
  return [{ kind: 'label', value: word }, word.length];
}

function punctuationKind(text: string) {
  switch (text) {
    case '==':
    case '!=':
    case '&&':
    case '||':
    case '{':
    case '}':
    case '(':
    case ')':
    case ',':
    case '!':
      return text;
    default:
      throw new SelectorError(`unexpected "${text}"`);
  }
}

function operatorKind([, word, edge]: RegExpExecArray) {
  if (word === 'contains' || word === 'in') return word;
  if (edge === 'starts') return 'starts with';
  return edge === 'ends' ? 'ends with' : 'not in';
}

function shown(text: string): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}
