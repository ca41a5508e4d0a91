import type { Params } from '../params.js';
import { Refusal } from '../refusal.js';
import type { WireObject, WireWorld } from '../wire-world.js';

/** Answers one call: what stands in the answer beside RequestId. */
export type Handler = (params: Params, world: WireWorld, smallPage: number) => object;

export type Product = Readonly<Record<string, Handler>>;

/** Objects whose field is the parameter's value; all when the parameter is not given. */
export function where(objects: readonly WireObject[], field: string, value: string | undefined): readonly WireObject[] {
  return value === undefined ? objects : objects.filter((object) => object[field] === value);
}

/** Objects whose field is one of the values; all when no values are given. */
export function whereIn(
  objects: readonly WireObject[],
  field: string,
  values: readonly string[] | undefined,
): readonly WireObject[] {
  return values === undefined ? objects : objects.filter((object) => values.includes(String(object[field])));
}

/** A value by id, or the refusal of the cloud for an id that it does not know. */
export function known<T>(values: Readonly<Record<string, T>>, id: string, code: string): T {
  const value = Object.hasOwn(values, id) ? values[id] : undefined;
  if (value === undefined) throw new Refusal(404, code, `The specified resource ${id} does not exist.`);
  return value;
}
