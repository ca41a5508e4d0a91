import type { Chooser } from '#libs/netstack';

/** One question that a walk asked: dice of the kernel (`pick`), or a fact that is missing (`guess`). */
interface Decision {
  readonly kind: 'pick' | 'guess';
  readonly key: string;
  readonly index: number;
  /** Probabilities of all outcomes; they add up to 1. */
  readonly weights: readonly number[];
}

export interface Leaf<T> {
  readonly decisions: readonly Decision[];
  readonly probability: number;
  readonly value: T;
}

/** Answers as the script says, then with the first outcome, and writes down what was asked. */
class ScriptedChooser implements Chooser {
  readonly asked: Decision[] = [];
  private readonly known = new Map<string, number>();

  constructor(private readonly script: readonly number[]) {}

  pick(key: string, weights: readonly number[]): number {
    return this.ask('pick', key, weights);
  }

  guess(what: string): boolean {
    return this.ask('guess', what, [1, 1]) === 0;
  }

  private ask(kind: Decision['kind'], key: string, weights: readonly number[]): number {
    const known = this.known.get(`${kind} ${key}`);
    if (known !== undefined) return known;
    const index = this.script[this.asked.length] ?? 0;
    this.asked.push({ kind, key, index, weights: probabilities(weights) });
    this.known.set(`${kind} ${key}`, index);
    return index;
  }
}

const MAX_GUESSED = 512;

/** Weights of a dump are not to be trusted: what is no weight counts as none, and where none is left all are alike. */
function probabilities(weights: readonly number[]): number[] {
  const clean = weights.map((weight) => (Number.isFinite(weight) && weight > 0 ? weight : 0));
  const total = clean.reduce((sum, weight) => sum + weight, 0);
  return clean.map((weight) => (total > 0 ? weight / total : 1 / clean.length));
}

/**
 * Runs `walk` once for each combination of answers, depth first: first with the first outcome everywhere, then with the
 * last question's other outcomes, and so on. `limit` caps the number of runs; what is left over is said in `rest` (a probability).
 */
export function explore<T>(walk: (chooser: Chooser) => T, limit: number): { leaves: Leaf<T>[]; rest: number } {
  const leaves: Leaf<T>[] = [];
  const open: number[][] = [[]];
  let complete = true;
  let guessed = false;
  for (let script = open.pop(); script !== undefined; script = open.pop()) {
    const chooser = new ScriptedChooser(script);
    const value = walk(chooser);
    const decisions = chooser.asked;
    leaves.push({ decisions, probability: decisions.reduce((product, one) => product * chance(one), 1), value });
    const taken = decisions.map((decision) => decision.index);
    // Never more than could still be run: a question may have thousands of outcomes.
    for (let at = script.length; at < decisions.length; at++) {
      if (open.length + leaves.length >= limit) {
        complete = false;
        break;
      }
      const weights = decisions[at]?.weights ?? [];
      const before = taken.slice(0, at);
      if (weights.length > limit) complete = false;
      for (let other = Math.min(weights.length, limit) - 1; other >= 1; other--)
        if ((weights[other] ?? 0) > 0) open.push([...before, other]);
    }
    guessed ||= decisions.some(({ kind }) => kind === 'guess');
    // Every guess doubles the worlds; where that many are needed the answer is undetermined already.
    if (leaves.length >= (guessed ? Math.min(limit, MAX_GUESSED) : limit)) break;
  }
  if (open.length === 0 && complete) return { leaves, rest: 0 };
  return { leaves, rest: Math.max(0, 1 - leaves.reduce((sum, leaf) => sum + leaf.probability, 0)) };
}

function chance(decision: Decision): number {
  return decision.weights[decision.index] ?? 0;
}
