import type { Ip } from '#libs/model';
import type { Chooser, Tri } from '../../chooser.js';
import type { NetNamespace } from '../../namespace.js';
import type { Skb } from '../../skb.js';
import type { SavedChain, SavedRule } from '../../parse/iptables-save.js';
import type { Hook } from '../ruleset.js';

/** What a rule is asked about. */
export interface RuleEnv {
  readonly ns: NetNamespace;
  readonly hook: Hook;
  readonly skb: Skb;
  /** Input interface; empty in OUTPUT. */
  readonly iif: string;
  /** Output interface; empty in PREROUTING and INPUT. */
  readonly oif: string;
  readonly chooser: Chooser;
  /** The gateway that the packet leaves to; undefined: its destination is on the link. */
  readonly nextHop?: Ip;
}

/** Three-valued: undefined when the dump does not hold what the match asks for. */
export type Match = (env: RuleEnv) => Tri;

export type OptionList = readonly {
  readonly flag: string;
  readonly invert: boolean;
  readonly args: readonly string[];
}[];

export interface MatchContext {
  readonly rule: SavedRule;
  readonly chain: SavedChain;
}

/** Makes the match of one `-m name` with its options. undefined: always true, nothing to ask. */
export type MatchBuilder = (options: OptionList, context: MatchContext) => Match | undefined;

/** For matches that are not modelled, and for options of a known match that are not. */
export const unknownMatch: Match = () => undefined;

/** All of them, with three-valued AND; one false decides. */
function every(matches: readonly Match[]): Match {
  const [only] = matches;
  if (matches.length === 1 && only !== undefined) return only;
  return (env) => {
    let result: Tri = true;
    for (const match of matches) {
      const one = match(env);
      if (one === false) return false;
      if (one === undefined) result = undefined;
    }
    return result;
  };
}

export function inverted(match: Match, invert: boolean): Match {
  if (!invert) return match;
  return (env) => {
    const result = match(env);
    return result === undefined ? undefined : !result;
  };
}

/** Builds a match from options by name; an option that is not in the table makes it unknown. */
export function fromOptions(
  options: OptionList,
  table: Readonly<Record<string, (args: readonly string[]) => Match | undefined>>,
): Match | undefined {
  const parts: Match[] = [];
  for (const { flag, invert, args } of options) {
    const build = table[flag];
    if (build === undefined) parts.push(unknownMatch);
    else {
      const match = build(args);
      if (match !== undefined) parts.push(inverted(match, invert));
    }
  }
  return parts.length === 0 ? undefined : every(parts);
}

/** `80`, `1024:65535`, `:1023`, `1024:`; also with a dash. */
export function parseRange(text: string, max = 65535): { from: number; to: number } {
  const [from = '', to] = text.split(/[:-]/);
  const start = from === '' ? 0 : Number(from);
  return { from: start, to: to === undefined ? start : to === '' ? max : Number(to) };
}

/** `0x4000/0x4000` or `0x1`, as unsigned 32-bit numbers. */
export function parseMark(text: string): { value: number; mask: number } {
  const [value = '0', mask] = text.split('/');
  return { value: Number(value) >>> 0, mask: mask === undefined ? 0xffffffff : Number(mask) >>> 0 };
}
