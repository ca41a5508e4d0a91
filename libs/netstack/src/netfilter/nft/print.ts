import type { Json, NativeRule } from '../../parse/nft.js';
import { member } from './value.js';

/** A rule in nft's own syntax, near enough to be found in `nft list ruleset`. */
export function printRule(rule: NativeRule): string {
  const parts = rule.statements.map((statement) => printStatement(statement)).filter((text) => text !== '');
  if (rule.comment !== undefined) parts.push(`comment "${rule.comment}"`);
  return parts.join(' ');
}

function printStatement(statement: Json): string {
  if (typeof statement !== 'object' || statement === null || Array.isArray(statement)) return String(statement);
  const [name = ''] = Object.keys(statement);
  const body = member(statement, name) ?? null;
  switch (name) {
    case 'match': {
      const op = String(member(body, 'op'));
      return `${print(member(body, 'left'))} ${op === '==' || op === 'in' ? '' : `${op} `}${print(member(body, 'right'))}`;
    }
    case 'vmap':
      return `${print(member(body, 'key'))} vmap ${print(member(body, 'data'))}`;
    case 'jump':
    case 'goto':
      return `${name} ${String(member(body, 'target'))}`;
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
      return `reject${body === null ? '' : ` with ${String(member(body, 'type') ?? '')} ${String(member(body, 'expr') ?? '')}`}`.trimEnd();
    default:
      return body === null ? name : `${name} ${print(body)}`;
  }
}

function print(json: Json | undefined): string {
  if (json === undefined || json === null) return '';
  if (Array.isArray(json)) return json.map((item: Json) => print(item)).join(',');
  if (typeof json !== 'object') return String(json);
  const [name = ''] = Object.keys(json);
  const body = member(json, name) ?? null;
  switch (name) {
    case 'payload':
      return `${String(member(body, 'protocol') ?? '')} ${String(member(body, 'field') ?? '')}`;
    case 'meta':
      return `meta ${String(member(body, 'key'))}`;
    case 'ct':
      return `ct ${[member(body, 'dir'), member(body, 'key')]
        .filter((part) => part !== undefined)
        .map(String)
        .join(' ')}`;
    case 'fib':
      return `fib ${print(member(body, 'flags'))} ${String(member(body, 'result'))}`;
    case 'prefix':
      return `${String(member(body, 'addr'))}/${String(member(body, 'len'))}`;
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
      return `numgen ${String(member(body, 'mode'))} mod ${String(member(body, 'mod'))}`;
    case 'map':
      return `${print(member(body, 'key'))} map ${print(member(body, 'data'))}`;
    case 'goto':
    case 'jump':
      return `${name} ${String(member(body, 'target'))}`;
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
