import type { Random } from './random.js';

/** Named texts: a file of a dump by its path, a reference, a request. What is not text is kept in base64. */
export type Input = Readonly<Record<string, string>>;

/** One thing that takes input from strangers. */
export interface Target {
  readonly name: string;
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /** CPU time that no input may take longer than. */
  readonly limitMs: number;
  make(random: Random): Input;
  /** Throws, or gives what is wrong with the result. */
  run(input: Input): string[] | Promise<string[]>;
}
