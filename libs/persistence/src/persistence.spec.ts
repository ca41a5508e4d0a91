import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#libs/embedded-postgres';
import { ENGINE_VERSION, parsePair, suspect, type Diagnosis, type Suspicion, type Verdict } from '#libs/model';
import { migrate } from './migrate.js';
import { openPersistence } from './open-persistence.js';
import { diagnosisId, pairKey, workloadKey, type RunPair } from './pair.js';
import type { ChunkAnswer, RunRecord } from './records.js';
import type { Claim, Persistence } from './repositories.js';

jest.setTimeout(60_000);

const dataDir = mkdtempSync(join(tmpdir(), 'hopscope-persistence-'));
let server: EmbeddedPostgres;
let db: Persistence;
let sql: pg.Pool;

beforeAll(async () => {
  server = await startEmbeddedPostgres({ dataDir });
  await migrate(server.url);
  db = await openPersistence({ databaseUrl: server.url });
  sql = new pg.Pool({ connectionString: server.url, max: 2 });
});
afterAll(async () => {
  await sql.end();
  await db.close();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

let clusters = 0;
async function newCluster(): Promise<string> {
  const name = `cluster-${clusters++}`;
  const empty = { settings: {}, overrides: {}, labels: {} };
  await db.clusters.create({ name, provider: 'generic', access: { kind: 'snapshot' }, ...empty });
  return name;
}

function pairs(count: number, port = 80) {
  return Array.from({ length: count }, (_, i) =>
    parsePair({ id: `p${i}`, source: 'pod/default/web-0', destination: `10.0.${i >> 8}.${i & 255}`, port }),
  );
}

const blocking = suspect({
  code: 'FILTER_DROP',
  subject: { kind: 'node', name: 'node2' },
  evidence: [{ kind: 'rule', at: { kind: 'node', name: 'node2' }, locator: 'filter/FORWARD/3', text: '-j DROP' }],
  blocking: true,
});

function diagnosisOf(pair: RunPair, verdict: Verdict = 'reachable', found: readonly Suspicion[] = []): Diagnosis {
  const at = { kind: 'node', name: 'node2' };
  const trace = {
    probability: 1,
    disposition: 'accepted' as const,
    hops: [{ at, steps: [{ kind: 'route' as const, text: `to ${pair.destination}` }] }],
  };
  return {
    source: { kind: 'pod', namespace: 'default', name: 'web-0', node: 'node1', ip: '10.244.1.2', ref: pair.source },
    destination: { kind: 'external', ip: pair.destination, ref: pair.destination },
    port: Number(pair.port),
    protocol: pair.protocol,
    verdict,
    symptom: verdict === 'reachable' ? 'connected' : 'timeout',
    branches: [{ probability: 1, symptom: 'connected', disposition: 'accepted', at, sourceSeen: '10.244.1.2' }],
    blocking: found.filter((suspicion) => suspicion.blocking),
    suspicions: found,
    skipped: [{ code: 'INFRA_NOT_CHECKED', reason: 'no shim' }],
    assumptions: [],
    forward: [trace],
    reply: [],
    path: { nodes: [{ id: 'a', kind: 'pod', name: 'web-0', actions: ['send'], suspicions: [] }], links: [] },
    engineVersion: ENGINE_VERSION,
  };
}

function answer(pair: RunPair, verdict?: Verdict, found?: readonly Suspicion[]): ChunkAnswer {
  return { pair, diagnosis: diagnosisOf(pair, verdict, found), workloadKey: workloadKey(pair) };
}

async function plannedRun(cluster: string, count: number, chunkSize = 500) {
  const { run } = await db.runs.create({ cluster, pairs: pairs(count) });
  return db.runs.plan(run.id, { chunkSize });
}

async function claimed(chunkId: string | undefined, owner = 'job'): Promise<Extract<Claim, { kind: 'claimed' }>> {
  const claim = await db.runs.claimChunk(chunkId ?? 'none', owner, 60_000);
  if (claim.kind !== 'claimed') throw new Error(`the chunk is ${JSON.stringify(claim)}`);
  return claim;
}

async function answerAll(chunkId: string, verdict?: Verdict): Promise<RunRecord> {
  const { chunk } = await claimed(chunkId);
  await db.runs.storeAnswers(
    chunkId,
    chunk.pairs.map((pair) => answer(pair, verdict)),
  );
  return db.runs.completeChunk(chunkId);
}

describe('migrate', () => {
  async function freshDatabase(name: string): Promise<string> {
    await sql.query(`CREATE DATABASE ${name}`);
    return Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  }

  it('is applied once, however many start at the same time', async () => {
    const url = await freshDatabase('many');

    const reports = await Promise.all([migrate(url), migrate(url), migrate(url), migrate(url)]);

    expect(reports.flatMap(({ applied }) => applied)).toEqual(['20261124000000_init']);
    expect((await migrate(url)).applied).toEqual([]);
  });

  it('refuses a database of a newer version, and one whose migration had another content', async () => {
    const url = await freshDatabase('other');
    await migrate(url);
    const client = new pg.Client({ connectionString: url });
    await client.connect();

    await client.query(`UPDATE _prisma_migrations SET checksum = 'x'`);
    await expect(migrate(url)).rejects.toMatchObject({ code: 'MIGRATION_EDITED' });
    await client.query(`UPDATE _prisma_migrations SET migration_name = '20990101_later'`);
    await expect(migrate(url)).rejects.toMatchObject({ code: 'DATABASE_NEWER' });
    await client.end();
  });

  it('says which server does not answer, without the password', async () => {
    const url = 'postgresql://me:s3cret@127.0.0.1:1/db';

    const error: unknown = await migrate(url).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code: 'DATABASE_UNREACHABLE', message: expect.stringContaining('127.0.0.1:1/db') });
    expect(String(error)).not.toContain('s3cret');
    await expect(openPersistence({ databaseUrl: url })).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    await expect(migrate('mysql://x')).rejects.toMatchObject({ code: 'DATABASE_URL_INVALID' });
  });
});

