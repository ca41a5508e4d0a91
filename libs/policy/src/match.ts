/** What a test says of a packet: it matches, it does not, or what is known does not decide it. */
export type Match = typeof NO | typeof YES | typeof MAYBE;
export const NO = 0;
export const YES = 1;
export const MAYBE = 2;

export function matchOf(value: boolean): Match {
  return value ? YES : NO;
}

/** All must match: one NO settles it, whatever the others cannot say. */
export function both(a: Match, b: Match): Match {
  if (a === NO || b === NO) return NO;
  return a === MAYBE || b === MAYBE ? MAYBE : YES;
}

/** One is enough. */
export function either(a: Match, b: Match): Match {
  if (a === YES || b === YES) return YES;
  return a === MAYBE || b === MAYBE ? MAYBE : NO;
}

export function not(match: Match): Match {
  if (match === MAYBE) return MAYBE;
  return match === YES ? NO : YES;
}
