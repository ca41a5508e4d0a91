import { Refusal } from './refusal.js';

/** The parameters of one call: query and form together, as the RPC protocol has them. */
export class Params {
  private constructor(private readonly values: ReadonlyMap<string, string>) {}

  static of(query: URLSearchParams, form: URLSearchParams): Params {
    return new Params(new Map([...query, ...form]));
  }

  get(name: string): string | undefined {
    return this.values.get(name);
  }

  need(name: string): string {
    const value = this.get(name);
    if (value === undefined || value === '') {
      throw new Refusal(400, `Missing${name}`, `The input parameter "${name}" that is mandatory is not supplied.`);
    }
    return value;
  }

  number(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value)) throw new Refusal(400, `InvalidParameter.${name}`, `The specified ${name} is invalid.`);
    return Number(value);
  }

  /** `Name.1=a&Name.2=b`. */
  list(name: string, max: number): readonly string[] | undefined {
    const items: string[] = [];
    for (let nth = 1; this.values.has(`${name}.${nth}`); nth += 1) items.push(this.values.get(`${name}.${nth}`) ?? '');
    return items.length === 0 ? undefined : capped(name, items, max);
  }

  /** `Name=["a","b"]`, as ECS wants lists of ids. */
  jsonList(name: string, max: number): readonly string[] | undefined {
    const text = this.get(name);
    if (text === undefined) return undefined;
    try {
      const items: unknown = JSON.parse(text);
      if (Array.isArray(items) && items.every((item) => typeof item === 'string')) return capped(name, items, max);
    } catch {
      // Said below: no JSON is as wrong as other JSON.
    }
    throw new Refusal(400, `InvalidParameter.${name}`, `The specified ${name} is not a JSON list of strings.`);
  }
}

function capped(name: string, items: readonly string[], max: number): readonly string[] {
  if (items.length > max) throw new Refusal(400, `InvalidParameter.${name}`, `At most ${max} of ${name} at a time.`);
  return items;
}
