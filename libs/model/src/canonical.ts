import { createHash } from 'node:crypto';

/** JSON with sorted keys and without undefined members: equal values give equal text on any machine. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string' || value === null || typeof value === 'number' || typeof value === 'boolean')
    return JSON.stringify(value);
  if (Array.isArray(value)) return listText(value);
  if (!isRecord(value)) throw new TypeError(`no canonical JSON for ${typeof value}`);
  return objectText(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function listText(list: readonly unknown[]): string {
  let text = '';
  for (const item of list) text += `${text === '' ? '' : ','}${canonicalJson(item ?? null)}`;
  return `[${text}]`;
}

function objectText(members: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const { key, quoted } of shapeOf(Object.keys(members))) {
    const member = members[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${quoted}${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

interface Key {
  readonly key: string;
  /** As it stands in front of its value: `"key":`. */
  readonly quoted: string;
}

const SEPARATOR = '\n';
/** Results have the same few dozen lists of keys over and over; those of users' objects must not fill the memory. */
const MAX_SHAPES = 1000;
const shapes = new Map<string, readonly Key[]>();

/** The keys in the order of their UTF-16 code units. */
function shapeOf(keys: readonly string[]): readonly Key[] {
  const joined = keys.join(SEPARATOR);
  const known = shapes.get(joined);
  // No key of a list that is kept has a separator in it, so as many keys with the same text are the same keys.
  if (known?.length === keys.length) return known;
  const shape = keys.toSorted(byCodeUnit).map((key) => ({ key, quoted: `${JSON.stringify(key)}:` }));
  const isPlain = keys.every((key) => !key.includes(SEPARATOR));
  if (isPlain && shapes.size < MAX_SHAPES) shapes.set(joined, shape);
  return shape;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** sha256 of the canonical JSON, as lower-case hex. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
