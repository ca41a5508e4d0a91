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
  for (const key of sortedKeys(members)) {
    const member = members[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${keyText(key)}${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** By UTF-16 code units, as `<` compares. Most objects are written with their keys in some order: looked at before they are sorted. */
function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value);
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] ?? '') > (keys[i] ?? '')) return keys.sort();
  return keys;
}

/** Results have the same few hundred keys over and over; the keys of users' objects must not fill the memory. */
const MAX_KEYS = 1000;
const keyTexts = new Map<string, string>();

function keyText(key: string): string {
  let text = keyTexts.get(key);
  if (text !== undefined) return text;
  text = `${JSON.stringify(key)}:`;
  if (keyTexts.size < MAX_KEYS) keyTexts.set(key, text);
  return text;
}

/** sha256 of the canonical JSON, as lower-case hex. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
