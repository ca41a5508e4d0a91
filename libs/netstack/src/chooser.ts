/**
 * Where the kernel rolls dice, or where a fact is missing, the walk asks here and goes on with one answer.
 * The engine runs the walk again for the other answers, so the code that walks stays a straight line.
 */
export interface Chooser {
  /** Index of one of the outcomes; weights need not add up to 1. Asked again within one walk with the same key, the answer is the same. */
  pick(key: string, weights: readonly number[]): number;
  /** A fact that is not known: both answers are tried. `what` names the fact for people and keeps the answer constant. */
  guess(what: string): boolean;
}

/** Three-valued: undefined is "cannot be told". */
export type Tri = boolean | undefined;

/** For plain questions outside a walk: first outcome, and nothing may be guessed. */
export const firstChoice: Chooser = {
  pick: () => 0,
  guess: () => false,
};
