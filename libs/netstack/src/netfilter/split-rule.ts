import { QUOTED } from '../parse/iptables-save.js';
import type { OptionList } from './matches/match.js';

export interface RuleParts {
  readonly builtin: OptionList;
  readonly matches: readonly MatchOptions[];
  readonly target: { readonly name: string; readonly goto: boolean; readonly options: OptionList };
}

interface MatchOptions {
  readonly name: string;
  readonly options: OptionList;
}

/** Words of a rule into built-in selectors, matches with their options, and the target with its options. */
export function splitRule(words: readonly string[]): RuleParts {
  const builtin: OptionList[number][] = [];
  const matches: { name: string; options: OptionList[number][] }[] = [];
  const target: { name: string; goto: boolean; options: OptionList[number][] } = { name: '', goto: false, options: [] };
  let owner: OptionList[number][] = builtin;
  let invert = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '!') {
      invert = true;
      continue;
    }
    if (word === '-m') {
      const options: OptionList[number][] = [];
      matches.push({ name: words[++i] ?? '', options });
      owner = options;
    } else if (word === '-j' || word === '-g') {
      target.name = words[++i] ?? '';
      target.goto = word === '-g';
      owner = target.options;
    } else {
      const short = word.startsWith('-') && !word.startsWith('--');
      const args = word === '--comment' ? [words[i + 1] ?? ''] : takeArgs(words, i + 1);
      i += args.length;
      (short ? builtin : owner).push({ flag: word, invert, args: args.map((arg) => arg.replace(QUOTED, '')) });
    }
    invert = false;
  }
  return { builtin, matches, target };
}

function takeArgs(words: readonly string[], from: number): string[] {
  const args: string[] = [];
  for (let i = from; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '!' || (word.startsWith('-') && word.length > 1 && !/^-\d/.test(word))) break;
    args.push(word);
  }
  return args;
}