describe('clusters', () => {
  it('are created once, changed, listed and deleted with everything of theirs', async () => {
    const name = await newCluster();
    const { chunkIds, run } = await plannedRun(name, 2);
    await answerAll(chunkIds[0] ?? '');
    await db.snapshots.create(
      { cluster: name, takenAt: '2026-01-01T00:00:00Z', collector: 'x', nodes: [] },
      Buffer.of(1),
    );

    const again = db.clusters.create({
      ...{ name, provider: 'generic', access: { kind: 'snapshot' }, settings: {}, overrides: {}, labels: {} },
    });
    await expect(again).rejects.toMatchObject({ code: 'CLUSTER_EXISTS' });
    const changed = await db.clusters.update(name, {
      labels: { env: 'te\0st' },
      overrides: { networkPlugin: 'flannel' },
    });
    expect(changed).toMatchObject({
      labels: { env: 'te\ufffdst' },
      overrides: { networkPlugin: 'flannel' },
      provider: 'generic',
    });
    await expect(db.clusters.update('nobody', {})).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' });
    expect((await db.clusters.list()).items).toContainEqual(changed);

    expect(await db.clusters.delete(name)).toBe(true);
    expect(await db.clusters.delete(name)).toBe(false);
    expect(await db.clusters.get(name)).toBeUndefined();
    expect(await db.runs.get(run.id)).toBeUndefined();
    expect((await db.diagnoses.list({ cluster: name })).items).toEqual([]);
  });
});

describe('providers', () => {
  it('are what the workers said last', async () => {
    const provider = { name: 'acme', title: 'Acme', settingsSchema: { type: 'object' } };
    await Promise.all([db.providers.upsert(provider), db.providers.upsert(provider)]);
    await db.providers.upsert({ ...provider, title: 'Acme cloud' });

    expect(await db.providers.get('acme')).toMatchObject({ title: 'Acme cloud', settingsSchema: { type: 'object' } });
    expect((await db.providers.list()).map(({ name }) => name)).toEqual(['acme']);
  });
});

