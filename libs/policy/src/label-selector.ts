import { z } from 'zod';
import { matchOf, MAYBE, NO, YES, both, type Match } from './match.js';

/** metav1.LabelSelector: all of matchLabels and matchExpressions must hold; an empty one selects everything. */
export const LabelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).nullish(),
  matchExpressions: z
    .array(
      z
        .object({
          key: z.string(),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: z.array(z.string()).nullish(),
        })
        .refine(
          ({ operator, values }) => operator === 'Exists' || operator === 'DoesNotExist' || (values?.length ?? 0) > 0,
          'needs values',
        ),
    )
    .nullish(),
});
export type LabelSelector = z.infer<typeof LabelSelector>;

/** One condition on one key; `values` undefined asks only whether the key is there. */
export interface Requirement {
  readonly key: string;
  readonly wanted: boolean;
  readonly values?: readonly string[];
}

/** A selector as the list of its requirements. NotIn and DoesNotExist are In and Exists that must not hold: a missing key passes NotIn. */
export function requirementsOf({ matchLabels, matchExpressions }: LabelSelector): readonly Requirement[] {
  return [
    ...Object.entries(matchLabels ?? {}).map(([key, value]) => ({ key, wanted: true, values: [value] })),
    ...(matchExpressions ?? []).map(({ key, operator, values }) => ({
      key,
      wanted: operator === 'In' || operator === 'Exists',
      values: operator === 'In' || operator === 'NotIn' ? (values ?? []) : undefined,
    })),
  ];
}

/** Labels of an object; `complete` is false when only some are known, so that absence proves nothing. */
export interface KnownLabels {
  readonly labels: ReadonlyMap<string, string>;
  readonly complete: boolean;
}

export function matchLabels(requirements: readonly Requirement[], known: KnownLabels): Match {
  let match: Match = YES;
  for (const requirement of requirements) match = both(match, meets(requirement, known));
  return match;
}

function meets({ key, wanted, values }: Requirement, { labels, complete }: KnownLabels): Match {
  const value = labels.get(key);
  if (value === undefined) return complete ? matchOf(!wanted) : MAYBE;
  const holds = values === undefined || values.includes(value);
  return holds === wanted ? YES : NO;
}
