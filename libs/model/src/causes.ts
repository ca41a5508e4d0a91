import type { Suspicion } from './suspicion.js';

/**
 * Which findings follow from which others: by fingerprint of the symptom, the finding that it follows from in the end.
 * The symptom goes away by itself when the cause does, so a person need not look at it. Whoever found them says what follows
 * from what (`because`); what is not among the given findings is no cause.
 */
export function linkCauses(suspicions: readonly Suspicion[]): ReadonlyMap<string, Suspicion> {
  const known = new Map(suspicions.map((suspicion) => [suspicion.fingerprint, suspicion]));
  const links = new Map<string, Suspicion>();
  for (const symptom of suspicions) {
    const root = rootOf(symptom, known);
    if (root !== symptom) links.set(symptom.fingerprint, root);
  }
  return links;
}

/** Follows link after link to the finding that follows from nothing; a circle, which nobody should make, ends where it closes. */
function rootOf(symptom: Suspicion, known: ReadonlyMap<string, Suspicion>): Suspicion {
  const seen = new Set<Suspicion>();
  let root = symptom;
  for (let next = causeOf(root, known); next !== undefined && !seen.has(next); next = causeOf(root, known)) {
    seen.add(next);
    root = next;
  }
  return root;
}

function causeOf({ because }: Suspicion, known: ReadonlyMap<string, Suspicion>): Suspicion | undefined {
  return because === undefined ? undefined : known.get(because);
}
