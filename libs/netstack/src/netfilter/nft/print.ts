import type { Json, NativeRule } from '../../parse/nft.js';
import { member, textOf } from './value.js';

/** A rule in nft's own syntax, near enough to be found in `nft list ruleset`. */
export function printRule(rule: NativeRule): string {
  const parts = rule.statements.map((statement) => printStatement(statement)).filter((text) => text !== '');
  if (rule.comment !== undefined) parts.push(`comment "${rule.comment}"`);
  return parts.join(' ');
}

function printStatement(statement: Json): string {
  if (typeof statement !== 'object' || statement === null || Array.isArray(statement)) return textOf(statement);
  const [name = ''] = Object.keys(statement);
  const body = member(statement, name) ?? null;
  switch (name) {
    case 'match': {
      const op = textOf(member(body, 'op'));
      return `${print(member(body, 'left'))} ${op === '==' || op === 'in' ? '' : `${op} `}${print(member(body, 'right'))}`;
    }
    case 'vmap':
      return `${print(member(body, 'key'))} vmap ${print(member(body, 'data'))}`;
    case 'jump':
    case 'goto':
      return `${name} ${textOf(member(body, 'target'))}`;
    case 'mangle':
      return `${print(member(body, 'key'))} set ${print(member(body, 'value'))}`;
    case 'dnat':
    case 'snat': {
      const port = member(body, 'port');
      return `${name} to ${print(member(body, 'addr'))}${port === undefined ? '' : `:${print(port)}`}`;
    }
    case 'counter':
      return 'counter';
    case 'reject':
      return `reject${body === null ? '' : ` with ${textOf(member(body, 'type') ?? '')} ${textOf(member(body, 'expr') ?? '')}`}`.trimEnd();
    default:
      return body === null ? name : `${name} ${print(body)}`;
  }
}

function print(json: Json | undefined): string {
  if (json === undefined || json === null) return '';
  if (Array.isArray(json)) return json.map((item: Json) => print(item)).join(',');
  if (typeof json !== 'object') return textOf(json);
  const [name = ''] = Object.keys(json);
  const body = member(json, name) ?? null;
  switch (name) {
    case 'payload':
      return `${textOf(member(body, 'protocol') ?? '')} ${textOf(member(body, 'field') ?? '')}`;
    case 'meta':
      return `meta ${textOf(member(body, 'key'))}`;
    case 'ct':
      return `ct ${[member(body, 'dir'), member(body, 'key')]
        .filter((part) => part !== undefined)
        .map(textOf)
        .join(' ')}`;
    case 'fib':
      return `fib ${print(member(body, 'flags'))} ${textOf(member(body, 'result'))}`;
    case 'prefix':
      return `${textOf(member(body, 'addr'))}/${textOf(member(body, 'len'))}`;
    case 'range':
      return Array.isArray(body) ? body.map((item: Json) => print(item)).join('-') : '';
    case 'concat':
      return Array.isArray(body) ? body.map((item: Json) => print(item)).join(' . ') : '';
    case 'set':
      return `{ ${
        Array.isArray(body)
          ? body
              .slice(0, 8)
              .map((item: Json) => printElement(item))
              .join(', ')
          : print(body)
      }${Array.isArray(body) && body.length > 8 ? ', ...' : ''} }`;
    case 'elem':
      return print(member(body, 'val'));
    case 'numgen':
      return `numgen ${textOf(member(body, 'mode'))} mod ${textOf(member(body, 'mod'))}`;
    case 'map':
      return `${print(member(body, 'key'))} map ${print(member(body, 'data'))}`;
    case 'goto':
    case 'jump':
      return `${name} ${textOf(member(body, 'target'))}`;
    case '&':
    case '|':
    case '^':
      return Array.isArray(body) ? body.map((item: Json) => print(item)).join(` ${name} `) : '';
    default:
      return body === null ? name : `${name} ${print(body)}`;
  }
}

function printElement(element: Json): string {
  if (Array.isArray(element) && element.length === 2)
    return `${print(element[0] as Json)} : ${print(element[1] as Json)}`;
  return print(element);
}
