// The PostgreSQL back end keeps results and errors as JSONB: a thrown error whose message holds U+0000 or a lone surrogate cannot
// be recorded, and its job stalls until it is given up (stack.md §3).
const REFUSED = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Processors throw this in place of what they caught, so that any back end can record it. */
export function recordableError(error: unknown): Error {
  const original = error instanceof Error ? error : new Error(String(error));
  if ((original.message + (original.stack ?? '')).search(REFUSED) < 0) return original;
  const clean = new Error(original.message.replace(REFUSED, '\ufffd'), { cause: error });
  clean.name = original.name;
  clean.stack = (original.stack ?? '').replace(REFUSED, '\ufffd');
  return clean;
}
