import { z } from 'zod';

/** The only format there is; a newer one may mean other things by the same names. */
export const SNAPSHOT_FORMAT = 1;

const Time = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time such as 2026-11-23T18:00:00Z' });

/** snapshot.json. */
export const Manifest = z.object({
  format: z.literal(SNAPSHOT_FORMAT, `must be ${SNAPSHOT_FORMAT}: this program reads no other format`),
  cluster: z.string().min(1).max(253),
  takenAt: Time,
  collector: z.string().max(253).default('unknown'),
  nodes: z
    .record(z.string().max(253), z.object({ takenAt: Time.optional(), error: z.string().nullable().default(null) }))
    .default({}),
});

/** meta.json of a namespace directory; unknown kinds and fields are accepted. */
export const Meta = z.object({
  node: z.string().max(253).optional(),
  uid: z.string().max(253).optional(),
  netnsInode: z.number().int().nonnegative().optional(),
});

/** What every Kubernetes object has; the rest is read where it is used. */
export const AnyObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

export const ObjectList = z.object({ kind: z.string().optional(), items: z.array(z.unknown()) });
