import { HopscopeError } from '#libs/model';
import { z } from 'zod';

const Problem = z.object({ code: z.string(), detail: z.string() });

export interface ApiRequest {
  readonly method?: 'GET' | 'POST';
  readonly json?: unknown;
  readonly gzip?: Uint8Array;
}

/** As much of a client as the samples need: the way they go is the way that everybody goes. */
export class ApiClient {
  constructor(private readonly url: string) {}

  /** Undefined when there is no such thing; other problems are thrown with their code. */
  async find<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | undefined> {
    try {
      return await this.call(path, schema);
    } catch (error) {
      if (error instanceof HopscopeError && error.code.endsWith('_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async call<S extends z.ZodType>(path: string, schema: S, request: ApiRequest = {}): Promise<z.output<S>> {
    const response = await fetch(`${this.url}${path}`, { method: request.method ?? 'GET', ...body(request) });
    const answer: unknown = await response.json();
    if (response.ok) return schema.parse(answer);
    const problem = Problem.parse(answer);
    throw new HopscopeError(problem.code, problem.detail);
  }
}

function body({ json, gzip }: ApiRequest): RequestInit {
  if (gzip !== undefined) return { body: new Uint8Array(gzip), headers: { 'Content-Type': 'application/gzip' } };
  if (json === undefined) return {};
  return { body: JSON.stringify(json), headers: { 'Content-Type': 'application/json' } };
}