describe('snapshots', () => {
  it('keep the archive byte for byte, and the newest that is fresh enough is found', async () => {
    const cluster = await newCluster();
    const archive = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) & 255));
    const fields = { cluster, collector: 'test', nodes: [{ name: 'node1', error: null }] };
    const old = await db.snapshots.create({ ...fields, takenAt: '2020-01-01T00:00:00Z' }, archive);
    const now = await db.snapshots.create({ ...fields, takenAt: new Date().toISOString() }, Buffer.of(1, 2));

    expect(Buffer.compare((await db.snapshots.archive(old.id)) ?? Buffer.of(), archive)).toBe(0);
    expect(old).toMatchObject({ sizeBytes: 70_000, takenAt: '2020-01-01T00:00:00.000Z', nodes: fields.nodes });
    expect(await db.snapshots.get(old.id)).toEqual(old);
    expect((await db.snapshots.list({ cluster })).items.map(({ id }) => id)).toEqual([now.id, old.id]);
    expect((await db.snapshots.newest(cluster))?.id).toBe(now.id);
    await sql.query('DELETE FROM snapshots WHERE id = $1', [now.id]);
    expect((await db.snapshots.newest(cluster))?.id).toBe(old.id);
    expect(await db.snapshots.newest(cluster, 60)).toBeUndefined();
    await expect(
      db.snapshots.create({ ...fields, cluster: 'no', takenAt: old.takenAt }, archive),
    ).rejects.toMatchObject({
      code: 'CLUSTER_NOT_FOUND',
    });
    expect(await db.snapshots.get("'; DROP TABLE runs")).toBeUndefined();
  });
});

