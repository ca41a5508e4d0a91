import { z } from 'zod';

/**
 * `{ Vpcs: { Vpc: [...] } }` -> the inner list. The list has to be there, also when it is empty: the SDK turns a list of the wrong
 * shape into nothing, which would look like an account without VPCs.
 */
export function wireList<T>(outer: string, inner: string, item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.pipe(
    z.looseObject({ [outer]: z.looseObject({ [inner]: z.array(item) }) }),
    z.transform((answer) => answer[outer]?.[inner] ?? []),
  );
}

/** A list inside an object, `{ PrivateIpSets: { PrivateIpSet: [...] } }`: left out where there is nothing. */
export function innerList<T>(inner: string, item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.pipe(
    z.looseObject({ [inner]: z.array(item).nullish() }).nullish(),
    z.transform((object) => object?.[inner] ?? []),
  );
}

/** An empty text means "none" in the answers of most calls. */
export const OptionalText = z.pipe(
  z.string().nullish(),
  z.transform((text) => (text === null || text === undefined || text === '' ? undefined : text)),
);

/** Numbers that some calls write as text. */
export const WireInteger = z.coerce.number().int();
