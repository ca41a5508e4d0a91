import { z } from 'zod';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, whatever its shape: read it with the schemas of the API or `at`. */
  readonly json: unknown;
}

export interface Call {
  readonly method?: string;
  readonly json?: unknown;
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A bare HTTP client: what a stranger's program would do. */
export class Api {
  constructor(readonly url: string) {}

  async call(path: string, { method, json, raw, headers = {} }: Call = {}): Promise<Answer> {
    const body = json === undefined ? raw : JSON.stringify(json);
    const type: Record<string, string> = json === undefined ? {} : { 'Content-Type': 'application/json' };
    const response = await fetch(`${this.url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  upload(cluster: string, archive: Uint8Array): Promise<Answer> {
    return this.call(`/v1/snapshots?cluster=${cluster}`, {
      raw: archive,
      headers: { 'Content-Type': 'application/gzip' },
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text at a member of an answer; fails when there is none. */
export function textAt(value: unknown, ...path: string[]): string {
  let current = value;
  for (const key of path) current = z.record(z.string(), z.unknown()).parse(current)[key];
  return z.string().parse(current);
}

/** Looks again and again until the check gives something, or fails at the deadline. */
export async function eventually<T>(what: string, timeoutMs: number, check: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
