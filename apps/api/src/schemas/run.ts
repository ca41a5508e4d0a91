import { PairInput } from '#libs/model';
import { RUN_STATES } from '#libs/persistence';
import { z } from 'zod';
import { ClusterName } from './cluster.js';
import { listOf, PAGE_QUERY, QueryFlag } from './list.js';

const MaxAgeSeconds = z
  .int()
  .min(1)
  .max(10 * 365 * 86_400);

export const RunInput = z
  .strictObject({
    cluster: ClusterName,
    snapshot: z.string().optional().meta({ description: 'Else the newest one of the cluster.' }),
    maxAgeSeconds: MaxAgeSeconds.optional().meta({ description: 'How old the newest snapshot may be.' }),
    pairs: z.array(PairInput).min(1, 'at least one pair is needed'),
  })
  .meta({ id: 'RunInput' });

/** For application/x-ndjson bodies the rest is in the query. */
export const RunQuery = z.strictObject({
  cluster: ClusterName.optional().meta({ description: 'Only with application/x-ndjson.' }),
  snapshot: z.string().optional().meta({ description: 'Only with application/x-ndjson.' }),
  maxAgeSeconds: z.coerce
    .number()
    .pipe(MaxAgeSeconds)
    .optional()
    .meta({ description: 'Only with application/x-ndjson.' }),
  dryRun: QueryFlag.optional().meta({ description: 'Only counts; nothing is stored.' }),
});

export const RunListQuery = z.strictObject({
  ...PAGE_QUERY,
  cluster: ClusterName.optional(),
  state: z.enum(RUN_STATES).optional(),
});

const Count = z.int().min(0);
export const Run = z
  .object({
    id: z.string(),
    cluster: z.string(),
    provider: z.string(),
    snapshot: z.string().nullable(),
    state: z.enum(RUN_STATES),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
    pairs: z.object({
      total: Count.nullable().meta({ description: 'Null until the run is planned. Equal pairs count once.' }),
      done: Count,
      reachable: Count,
      unreachable: Count,
      partial: Count,
      undetermined: Count,
      failed: Count,
    }),
  })
  .meta({ id: 'Run' });
export type Run = z.output<typeof Run>;
export const RunList = listOf(Run, 'RunList');

export const RunEstimate = z
  .object({
    pairs: Count.meta({ description: 'Different pairs.' }),
    duplicates: Count,
    nodes: Count.meta({ description: 'Nodes in the snapshot.' }),
    chunks: Count,
    snapshot: z.string(),
  })
  .meta({ id: 'RunEstimate' });
