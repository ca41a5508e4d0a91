import { printable, type Problems } from './problems.js';

// Kubernetes objects are at most some twenty levels deep.
const MAX_DEPTH = 100;
const HOSTILE_KEYS: ReadonlySet<string> = new Set(['__proto__']);

/** JSON from a stranger; undefined (and a problem that names the file) when it is broken, too deep or hostile. */
export function parseUntrustedJson(path: string, content: Buffer, problems: Problems): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'it is not UTF-8 text';
    problems.add('SNAPSHOT_BAD_JSON', path, `is not JSON: ${printable(reason)}`);
    return undefined;
  }
  return isHarmless(path, value, problems) ? value : undefined;
}

function isHarmless(path: string, value: unknown, problems: Problems): boolean {
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth >= MAX_DEPTH) {
      problems.add('SNAPSHOT_JSON_TOO_DEEP', path, `is nested deeper than ${MAX_DEPTH} levels`);
      return false;
    }
    for (const [key, member] of Object.entries(next.value)) {
      if (HOSTILE_KEYS.has(key)) {
        problems.add('SNAPSHOT_HOSTILE_KEY', path, `holds the key "${key}", which no real object has`);
        return false;
      }
      stack.push({ value: member, depth: next.depth + 1 });
    }
  }
  return true;
}
