import type { z } from 'zod';

type Issue = Parameters<z.core.$ZodErrorMap>[0];

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items', set: ' items' };

/** What is wrong with an input in our words, where its schema has none of its own; give it to `safeParse` as `error`. */
export function inputWords(issue: Issue): string | undefined {
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_union'))
    return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeWord(issue.expected)}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values)}`;
    case 'invalid_union':
      return unionWords(issue.errors);
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}${issue.inclusive === false ? ' and more' : ''}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}${issue.inclusive === false ? ' and less' : ''}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.pattern === undefined ? `is no ${issue.format}` : `must fit the pattern ${issue.pattern}`;
    case 'invalid_key':
    case 'invalid_element':
      return 'has a member that does not fit';
    default:
      // unrecognized_keys has words in zodProblems, custom brings its own.
      return undefined;
  }
}

function typeWord(type: string): string {
  return Object.hasOwn(TYPES, type) ? (TYPES[type] ?? type) : type;
}

function unitOf(origin: string): string {
  return Object.hasOwn(UNITS, origin) ? (UNITS[origin] ?? '') : '';
}

function oneOf(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? `"${value}"` : String(value))).join(' or ');
}

/** Unions of plain types are told by these; what else there is has too many reasons for a sentence. */
function unionWords(errors: readonly (readonly Pick<z.core.$ZodIssue, 'code'>[])[]): string {
  const types = errors.map(([first]) => (first !== undefined && 'expected' in first ? String(first.expected) : ''));
  if (types.length === 0 || types.includes('')) return 'is none of the forms that can be given here';
  return `must be ${[...new Set(types)].map(typeWord).join(' or ')}`;
}
