import { NASTY_WORDS } from './nasty.js';
import type { Random } from './random.js';

type Mutation = (text: string, random: Random) => string;

/** Makes lines of a text into other lines. */
function onLines(change: (lines: string[], random: Random) => void): Mutation {
  return (text, random) => {
    const lines = text.split('\n');
    change(lines, random);
    return lines.join('\n');
  };
}

function onLine(change: (line: string, random: Random) => string): Mutation {
  return onLines((lines, random) => {
    const at = random.below(lines.length);
    lines[at] = change(lines[at] ?? '', random);
  });
}

/** Words with what stands between them, so that joining gives the text again. */
function onWords(change: (words: string[], at: number, random: Random) => void): Mutation {
  return onLine((line, random) => {
    const parts = line.split(/(\s+)/);
    const words = parts.filter((_, index) => index % 2 === 0);
    if (words.length > 0) change(words, random.below(words.length), random);
    return parts.map((part, index) => (index % 2 === 0 ? (words[index / 2] ?? '') : part)).join('');
  });
}

const MUTATIONS: readonly Mutation[] = [
  // A flipped bit.
  (text, random) => {
    const at = random.below(text.length);
    return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))) + text.slice(at + 1);
  },
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => text.slice(random.below(text.length + 1)),
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(NASTY_WORDS) + text.slice(at);
  },
  (text, random) => {
    const from = random.below(text.length + 1);
    return text.slice(0, from) + text.slice(from + random.below(40));
  },
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => `\ufeff${text}`,
  onLines((lines, random) => {
    const at = random.below(lines.length);
    lines.splice(at, 0, ...Array<string>(1 + random.below(random.chance(0.1) ? 500 : 3)).fill(lines[at] ?? ''));
  }),
  onLines((lines, random) => void lines.splice(random.below(lines.length), 1 + random.below(3))),
  onLines((lines, random) => {
    const [a, b] = [random.below(lines.length), random.below(lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
  }),
  onLines((lines, random) => void lines.splice(random.below(lines.length + 1), 0, random.pick(NASTY_WORDS))),
  onLine((line, random) => `${line} ${'x'.repeat(random.below(200_000))}`),
  onWords((words, at, random) => void (words[at] = random.pick(NASTY_WORDS))),
  onWords((words, at, random) => void (words[at] += random.pick(NASTY_WORDS))),
  onWords((words, at) => void (words[at] = '')),
  onWords((words, at, random) => void (words[at] = words[random.below(words.length)] ?? '')),
  swapArguments,
  swapArguments,
];

/** Two lines with the same flag (`-j`, `-d`, `add`...) exchange what follows it: loops of jumps, sets in sets. */
function swapArguments(text: string, random: Random): string {
  const lines = text.split('\n');
  const flags = new Set(lines.flatMap((line) => line.split(/\s+/).filter((word) => /^-|^add$/.test(word))));
  if (flags.size === 0) return text;
  const flag = random.chance(0.5) && flags.has('-j') ? '-j' : random.pick([...flags]);
  const having = [...lines.keys()].filter((index) => lines[index]?.split(/\s+/).includes(flag));
  const rounds = random.chance(0.3) ? 1 + random.below(30) : 1;
  for (let round = 0; round < rounds; round++) {
    const from = lines[random.pick(having)]?.split(/\s+/) ?? [];
    const to = random.pick(having);
    const words = lines[to]?.split(' ') ?? [];
    const at = words.indexOf(flag);
    if (at >= 0) words[at + 1] = from[from.indexOf(flag) + 1] ?? '';
    lines[to] = words.join(' ');
  }
  return lines.join('\n');
}

export function mutateText(text: string, random: Random): string {
  let mutated = text;
  const rounds = 1 + random.below(random.chance(0.3) ? 12 : 3);
  for (let round = 0; round < rounds; round++) mutated = random.pick(MUTATIONS)(mutated, random);
  return mutated;
}
