import { NASTY_VALUES } from './nasty.js';
import { mutateText } from './mutate-text.js';
import type { Random } from './random.js';

/** Stands for a value that no JavaScript value can hold cheaply: put in as text. */
const HOLE = 'hopscope-fuzz-hole';

/** One place in a document. */
interface Slot {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** A JSON document with some of its values exchanged; now and then its text is damaged instead. */
export function mutateJson(text: string, random: Random): string {
  if (random.chance(0.2)) return mutateText(text, random);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return mutateText(text, random);
  }
  const root: Record<string, unknown> = { document };
  const rounds = 1 + random.below(random.chance(0.3) ? 20 : 3);
  let mutated: string;
  try {
    for (let round = 0; round < rounds; round++) mutateOnce(root, random);
    mutated = JSON.stringify(root.document) ?? '';
  } catch {
    // Nested too deep to be printed: an earlier round has done that.
    return mutateText(text, random);
  }
  return mutated.replace(`"${HOLE}"`, () => hole(random));
}

function mutateOnce(root: Record<string, unknown>, random: Random): void {
  const slot = randomSlot(root, random);
  const { holder, key } = slot;
  switch (random.below(8)) {
    case 0:
    case 1:
      return set(slot, random.pick(NASTY_VALUES));
    case 2:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      return;
    case 3:
      if (Array.isArray(holder))
        holder.splice(
          Number(key),
          0,
          ...Array<unknown>(1 + random.below(random.chance(0.1) ? 200 : 3)).fill(holder[Number(key)]),
        );
      else set({ holder, key: random.pick(['__proto__', 'constructor', 'toString', `${key}2`]) }, holder[key]);
      return;
    case 4: {
      const other = randomSlot(root, random);
      const text = JSON.stringify(other.holder[other.key] ?? null);
      // A document within itself would grow without end.
      return text.length < 20_000 ? set(slot, JSON.parse(text)) : undefined;
    }
    case 5: {
      const value = holder[key];
      if (typeof value === 'string') set(slot, mutateText(value, random).slice(0, 10_000));
      else if (typeof value === 'number') set(slot, value + random.pick([1, -1, 0.5, 1e9, -value, 2 ** 32]));
      else set(slot, random.pick(NASTY_VALUES));
      return;
    }
    case 6:
      return random.chance(0.2) ? set(slot, HOLE) : set(slot, random.pick(NASTY_VALUES));
    default:
      return set(slot, [holder[key]]);
  }
}

/** Defines, so that `__proto__` becomes a member like any other, as JSON.parse makes it. */
function set({ holder, key }: Slot, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

/** Walks down from the top, stopping at each level with some chance. */
function randomSlot(root: Record<string, unknown>, random: Random): Slot {
  let slot: Slot = { holder: root, key: 'document' };
  for (let depth = 0; depth < 40; depth++) {
    const value = slot.holder[slot.key];
    if (!isHolder(value) || (depth > 0 && random.chance(0.1))) return slot;
    const keys = Object.keys(value);
    if (keys.length === 0) return slot;
    slot = { holder: value, key: random.pick(keys) };
  }
  return slot;
}

function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function hole(random: Random): string {
  const depth = random.pick([10, 200, 5_000, 100_000]);
  switch (random.below(4)) {
    case 0:
      return '['.repeat(depth) + ']'.repeat(depth);
    case 1:
      return '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
    case 2:
      return '9'.repeat(1 + random.below(400));
    default:
      return `"${'y'.repeat(random.below(200_000))}"`;
  }
}
