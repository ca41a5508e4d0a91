import { z } from 'zod';

export const PAGE_QUERY = {
  pageSize: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: 'Items of one page, 1-1000; 100 unless given.' }),
  pageToken: z.string().max(1024).optional().meta({ description: '`nextPageToken` of the page before.' }),
};

export const PageQuery = z.strictObject(PAGE_QUERY);

/** A page of a list as it is answered. */
export function listOf<S extends z.ZodType>(item: S, id: string) {
  return z.object({ items: z.array(item), nextPageToken: z.string().nullable() }).meta({ id });
}

/** `?a=1&a=2` and `?a=1,2` mean the same. */
export function manyOf<S extends z.ZodType>(item: S) {
  return z.preprocess(
    (value) => (Array.isArray(value) ? value : [value]).flatMap((text) => String(text).split(',')),
    z.array(item).min(1).max(20),
  );
}

/** `true` and `false` as query parameters spell them. */
export const QueryFlag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

export const Timestamp = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2026-11-24T10:00:00Z' })
  .meta({ description: 'RFC 3339.' });
