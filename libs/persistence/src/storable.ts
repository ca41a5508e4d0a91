// U+0000 and lone surrogates are legal in JavaScript and JSON and refused by PostgreSQL (22P05, 22021): user text may hold both.
const REFUSED = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const REPLACEMENT = '\ufffd';

/** Text that PostgreSQL takes. */
export function storableText(text: string): string {
  return text.replace(REFUSED, REPLACEMENT);
}

/** The value as JSON text that PostgreSQL takes, member names included. */
export function storableJson(value: unknown): string {
  return JSON.stringify(storable(value) ?? null);
}

/** A copy with every string storable; members that are undefined are left out. */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map((item) => storable(item) ?? null);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value))
    if (member !== undefined) out[storableText(key)] = storable(member);
  return out;
}