describe('runs', () => {
  it('count equal pairs once, in chunks, and end when the last one is answered', async () => {
    const cluster = await newCluster();
    async function* asked() {
      yield* pairs(5);
      yield* pairs(3);
    }
    const { run } = await db.runs.create({ cluster, pairs: asked() });
    expect(run).toMatchObject({ state: 'queued', provider: 'generic', pairs: { total: null, done: 0 } });

    const plan = await db.runs.plan(run.id, { chunkSize: 2 });

    expect(plan.chunkIds).toHaveLength(3);
    expect(plan.run).toMatchObject({ state: 'running', pairs: { total: 5, done: 0 } });
    expect(await db.runs.plan(run.id, { chunkSize: 2 })).toEqual(plan);
    const states: string[] = [];
    for (const id of plan.chunkIds) states.push((await answerAll(id, 'unreachable')).state);
    expect(states).toEqual(['running', 'running', 'succeeded']);
    const ended = await db.runs.get(run.id);
    expect(ended).toMatchObject({ pairs: { total: 5, done: 5, unreachable: 5, failed: 0 }, error: null });
    expect(ended?.finishedAt).not.toBeNull();
    expect((await db.runs.plan(run.id)).chunkIds).toEqual([]);
  });

  it('are planned once by many, and end once when all chunks end at the same time', async () => {
    const cluster = await newCluster();
    const { run } = await db.runs.create({ cluster, pairs: pairs(24) });

    const plans = await Promise.all([1, 2, 3].map(() => db.runs.plan(run.id, { chunkSize: 3 })));
    const chunkIds = plans[0]?.chunkIds ?? [];
    await Promise.all(chunkIds.map((id) => answerAll(id)));

    expect(new Set(plans.flatMap((plan) => plan.chunkIds)).size).toBe(8);
    expect(await db.runs.get(run.id)).toMatchObject({
      state: 'succeeded',
      pairs: { total: 24, done: 24, reachable: 24 },
    });
  });

  it('without pairs are over at once', async () => {
    const { run } = await db.runs.create({ cluster: await newCluster(), pairs: [] });

    expect((await db.runs.plan(run.id)).run).toMatchObject({ state: 'succeeded', pairs: { total: 0, done: 0 } });
  });

  it('leave nothing behind when their pairs cannot be read to the end', async () => {
    const cluster = await newCluster();
    async function* broken() {
      yield* pairs(1500);
      throw new Error('line 1501 is no JSON');
    }

    await expect(db.runs.create({ cluster, pairs: broken() })).rejects.toThrow('line 1501');

    const { rows } = await sql.query('SELECT 1 FROM runs WHERE cluster_name = $1', [cluster]);
    expect(rows).toEqual([]);
  });

  it('say what is not there', async () => {
    const cluster = await newCluster();
    const elsewhere = await db.snapshots.create(
      { cluster: await newCluster(), takenAt: '2026-01-01T00:00:00Z', collector: 'x', nodes: [] },
      Buffer.of(1),
    );

    await expect(db.runs.create({ cluster: 'nobody', pairs: pairs(1) })).rejects.toMatchObject({
      code: 'CLUSTER_NOT_FOUND',
    });
    for (const snapshot of ['x', elsewhere.id])
      await expect(db.runs.create({ cluster, snapshot, pairs: pairs(1) })).rejects.toMatchObject({
        code: 'SNAPSHOT_NOT_FOUND',
      });
    expect(await db.runs.get('not-an-id')).toBeUndefined();
    await expect(db.runs.plan('00000000-0000-7000-8000-000000000000')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });

  it('keep the first snapshot that they were given', async () => {
    const cluster = await newCluster();
    const fields = { cluster, takenAt: '2026-01-01T00:00:00Z', collector: 'x', nodes: [] };
    const [first, second] = [
      await db.snapshots.create(fields, Buffer.of(1)),
      await db.snapshots.create(fields, Buffer.of(2)),
    ];
    const { run } = await db.runs.create({ cluster, pairs: pairs(1) });

    expect((await db.runs.useSnapshot(run.id, first.id)).snapshot).toBe(first.id);
    expect((await db.runs.useSnapshot(run.id, second.id)).snapshot).toBe(first.id);
  });

  it('are paged newest first, and what comes later moves nothing', async () => {
    const cluster = await newCluster();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await db.runs.create({ cluster, pairs: pairs(1) })).run.id);

    const first = await db.runs.list({ cluster, pageSize: 2 });
    await db.runs.create({ cluster, pairs: pairs(1) });
    const second = await db.runs.list({ cluster, pageSize: 2, pageToken: first.nextPageToken ?? '' });
    const third = await db.runs.list({ cluster, pageSize: 2, pageToken: second.nextPageToken ?? '' });

    const seen = [first, second, third].flatMap((page) => page.items.map(({ id }) => id));
    expect(seen).toEqual(ids.toReversed());
    expect(third.nextPageToken).toBeNull();
  });
});

