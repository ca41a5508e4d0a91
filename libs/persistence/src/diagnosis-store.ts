import { z } from 'zod';
import { isSuspicionCode, SYMPTOMS, VERDICTS, type Suspicion } from '#libs/model';
import type { Database } from './database.js';
import type { DiagnosisRest, PathBody } from './diagnosis-rows.js';
import { diagnosisWhere } from './diagnosis-where.js';
import type { Prisma } from './generated/client.js';
import { ownJson } from './json.js';
import { cutPage, pageWindow } from './page.js';
import type { DiagnosisFilter, StoredDiagnosis } from './records.js';
import type { DiagnosisRepository, Page, PageRequest } from './repositories.js';
import { storableText } from './storable.js';

const INCLUDE = {
  path: true,
  suspicions: { include: { suspicion: true }, orderBy: [{ list: 'asc' }, { position: 'asc' }] },
} satisfies Prisma.DiagnosisInclude;

type Row = Prisma.DiagnosisGetPayload<{ include: typeof INCLUDE }>;

// Full diagnoses are some kB each: an export holds a few hundred of them at a time.
const STREAM_PAGE = 200;

const Rest = ownJson<DiagnosisRest>();
const Body = ownJson<PathBody>();
const Finding = ownJson<Suspicion>().refine((finding) => isSuspicionCode(finding.code));
const Words = z.object({ verdict: z.enum(VERDICTS), symptom: z.enum(SYMPTOMS), protocol: z.enum(['tcp', 'udp']) });

export function diagnosisStore({ prisma }: Database): DiagnosisRepository {
  async function list(filter: DiagnosisFilter = {}, page?: PageRequest): Promise<Page<StoredDiagnosis>> {
    const { size, after } = pageWindow(page);
    const where = diagnosisWhere(filter);
    if (where === undefined) return { items: [], nextPageToken: null };
    const rows = await prisma.diagnosis.findMany({
      where: {
        AND: [
          where,
          after ? { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.key } }] } : {},
        ],
      },
      include: INCLUDE,
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      take: size + 1,
    });
    return cutPage(rows, size, (row) => ({ at: row.createdAt, key: row.id }), record);
  }
  return {
    list,
    async get(id) {
      const row = await prisma.diagnosis.findUnique({ where: { id: storableText(id) }, include: INCLUDE });
      return row === null ? undefined : record(row);
    },
    async *stream(filter) {
      let pageToken: string | undefined;
      do {
        const page = await list(filter, { pageSize: STREAM_PAGE, pageToken });
        yield* page.items;
        pageToken = page.nextPageToken ?? undefined;
      } while (pageToken !== undefined);
    },
  };
}

function record(row: Row): StoredDiagnosis {
  const { pair, source, destination, sourcePort, branches, skipped, assumptions } = Rest.parse(row.rest);
  const { path, forward, reply } = Body.parse(row.path.body);
  const findings = (list: string) =>
    row.suspicions.filter((link) => link.list === list).map((link) => Finding.parse(link.suspicion.body));
  return {
    id: row.id,
    run: row.runId,
    cluster: row.clusterName,
    snapshot: row.snapshotId,
    pairKey: row.pairKey,
    workloadKey: row.workloadKey,
    createdAt: row.createdAt.toISOString(),
    pair,
    source,
    destination,
    port: row.port,
    ...Words.parse(row),
    ...(sourcePort === undefined ? {} : { sourcePort }),
    branches,
    blocking: findings('blocking'),
    suspicions: findings('suspicions'),
    skipped,
    assumptions,
    forward,
    reply,
    path,
    engineVersion: row.engineVersion,
  };
}
