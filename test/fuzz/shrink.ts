import type { Input, Target } from './attempt.js';
import type { Failure } from './failure.js';
import { runAttempt } from './run-attempt.js';

/** Makes a failing input smaller while it fails in the same way, within a time. */
export async function shrink(target: Target, input: Input, failure: Failure, budgetMs: number): Promise<Input> {
  const until = Date.now() + budgetMs;
  let best = input;
  const attempt = async (candidate: Input): Promise<boolean> => {
    if (Date.now() > until) return false;
    const found = await runAttempt({ target, input: candidate });
    if (found?.signature !== failure.signature) return false;
    best = candidate;
    return true;
  };
  for (const name of Object.keys(best)) {
    const { [name]: _left, ...rest } = best;
    await attempt(rest);
  }
  for (const name of Object.keys(best)) {
    await shrinkParts((text) => attempt({ ...best, [name]: text }), best[name] ?? '', jsonParts(best[name] ?? ''));
    await shrinkParts((text) => attempt({ ...best, [name]: text }), best[name] ?? '', '\n');
    await shrinkParts((text) => attempt({ ...best, [name]: text }), best[name] ?? '', ' ');
  }
  return best;
}

/** A list of rows is shrunk by rows. */
function jsonParts(text: string): '\n' | 'rows' {
  return text.trimStart().startsWith('[') ? 'rows' : '\n';
}

async function shrinkParts(attempt: (text: string) => Promise<boolean>, text: string, by: string): Promise<void> {
  let parts: readonly unknown[] = [];
  try {
    const rows: unknown = by === 'rows' ? JSON.parse(text) : text.split(by);
    if (Array.isArray(rows)) parts = rows;
  } catch {
    return;
  }
  const join = (some: readonly unknown[]): string => (by === 'rows' ? JSON.stringify(some) : some.join(by));
  for (
    let size = Math.ceil(parts.length / 2);
    size >= 1 && parts.length > 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  )
    for (let at = 0; at < parts.length;) {
      const fewer = [...parts.slice(0, at), ...parts.slice(at + size)];
      if (await attempt(join(fewer))) parts = fewer;
      else at += size;
    }
}