describe('Idempotency-Key', () => {
  it('gives the same run for the same request, and refuses another one', async () => {
    const cluster = await newCluster();
    const first = await db.runs.create({ cluster, pairs: pairs(3), idempotencyKey: 'key-1' });

    const again = await db.runs.create({ cluster, pairs: pairs(3), idempotencyKey: 'key-1' });
    const other = db.runs.create({ cluster, pairs: pairs(3, 81), idempotencyKey: 'key-1' });

    expect(first.replayed).toBe(false);
    expect(again).toEqual({ run: first.run, replayed: true });
    await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    await expect(
      db.runs.create({ cluster: await newCluster(), pairs: pairs(3), idempotencyKey: 'key-1' }),
    ).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('makes one run of requests that arrive together', async () => {
    const cluster = await newCluster();
    const create = () => db.runs.create({ cluster, pairs: pairs(40), idempotencyKey: 'key-2' });

    const all = await Promise.all([create(), create(), create(), create()]);

    expect(new Set(all.map(({ run }) => run.id)).size).toBe(1);
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect((await db.runs.list({ cluster })).items).toHaveLength(1);
    expect((await sql.query('SELECT 1 FROM runs WHERE cluster_name = $1', [cluster])).rowCount).toBe(1);
  });
});

describe('chunks', () => {
  it('are claimed by one; the same job takes over, another one when the claim has expired', async () => {
    const { chunkIds } = await plannedRun(await newCluster(), 2);
    const id = chunkIds[0] ?? '';
    const race = await Promise.all(['a', 'b', 'c'].map((owner) => db.runs.claimChunk(id, owner, 60_000)));
    const winner = ['a', 'b', 'c'][race.findIndex(({ kind }) => kind === 'claimed')] ?? '';

    expect(race.map(({ kind }) => kind).toSorted()).toEqual(['busy', 'busy', 'claimed']);
    expect((await db.runs.claimChunk(id, winner, 1)).kind).toBe('claimed');
    await sql.query(`SELECT pg_sleep(0.01)`);
    expect((await db.runs.claimChunk(id, 'd', 60_000)).kind).toBe('claimed');
    expect(await db.runs.renewClaim(id, winner, 1000)).toBeUndefined();
    expect(await db.runs.renewClaim(id, 'd', 1000)).toBe('running');
    expect(await db.runs.claimChunk('no-id', 'a', 1)).toEqual({ kind: 'over', reason: 'not-found' });
  });

  it('may run twice: each result is stored once and counted once, and keeps its place', async () => {
    const cluster = await newCluster();
    const { run, chunkIds } = await plannedRun(cluster, 3);
    const id = chunkIds[0] ?? '';
    const { chunk } = await claimed(id);
    await db.runs.storeAnswers(
      id,
      chunk.pairs.slice(0, 2).map((pair) => answer(pair)),
    );
    const before = (await db.diagnoses.list({ run: run.id })).items;

    const redelivered = await claimed(id);
    const all = chunk.pairs.map((pair) => answer(pair, 'unreachable', [blocking]));
    await Promise.all([db.runs.storeAnswers(id, all), db.runs.storeAnswers(id, all)]);
    await Promise.all([db.runs.completeChunk(id), db.runs.completeChunk(id)]);

    expect(redelivered.chunk.pairs).toHaveLength(1);
    expect(await db.runs.get(run.id)).toMatchObject({
      state: 'succeeded',
      pairs: { total: 3, done: 3, unreachable: 3 },
    });
    const after = (await db.diagnoses.list({ run: run.id })).items;
    expect(after).toHaveLength(3);
    for (const old of before)
      expect(after.find((item) => item.id === old.id)).toMatchObject({
        createdAt: old.createdAt,
        verdict: 'unreachable',
      });
    expect(await db.runs.claimChunk(id, 'late', 1)).toEqual({ kind: 'over', reason: 'done' });
  });

  it('count a failed pair until it is answered, and a retry asks for failed ones only', async () => {
    const cluster = await newCluster();
    const { run, chunkIds } = await plannedRun(cluster, 3);
    const id = chunkIds[0] ?? '';
    const [one, two, three] = (await claimed(id)).chunk.pairs;
    if (!one || !two || !three) throw new Error('three pairs expected');
    await db.runs.storeAnswers(id, [answer(one)], [{ pair: two, code: 'ENGINE_FAILED', message: 'no' }]);

    expect((await db.runs.get(run.id))?.pairs).toMatchObject({ done: 2, reachable: 1, failed: 1 });
    const failed = await db.runs.failChunk(id, { code: 'WORKER_FAILED', message: 'out of memory' });
    expect(failed).toMatchObject({ state: 'failed', pairs: { total: 3, done: 3, reachable: 1, failed: 2 } });
    expect(failed.error).toMatchObject({ code: 'PAIRS_FAILED', message: expect.stringContaining('2 of 3') });

    expect(await db.runs.retry(run.id)).toMatchObject({
      state: 'running',
      finishedAt: null,
      pairs: { done: 1, failed: 0 },
    });
    expect((await db.runs.plan(run.id)).chunkIds).toEqual([id]);
    expect((await claimed(id)).chunk.pairs).toEqual([two, three]);
    await db.runs.storeAnswers(id, [answer(two, 'partial')], [{ pair: three, code: 'X', message: 'x' }]);
    await db.runs.storeAnswers(id, [answer(three, 'undetermined')]);
    expect(await db.runs.completeChunk(id)).toMatchObject({
      state: 'succeeded',
      error: null,
      pairs: { done: 3, reachable: 1, partial: 1, undetermined: 1, failed: 0 },
    });
  });

  it('that end without all answers have failed pairs', async () => {
    const { chunkIds } = await plannedRun(await newCluster(), 2);

    expect(await db.runs.completeChunk(chunkIds[0] ?? '')).toMatchObject({
      state: 'failed',
      pairs: { done: 2, failed: 2 },
    });
  });

  it('are not handed out while their run is paused or cancelled', async () => {
    const { run, chunkIds } = await plannedRun(await newCluster(), 4, 2);
    const [first = '', second = ''] = chunkIds;
    await claimed(first, 'job');

    expect((await db.runs.pause(run.id)).state).toBe('paused');
    expect(await db.runs.claimChunk(second, 'x', 1)).toEqual({ kind: 'over', reason: 'paused' });
    expect(await db.runs.renewClaim(first, 'job', 1000)).toBe('paused');
    await db.runs.releaseChunk(first, 'job');
    expect((await db.runs.resume(run.id)).state).toBe('running');
    expect((await db.runs.plan(run.id)).chunkIds).toEqual(chunkIds);
    await answerAll(first);
    expect((await db.runs.cancel(run.id)).state).toBe('cancelled');
    expect(await db.runs.claimChunk(second, 'x', 1)).toEqual({ kind: 'over', reason: 'cancelled' });
    await expect(db.runs.pause(run.id)).rejects.toMatchObject({ code: 'RUN_STATE_CONFLICT' });
    await expect(db.runs.cancel(run.id)).rejects.toMatchObject({ code: 'RUN_STATE_CONFLICT' });
    await db.runs.retry(run.id);
    expect((await answerAll(second)).state).toBe('succeeded');
  });

  it.each([
    { what: 'cancelled', end: (id: string) => db.runs.cancel(id) },
    { what: 'failed', end: (id: string) => db.runs.fail(id, { code: 'X', message: 'x' }) },
  ])('count nothing after their run was $what', async ({ what, end }) => {
    const { run, chunkIds } = await plannedRun(await newCluster(), 6, 3);
    const [first = '', second = ''] = chunkIds;
    const { chunk } = await claimed(first, 'job');
    const [one, ...others] = chunk.pairs;
    if (one === undefined) throw new Error('three pairs expected');
    expect(await db.runs.storeAnswers(first, [answer(one)])).toBe(true);

    const ended = await end(run.id);

    expect(ended).toMatchObject({ state: what, pairs: { done: 1 } });
    expect(
      await db.runs.storeAnswers(
        first,
        others.map((pair) => answer(pair)),
      ),
    ).toBe(false);
    expect(await db.runs.storeAnswers(first, [], [{ pair: one, code: 'X', message: 'x' }])).toBe(false);
    await db.runs.completeChunk(first);
    await db.runs.failChunk(second, { code: 'X', message: 'x' });
    expect(await db.runs.get(run.id)).toEqual(ended);
    expect((await db.diagnoses.list({ run: run.id })).items).toHaveLength(1);
    await db.runs.retry(run.id);
    await answerAll(first);
    expect(await answerAll(second)).toMatchObject({ state: 'succeeded', pairs: { done: 6, reachable: 6 } });
  });

  it('that are just being stored are part of what a cancelled run has', async () => {
    const { run, chunkIds } = await plannedRun(await newCluster(), 300, 100);
    const chunks = await Promise.all(chunkIds.map((id) => claimed(id, id)));
    let begun: (value?: unknown) => void = () => undefined;
    const first = new Promise((resolve) => (begun = resolve));
    // Each worker stores one pair after the other: the run is cancelled in the midst of that, however fast the machine is.
    const stores = chunks.map(async ({ chunk }) => {
      let count = 0;
      for (const pair of chunk.pairs) {
        if (await db.runs.storeAnswers(chunk.id, [answer(pair)])) count += 1;
        begun();
      }
      return count;
    });
    await first;

    const ended = await db.runs.cancel(run.id);
    const stored = (await Promise.all(stores)).reduce((sum, count) => sum + count, 0);

    expect(ended.pairs.done).toBe(stored);
    expect(stored).toBeLessThan(300);
    expect(await db.runs.get(run.id)).toEqual(ended);
  });

  it('and runs whose job vanished are found, those that wait or are worked on are not', async () => {
    const cluster = await newCluster();
    const { run, chunkIds } = await plannedRun(cluster, 6, 2);
    const [lost = '', queued = '', dead = ''] = chunkIds;
    const unplanned = (await db.runs.create({ cluster, pairs: pairs(1), interactive: true })).run;
    await db.runs.markQueued([queued]);
    await db.runs.claimChunk(dead, 'killed', 1);
    await sql.query(`UPDATE runs SET touched_at = now() - interval '1 hour' WHERE cluster_name = $1`, [cluster]);
    const ours = (found: { readonly id: string }[]) => found.map(({ id }) => id).filter((id) => id !== '');

    const { runs, chunks } = await db.runs.findStranded(60_000, 1000);

    const mine = chunks.filter((chunk) => chunk.run === run.id);
    expect(ours(mine).toSorted()).toEqual([lost, dead].toSorted());
    expect(runs).toContainEqual({ id: unplanned.id, provider: 'generic', interactive: true });
    expect(runs.map(({ id }) => id)).not.toContain(run.id);
  });

  it('and submissions that a crash cut off are dropped', async () => {
    const cluster = await newCluster();
    await sql.query(
      `INSERT INTO runs (id, cluster_name, created_at) VALUES (gen_random_uuid(), $1, now() - interval '2 hours')`,
      [cluster],
    );

    expect((await db.runs.list({ cluster })).items).toEqual([]);
    expect(await db.runs.dropAbandoned(3_600_000)).toBe(1);
    expect(await db.runs.dropAbandoned(3_600_000)).toBe(0);
  });
});

describe('diagnoses', () => {
  it('come back as they were, with their circumstances', async () => {
    const cluster = await newCluster();
    const snapshot = await db.snapshots.create(
      { cluster, takenAt: '2026-01-01T00:00:00Z', collector: 'x', nodes: [] },
      Buffer.of(1),
    );
    const { run } = await db.runs.create({ cluster, snapshot: snapshot.id, pairs: pairs(1) });
    const { chunkIds } = await db.runs.plan(run.id);
    const { chunk } = await claimed(chunkIds[0]);
    const pair = chunk.pairs[0];
    if (!pair) throw new Error('one pair expected');
    const info = { ...blocking, blocking: false, level: 'info' as const, message: 'nul \0 and \ud800' };
    const given = diagnosisOf(pair, 'unreachable', [info, blocking]);
    await db.runs.storeAnswers(chunk.id, [{ pair, diagnosis: given, workloadKey: 'w' }]);

    const key = pairKey(cluster, pair);
    const stored = await db.diagnoses.get(diagnosisId(run.id, key));

    expect(stored).toEqual({
      ...given,
      suspicions: [{ ...info, message: 'nul \ufffd and \ufffd' }, blocking],
      id: diagnosisId(run.id, key),
      run: run.id,
      cluster,
      snapshot: snapshot.id,
      pairKey: key,
      workloadKey: 'w',
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      pair: { id: 'p0', source: 'pod/default/web-0', destination: '10.0.0.0', port: 80, protocol: 'tcp' },
    });
    expect(stored?.id).toMatch(/^[0-9a-f]{32}$/);
    expect(await db.diagnoses.get('nobody')).toBeUndefined();
  });

  it('store equal paths and suspicions once', async () => {
    const cluster = await newCluster();
    const count = async (table: string) =>
      Number((await sql.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);
    const first = await plannedRun(cluster, 4);
    await claimed(first.chunkIds[0]);
    await answerAll(first.chunkIds[0] ?? '');
    const paths = await count('packet_paths');

    const second = await plannedRun(cluster, 4);
    await answerAll(second.chunkIds[0] ?? '');

    expect(await count('packet_paths')).toBe(paths);
    const { rows } = await sql.query(`SELECT fingerprint, blocking FROM suspicions WHERE code = 'FILTER_DROP'`);
    expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(rows.length);
  });

  describe('are filtered', () => {
    let cluster: string;
    let run: RunRecord;
    beforeAll(async () => {
      cluster = await newCluster();
      const plan = await plannedRun(cluster, 5);
      run = plan.run;
      const { chunk } = await claimed(plan.chunkIds[0]);
      const verdicts: Verdict[] = ['reachable', 'unreachable', 'unreachable', 'partial', 'undetermined'];
      const answers = chunk.pairs.map((pair, i) =>
        answer(pair, verdicts[i], verdicts[i] === 'unreachable' ? [blocking] : []),
      );
      await db.runs.storeAnswers(chunk.id, answers);
    });

    it.each([
      { filter: {}, count: 5 },
      { filter: { verdict: 'unreachable' as const }, count: 2 },
      { filter: { verdict: ['partial', 'reachable'] as const }, count: 2 },
      { filter: { symptom: 'connected' as const }, count: 1 },
      { filter: { code: 'FILTER_DROP' }, count: 2 },
      { filter: { code: 'FILTER_DROP', verdict: 'partial' as const }, count: 0 },
      { filter: { namespace: 'default' }, count: 5 },
      { filter: { namespace: 'kube-system' }, count: 0 },
      { filter: { pod: 'web-0' }, count: 5 },
      { filter: { pod: 'default/web-0' }, count: 5 },
      { filter: { pod: 'other/web-0' }, count: 0 },
      { filter: { service: 'web-0' }, count: 0 },
      { filter: { node: 'node1' }, count: 5 },
      { filter: { node: 'node2' }, count: 0 },
      { filter: { ip: '10.0.0.3' }, count: 1 },
      { filter: { ip: '10.244.1.2' }, count: 5 },
      { filter: { port: 80 }, count: 5 },
      { filter: { port: 81 }, count: 0 },
      { filter: { run: 'no-id' }, count: 0 },
      { filter: { since: '2020-01-01T00:00:00Z' }, count: 5 },
      { filter: { until: '2020-01-01T00:00:00Z' }, count: 0 },
      { filter: { code: 'a\0b' }, count: 0 },
    ])('by $filter', async ({ filter, count }) => {
      expect((await db.diagnoses.list({ cluster, ...filter })).items).toHaveLength(count);
    });

    it('by the key of a pair, and paged in a stable order', async () => {
      const all = (await db.diagnoses.list({ run: run.id })).items;
      const one = all[2];
      const seen: string[] = [];
      let pageToken: string | undefined;
      do {
        const page = await db.diagnoses.list({ run: run.id }, { pageSize: 2, pageToken });
        seen.push(...page.items.map(({ id }) => id));
        pageToken = page.nextPageToken ?? undefined;
      } while (pageToken !== undefined);

      expect(seen).toEqual(all.map(({ id }) => id));
      expect((await db.diagnoses.list({ pairKey: one?.pairKey })).items).toEqual([one]);
      expect((await db.diagnoses.list({ workloadKey: one?.workloadKey, cluster })).items).toEqual([one]);
      const streamed: string[] = [];
      for await (const item of db.diagnoses.stream({ run: run.id })) streamed.push(item.id);
      expect(streamed).toEqual(seen);
    });
  });
});
