import type { InputProblem } from '#libs/model';

// With the u flag a surrogate matches only when its other half is missing.
const UNSTORABLE = /\u0000|\p{Surrogate}/u;
const EVERY_UNSTORABLE = /\u0000|\p{Surrogate}/gu;

/** Every string (also keys) that PostgreSQL cannot hold: NUL, or half of a surrogate pair. */
export function unstorableText(value: unknown, at = ''): InputProblem[] {
  if (typeof value === 'string') return isStorable(value) ? [] : [problem(at)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]): InputProblem[] => {
    const path = `${at}/${storable(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return isStorable(key) ? unstorableText(member, path) : [problem(path)];
  });
}

export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/** The text with U+FFFD in place of what cannot be stored; for messages that we did not make. */
export function storable(text: string): string {
  return text.replace(EVERY_UNSTORABLE, '\ufffd');
}

function problem(at: string): InputProblem {
  return {
    path: at === '' ? '/' : at,
    code: 'INVALID_TEXT',
    message: 'must not contain NUL or half of a surrogate pair',
  };
}
