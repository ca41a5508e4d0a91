import type { KnownLabels } from '../label-selector.js';
import { both, either, matchOf, MAYBE, not, YES, NO, type Match } from '../match.js';
import { compareValue } from './label-index.js';
import type { Selector } from './parse-selector.js';

/** Set on everything that lives in a namespace; what `global()` selects has it not. */
export const NAMESPACE_LABEL = 'projectcalico.org/namespace';

/** Whether labels meet a selector (libcalico-go/lib/selector/parser/ast.go). Labels that are not all known leave it open. */
export function matchSelector(selector: Selector, known: KnownLabels): Match {
  switch (selector.kind) {
    case 'all':
      return YES;
    case 'global':
      return matchOf(!known.labels.has(NAMESPACE_LABEL));
    case 'has':
      return known.labels.has(selector.key) ? YES : absent(known, false);
    case 'compare':
      return compare(selector, known);
    case 'set': {
      const value = known.labels.get(selector.key);
      return value === undefined
        ? absent(known, !selector.wanted)
        : matchOf(selector.values.has(value) === selector.wanted);
    }
    case 'not':
      return not(matchSelector(selector.inner, known));
    case 'and':
      return selector.parts.reduce<Match>((match, part) => both(match, matchSelector(part, known)), YES);
    case 'or':
      return selector.parts.reduce<Match>((match, part) => either(match, matchSelector(part, known)), NO);
  }
}

/** Moves a selector on namespace or service account labels to the copies of them that endpoints inherit (`pcns.`, `pcsa.`). */
export function prefixSelector(selector: Selector, prefix: string, holder: string): Selector {
  switch (selector.kind) {
    case 'all':
      return { kind: 'has', key: holder };
    case 'global':
      return { kind: 'not', inner: { kind: 'has', key: holder } };
    case 'has':
    case 'compare':
    case 'set':
      return { ...selector, key: prefix + selector.key };
    case 'not':
      return { kind: 'not', inner: prefixSelector(selector.inner, prefix, holder) };
    case 'and':
    case 'or':
      return { kind: selector.kind, parts: selector.parts.map((part) => prefixSelector(part, prefix, holder)) };
  }
}

function compare({ key, operator, value: wanted }: Extract<Selector, { kind: 'compare' }>, known: KnownLabels): Match {
  const value = known.labels.get(key);
  return value === undefined ? absent(known, operator === '!=') : matchOf(compareValue(operator, value, wanted));
}

function absent({ complete }: KnownLabels, match: boolean): Match {
  return complete ? matchOf(match) : MAYBE;
}
