import type { StoredDiagnosis } from '#libs/persistence';

/** What interfaces.md promises; `pair` is how we keep it, `source`, `destination` and so on say the same. */
export function showDiagnosis(stored: StoredDiagnosis): Omit<StoredDiagnosis, 'pair'> {
  const { pair: _, ...diagnosis } = stored;
  return diagnosis;
}
