import { formatIp, PairInput, parseIp, SUSPICION_CODES, VERDICTS } from '#libs/model';
import { RUN_STATES } from '#libs/persistence';
import { z } from 'zod';
import { ClusterName } from './cluster.js';
import { manyOf, PAGE_QUERY, Timestamp } from './list.js';

export const DiagnosisInput = PairInput.omit({ id: true })
  .extend({
    cluster: ClusterName,
    snapshot: z.string().optional().meta({ description: 'Else the newest one of the cluster.' }),
    maxAgeSeconds: z.int().min(1).optional().meta({ description: 'How old the newest snapshot may be.' }),
  })
  .meta({ id: 'DiagnosisInput' });

const MAX_WAIT_MS = 60_000;
// A duration as in Go and Kubernetes, one unit.
const Wait = z
  .string()
  .regex(/^\d{1,6}(ms|s|m)$/, 'must be a time such as 30s')
  .transform(milliseconds)
  .refine((wait) => wait <= MAX_WAIT_MS, `at most ${MAX_WAIT_MS / 1000}s`);

function milliseconds(text: string): number {
  const amount = Number.parseInt(text, 10);
  if (text.endsWith('ms')) return amount;
  return text.endsWith('m') ? amount * 60_000 : amount * 1000;
}

export const WaitQuery = z.strictObject({
  wait: Wait.optional().meta({ description: 'How long to wait for the answer, e.g. 30s; 202 when it takes longer.' }),
});

export const DiagnosisPending = z
  .object({
    id: z.string().meta({ description: 'Of the diagnosis that will be there.' }),
    run: z.string(),
    state: z.enum(RUN_STATES),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  })
  .meta({ id: 'DiagnosisPending' });

// Names are matched as text; a name that nothing has gives an empty list.
const Name = z.string().min(1).max(253);

const FILTERS = {
  verdict: manyOf(z.enum(VERDICTS)).optional(),
  code: z
    .string()
    .refine((code) => Object.hasOwn(SUSPICION_CODES, code), 'is not a suspicion code')
    .optional()
    .meta({ description: 'A suspicion code.' }),
  namespace: Name.optional().meta({ description: 'Of the source or the destination; so for the next four.' }),
  pod: z.string().min(1).max(507).optional().meta({ description: '`name` or `namespace/name`.' }),
  service: z.string().min(1).max(507).optional().meta({ description: '`name` or `namespace/name`.' }),
  node: Name.optional(),
  ip: z
    .string()
    .max(64)
    .transform((text, context) => {
      const ip = parseIp(text);
      if (ip !== undefined) return formatIp(ip);
      context.addIssue({ code: 'custom', message: 'must be an IP address' });
      return z.NEVER;
    })
    .optional(),
  port: z.coerce.number().int().min(1).max(65535).optional(),
  since: Timestamp.optional().meta({ description: 'RFC 3339: made at or after.' }),
  until: Timestamp.optional().meta({ description: 'RFC 3339: made before.' }),
};

export const RunDiagnosesQuery = z.strictObject({ ...PAGE_QUERY, ...FILTERS });
export const DiagnosisListQuery = z.strictObject({
  ...PAGE_QUERY,
  ...FILTERS,
  cluster: ClusterName.optional(),
  run: z.string().max(128).optional(),
});
