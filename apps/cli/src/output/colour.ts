import type { CliIo } from '../io.js';

const RESET = '\u001b[0m';
const RED = '\u001b[31m';
const GREEN = '\u001b[32m';
const YELLOW = '\u001b[33m';

const PAINT: readonly (readonly [RegExp, string])[] = [
  [/^REACHABLE\b/gm, GREEN],
  [/^(UNREACHABLE|PARTIAL)\b/gm, RED],
  [/^UNDETERMINED\b/gm, YELLOW],
  [/^ {2}\d+\. (?=[A-Z])/gm, RED],
  [/^ {2}\d+\. (critical|warning):/gm, YELLOW],
  [/^ {5}change:/gm, GREEN],
];

/** Colours only for a person at a terminal who did not say no (https://no-color.org). */
export function wantsColour({ stdout, env }: CliIo): boolean {
  return stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** Paints the words of the text form that a glance looks for. */
export function colour(text: string): string {
  return PAINT.reduce((painted, [words, paint]) => painted.replace(words, (word) => `${paint}${word}${RESET}`), text);
}
