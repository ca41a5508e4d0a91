import { request } from 'node:http';
import pg from 'pg';
import { z } from 'zod';
import { Cluster, ClusterList, ProviderList } from '../../apps/api/src/schemas/cluster.js';
import { Diagnosis, DiagnosisDiff, DiagnosisList, PacketPath } from '../../apps/api/src/schemas/diagnosis.js';
import { DiagnosisPending } from '../../apps/api/src/schemas/diagnosis-request.js';
import { Run, RunEstimate, RunList } from '../../apps/api/src/schemas/run.js';
import { Snapshot, SnapshotList } from '../../apps/api/src/schemas/snapshot.js';
import { Problem } from '#libs/server';
import { Api, eventually, textAt } from '../support/api.js';
import { packArchive, smallSnapshot, zeros } from '../support/archives.js';
import { BACKENDS, type Backend } from '../support/backends.js';
import { buildAll, startApi, startEchoWorker } from '../support/hopscope.js';
import type { StartedProcess } from '../support/processes.js';

jest.setTimeout(120_000);

const NDJSON = { 'Content-Type': 'application/x-ndjson' };
const PAIR = { source: 'pod/shop/web-0', destination: '10.244.2.7', port: 80, protocol: 'tcp' };

beforeAll(() => buildAll());

for (const kind of BACKENDS)
  if (kind.missing !== undefined) console.warn(`the queue on ${kind.name} is not tested: ${kind.missing}`);

describe.each(BACKENDS.filter(({ missing }) => missing === undefined))('API and worker, queue on $name', (kind) => {
  let backend: Backend;
  let database: pg.Client;
  let apiProcess: StartedProcess;
  let worker: StartedProcess;
  let api: Api;

  beforeAll(async () => {
    backend = await kind.start();
    // At the same time, on an empty database: whoever comes first migrates.
    const [started, echo] = await Promise.all([startApi(backend.env), startEchoWorker(backend.env)]);
    apiProcess = started.process;
    api = new Api(started.url);
    worker = echo;
    database = new pg.Client({ connectionString: backend.env.DATABASE_URL });
    await database.connect();
    await cluster('prod-1');
    expect((await api.upload('prod-1', await smallSnapshot('whatever'))).status).toBe(201);
  });

  afterAll(async () => {
    await database?.end();
    const codes = await Promise.all([apiProcess?.stop(), worker?.stop()]);
    await backend?.stop();
    // SIGTERM ends them cleanly, whatever the tests did to them.
    expect(codes).toEqual([0, 0]);
  });

  async function cluster(name: string, settings: object = {}): Promise<void> {
    const answer = await api.call('/v1/clusters', { json: { name, provider: 'echo', settings } });
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining(name)]);
  }

  async function diagnose(pair: object = PAIR, name = 'prod-1') {
    const answer = await api.call('/v1/diagnoses?wait=30s', { json: { cluster: name, ...pair } });
    expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
    return Diagnosis.parse(answer.json);
  }

  async function finished(runId: string, timeoutMs = 60_000) {
    return eventually(`run ${runId} ends`, timeoutMs, async () => {
      const run = Run.parse((await api.call(`/v1/runs/${runId}`)).json);
      return ['succeeded', 'failed', 'cancelled'].includes(run.state) ? run : undefined;
    });
  }

  const asLines = (pairs: readonly object[]) => pairs.map((pair) => JSON.stringify(pair)).join('\n');
  const manyPairs = (count: number) => Array.from({ length: count }, (_, i) => ({ ...PAIR, sourcePort: 10_000 + i }));

  describe('clusters and providers', () => {
    it('lists the providers that workers host, with the schema of their settings', async () => {
      const { items } = ProviderList.parse((await api.call('/v1/providers')).json);

      expect(items.map(({ name }) => name)).toEqual(['echo']);
      expect(items[0]?.settingsSchema).toHaveProperty('properties.delayMs');
    });

    it('registers, shows, changes, lists and removes a cluster, and never gives a secret back', async () => {
      const created = await api.call('/v1/clusters', {
        json: { name: 'tmp', provider: 'echo', settings: { token: 'hush-hush' }, labels: { team: 'a' } },
      });
      const changed = await api.call('/v1/clusters/tmp', { method: 'PATCH', json: { labels: { team: 'b' } } });
      const listed = await api.call('/v1/clusters');
      const again = await api.call('/v1/clusters', { json: { name: 'tmp', provider: 'echo' } });
      const deleted = await api.call('/v1/clusters/tmp', { method: 'DELETE' });

      expect(created.status).toBe(201);
      expect(Cluster.parse(created.json)).toMatchObject({ name: 'tmp', settings: { token: '[redacted]' } });
      expect(Cluster.parse(changed.json).labels).toEqual({ team: 'b' });
      expect(ClusterList.parse(listed.json).items.map(({ name }) => name)).toContain('tmp');
      expect(`${created.text}${changed.text}${listed.text}`).not.toContain('hush');
      expect([again.status, textAt(again.json, 'code')]).toEqual([409, 'CLUSTER_EXISTS']);
      expect(deleted.status).toBe(204);
      expect((await api.call('/v1/clusters/tmp')).status).toBe(404);
    });
  });

  describe('snapshots', () => {
    it('stores an upload, shows it and gives the same bytes back', async () => {
      const archive = await smallSnapshot('named-inside', '2026-11-02T00:00:00Z');

      const uploaded = await api.upload('prod-1', archive);
      const snapshot = Snapshot.parse(uploaded.json);
      const listed = SnapshotList.parse((await api.call('/v1/snapshots?cluster=prod-1')).json);
      const bytes = await fetch(`${api.url}/v1/snapshots/${snapshot.id}/archive`);

      expect(uploaded.headers.get('Location')).toBe(`/v1/snapshots/${snapshot.id}`);
      expect(snapshot).toMatchObject({ cluster: 'prod-1', nodes: [{ name: 'node1', error: null }] });
      expect(listed.items.map(({ id }) => id)).toContain(snapshot.id);
      expect(Buffer.from(await bytes.arrayBuffer()).equals(archive)).toBe(true);
    });
  });

  describe('one diagnosis', () => {
    it('answers within wait, and its row and path are in the database', async () => {
      const diagnosis = await diagnose({ ...PAIR, port: 81 });

      expect(diagnosis).toMatchObject({ cluster: 'prod-1', verdict: 'unreachable', symptom: 'timeout', port: 81 });
      expect(diagnosis.blocking[0]?.evidence[0]?.text).toBe('-A FORWARD -j DROP');
      const rows = await database.query(
        'SELECT 1 FROM diagnoses d JOIN packet_paths p ON p.hash = d.path_hash WHERE d.id = $1',
        [diagnosis.id],
      );
      expect(rows.rowCount).toBe(1);
    });

    it('answers 202 with where it will be when nobody waits', async () => {
      const asked = await api.call('/v1/diagnoses', { json: { cluster: 'prod-1', ...PAIR } });
      const { id, run } = DiagnosisPending.parse(asked.json);

      expect([asked.status, asked.headers.get('Location')]).toEqual([202, `/v1/diagnoses/${id}`]);
      await finished(run);
      expect(Diagnosis.parse((await api.call(`/v1/diagnoses/${id}`)).json).run).toBe(run);
    });

    it('says so when the engine fails on the pair, and goes on with others', async () => {
      const failed = await api.call('/v1/diagnoses?wait=30s', { json: { cluster: 'prod-1', ...PAIR, port: 666 } });

      expect(failed.status).toBe(202);
      expect(DiagnosisPending.parse(failed.json)).toMatchObject({ state: 'failed' });
      expect((await diagnose()).verdict).toBe('reachable');
    });

    it('gives its path as JSON, Mermaid and text, by extension and by Accept', async () => {
      const { id } = await diagnose();
      const get = (path: string, accept?: string) =>
        api.call(`/v1/diagnoses/${id}${path}`, accept === undefined ? {} : { headers: { Accept: accept } });

      expect(PacketPath.parse((await get('/path')).json).nodes).toHaveLength(2);
      expect((await get('/path.json')).text).toBe((await get('/path', 'application/json')).text);
      expect((await get('/path.mermaid')).text).toMatch(/^flowchart LR\n/);
      expect((await get('/path', 'text/vnd.mermaid')).headers.get('Content-Type')).toContain('text/vnd.mermaid');
      expect((await get('/path.txt')).text).toContain('REACHABLE');
      expect((await get('/path.d2')).text).toMatch(/^direction: right\n/);
      expect((await get('/path.dot')).text).toMatch(/^digraph path \{\n/);
      expect((await get('/path.svg')).text).toMatch(/^<svg /);
      expect((await get('/path', 'image/svg+xml')).headers.get('Content-Type')).toContain('image/svg+xml');
      expect((await get('/path', 'text/plain')).text).toContain('REACHABLE');
      expect((await get('/path.png')).status).toBe(406);
      expect((await get('/path', 'image/png')).status).toBe(406);
    });

    it('is compared with another one hop by hop', async () => {
      const [before, after] = [await diagnose(), await diagnose({ ...PAIR, port: 81 })];

      const diff = DiagnosisDiff.parse((await api.call(`/v1/diagnoses/${before.id}/diff/${after.id}`)).json);
      const self = DiagnosisDiff.parse((await api.call(`/v1/diagnoses/${before.id}/diff/${before.id}`)).json);

      expect(diff).toMatchObject({
        same: false,
        verdict: { before: 'reachable', after: 'unreachable', changed: true },
      });
      expect(diff.suspicions.added.map(({ code }) => code)).toEqual(['FILTER_DROP']);
      expect(diff.forward.map(({ change }) => change)).toEqual(['changed']);
      expect(self.same).toBe(true);
    });
  });

  describe('lists', () => {
    it.each([
      { query: 'verdict=unreachable', finds: true },
      { query: 'verdict=reachable', finds: false },
      { query: 'verdict=reachable,unreachable', finds: true },
      { query: 'code=FILTER_DROP', finds: true },
      { query: 'code=NO_ROUTE', finds: false },
      { query: 'namespace=shop', finds: true },
      { query: 'namespace=other', finds: false },
      { query: 'pod=lists-0', finds: true },
      { query: 'pod=shop/lists-0', finds: true },
      { query: 'node=node1', finds: true },
      { query: 'service=lists-0', finds: false },
      { query: 'ip=10.244.2.9', finds: true },
      { query: 'ip=10.244.2.99', finds: false },
      { query: 'port=8443', finds: true },
      { query: 'port=8444', finds: false },
      { query: 'since=2020-01-01T00:00:00Z', finds: true },
      { query: 'until=2020-01-01T00:00:00Z', finds: false },
      { query: 'since=2020-01-01T02:00:00%2B02:00&cluster=prod-1', finds: true },
      { query: 'cluster=nobody', finds: false },
    ])('diagnoses filtered by $query', async ({ query, finds }) => {
      const { id } = await diagnose({ ...PAIR, source: 'pod/shop/lists-0', destination: '10.244.2.9', port: 8443 });

      const list = DiagnosisList.parse((await api.call(`/v1/diagnoses?pageSize=1000&${query}`)).json);

      expect(list.items.some((item) => item.id === id)).toBe(finds);
    });

    it('go on from page to page without a gap, and can be had as lines', async () => {
      const submitted = await api.call('/v1/runs', { json: { cluster: 'prod-1', pairs: manyPairs(25) } });
      const run = await finished(textAt(submitted.json, 'id'));
      const seen: string[] = [];
      for (let token: string | null = ''; token !== null;) {
        const page: z.output<typeof DiagnosisList> = DiagnosisList.parse(
          (await api.call(`/v1/runs/${run.id}/diagnoses?pageSize=10${token === '' ? '' : `&pageToken=${token}`}`)).json,
        );
        seen.push(...page.items.map(({ id }) => id));
        token = page.nextPageToken;
      }
      const lines = await api.call(`/v1/runs/${run.id}/diagnoses`, { headers: { Accept: 'application/x-ndjson' } });

      expect(new Set(seen).size).toBe(25);
      expect(lines.headers.get('Content-Type')).toContain('application/x-ndjson');
      expect(
        lines.text
          .trim()
          .split('\n')
          .map((line) => Diagnosis.parse(JSON.parse(line)).id)
          .toSorted(),
      ).toEqual(seen.toSorted());
    });
  });

  describe('runs', () => {
    it('answer equal pairs once and count by verdict', async () => {
      const pairs = [PAIR, PAIR, { ...PAIR, port: 81 }, { ...PAIR, port: 666 }];

      const submitted = await api.call('/v1/runs?cluster=prod-1', { raw: asLines(pairs), headers: NDJSON });
      const run = await finished(Run.parse(submitted.json).id);

      expect([submitted.status, submitted.headers.get('Location')]).toEqual([202, `/v1/runs/${run.id}`]);
      expect(run.pairs).toMatchObject({ total: 3, done: 3, reachable: 1, unreachable: 1, failed: 1 });
      expect(RunList.parse((await api.call('/v1/runs?cluster=prod-1')).json).items.map(({ id }) => id)).toContain(
        run.id,
      );
    });

    it('are the same run for the same idempotency key, and refused for another body', async () => {
      const submit = (pairs: readonly object[]) =>
        api.call('/v1/runs', {
          json: { cluster: 'prod-1', pairs },
          headers: { 'Idempotency-Key': `key-${kind.name}` },
        });

      const first = Run.parse((await submit([PAIR])).json);
      const second = Run.parse((await submit([PAIR])).json);
      const other = await submit([{ ...PAIR, port: 82 }]);

      expect(second.id).toBe(first.id);
      expect([other.status, textAt(other.json, 'code')]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
      expect(Problem.parse(other.json).errors).toMatchObject([{ path: '/headers/Idempotency-Key' }]);
    });

    it('are only counted with dryRun', async () => {
      const before = RunList.parse((await api.call('/v1/runs?pageSize=1000')).json).items.length;

      const dry = await api.call('/v1/runs?dryRun=true', {
        json: { cluster: 'prod-1', pairs: [...manyPairs(120), PAIR, PAIR] },
      });

      expect(dry.status).toBe(200);
      expect(RunEstimate.parse(dry.json)).toMatchObject({ pairs: 121, duplicates: 1, nodes: 1, chunks: 3 });
      expect(RunList.parse((await api.call('/v1/runs?pageSize=1000')).json).items).toHaveLength(before);
    });

    it('stop when they are cancelled, and keep what is answered', async () => {
      await cluster('slow-to-cancel', { delayMs: 30 });
      await api.upload('slow-to-cancel', await smallSnapshot('x'));
      const submitted = await api.call('/v1/runs', { json: { cluster: 'slow-to-cancel', pairs: manyPairs(400) } });
      const id = textAt(submitted.json, 'id');
      await eventually('the run begins', 20_000, async () => {
        const run = Run.parse((await api.call(`/v1/runs/${id}`)).json);
        return run.state === 'running' ? run : undefined;
      });

      const cancelled = await api.call(`/v1/runs/${id}/cancel`, { method: 'POST' });
      const again = await api.call(`/v1/runs/${id}/cancel`, { method: 'POST' });

      expect(Run.parse(cancelled.json).state).toBe('cancelled');
      expect([200, 409]).toContain(again.status);
      expect(Run.parse((await api.call(`/v1/runs/${id}`)).json).pairs.done).toBeLessThan(400);
    });
  });

  describe('operations', () => {
    it('says that it lives, is ready and how much it did', async () => {
      expect((await api.call('/livez')).status).toBe(200);
      expect((await api.call('/readyz')).json).toEqual({ status: 'ok' });
      expect((await api.call('/metrics')).text).toContain('hopscope_http_requests_total{');
    });

    it('shows the queues and their jobs on the board', async () => {
      await diagnose();

      const page = await api.call('/queues');
      const board = await api.call('/queues/api/queues?activeQueue=echo-interactive&status=completed');

      expect([page.status, page.headers.get('Content-Type')]).toEqual([200, expect.stringContaining('text/html')]);
      const { queues } = z
        .object({ queues: z.array(z.object({ name: z.string(), counts: z.object({ completed: z.int() }) })) })
        .parse(board.json);
      expect(queues.map(({ name }) => name).toSorted()).toEqual(['echo', 'echo-interactive']);
      expect(queues.find(({ name }) => name === 'echo-interactive')?.counts.completed).toBeGreaterThan(0);
    });

    it('describes itself in OpenAPI 3.1, browsable without the internet', async () => {
      const openApi = z
        .object({ openapi: z.string(), paths: z.record(z.string(), z.unknown()), components: z.unknown() })
        .parse((await api.call('/openapi.json')).json);
      const page = await api.call('/docs');
      const references = [...JSON.stringify(openApi).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
        ([, name]) => name,
      );

      expect(openApi.openapi).toBe('3.1.0');
      for (const path of ['/v1/clusters/{name}', '/v1/snapshots', '/v1/runs', '/v1/diagnoses/{id}/diff/{other}'])
        expect(Object.keys(openApi.paths)).toContain(path);
      expect(references).toContain('Diagnosis');
      for (const name of new Set(references)) expect(openApi).toHaveProperty(`components.schemas.${name}`);
      expect(openApi).toHaveProperty('components.schemas.DiagnosisInput.properties.cluster');
      expect(JSON.stringify(openApi)).not.toContain('$defs');
      expect(openApi).toHaveProperty([
        'paths',
        '/v1/runs',
        'post',
        'responses',
        '4XX',
        'content',
        'application/problem+json',
      ]);
      expect(page.status).toBe(200);
      expect(page.text).not.toMatch(/(src|href)="https?:/);
    });
  });

  describe('bad input', () => {
    it('a request under the name of a web page is answered with 403 (DNS rebinding)', async () => {
      const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const asked = request(`${api.url}/v1/runs`, { headers: { host: 'evil.example' } }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode, text }));
        });
        asked.on('error', reject).end();
      });

      expect(answer.status).toBe(403);
      expect(Problem.parse(JSON.parse(answer.text)).code).toBe('HOST_NOT_ALLOWED');
    });

    const id = '0'.repeat(32);
    it.each([
      {
        what: 'a bad address',
        path: '/v1/diagnoses',
        json: { cluster: 'prod-1', ...PAIR, source: '10.0.0.999' },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: '/source',
      },
      {
        what: 'port 0',
        path: '/v1/diagnoses',
        json: { cluster: 'prod-1', ...PAIR, port: 0 },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: '/port',
      },
      {
        what: 'port 0 in a list',
        path: '/v1/runs',
        json: { cluster: 'prod-1', pairs: [PAIR, { ...PAIR, port: 0 }] },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: '/pairs/1/port',
      },
      {
        what: 'an unknown field',
        path: '/v1/diagnoses',
        json: { cluster: 'prod-1', ...PAIR, ports: 1 },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: '/ports',
      },
      {
        what: 'NUL in a text',
        path: '/v1/runs',
        json: { cluster: 'prod-1', pairs: [{ ...PAIR, id: 'a\u0000' }] },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: '/pairs/0/id',
      },
      {
        what: 'no body',
        path: '/v1/runs',
        raw: '',
        headers: { 'Content-Type': 'application/json' },
        status: 422,
        code: 'VALIDATION_FAILED',
      },
      {
        what: 'a form',
        path: '/v1/diagnoses',
        raw: 'a=b',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        status: 415,
        code: 'UNSUPPORTED_MEDIA_TYPE',
      },
      {
        what: 'broken JSON',
        path: '/v1/diagnoses',
        raw: '{"cluster": ',
        headers: { 'Content-Type': 'application/json' },
        status: 400,
        code: 'INVALID_JSON',
      },
      {
        what: 'a broken line',
        path: '/v1/runs?cluster=prod-1',
        raw: '{"source": ',
        headers: NDJSON,
        status: 422,
        code: 'VALIDATION_FAILED',
        at: '/pairs/0',
      },
      {
        what: 'an unknown cluster',
        path: '/v1/diagnoses',
        json: { cluster: 'nobody', ...PAIR },
        status: 404,
        code: 'CLUSTER_NOT_FOUND',
      },
      {
        what: 'an unknown cluster of an upload',
        path: '/v1/snapshots?cluster=nobody',
        raw: 'x',
        headers: { 'Content-Type': 'application/gzip' },
        status: 404,
        code: 'CLUSTER_NOT_FOUND',
      },
      {
        what: 'a gzip that is said to be JSON',
        path: '/v1/snapshots',
        raw: zeros(100),
        headers: { 'Content-Type': 'application/json' },
        status: 415,
        code: 'UNSUPPORTED_MEDIA_TYPE',
      },
      {
        what: 'a gzip that is said to be JSON elsewhere',
        path: '/v1/runs',
        raw: zeros(100),
        headers: { 'Content-Type': 'application/json' },
        status: 400,
        code: 'INVALID_JSON',
      },
      {
        what: 'settings and overrides that do not fit',
        path: '/v1/clusters',
        json: { name: 'p', provider: 'echo', settings: { delayMs: -1 }, overrides: { clusterCidr: ['bad'] } },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: ['/overrides/clusterCidr/0', '/settings/delayMs'],
      },
      {
        what: 'a change to settings and labels that do not fit',
        path: '/v1/clusters/prod-1',
        method: 'PATCH',
        json: { settings: { delayMs: -1 }, labels: { a: 1 } },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: ['/labels/a', '/settings/delayMs'],
      },
      {
        what: 'a pair without a port, with an id that is none',
        path: '/v1/runs',
        json: { cluster: 'prod-1', pairs: [{ source: PAIR.source, destination: PAIR.destination, id: {} }] },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: ['/pairs/0/id', '/pairs/0/port'],
      },
      { what: 'a page size twice', path: '/v1/runs?pageSize=1&pageSize=2', status: 422, code: 'VALIDATION_FAILED' },
      {
        what: 'an unknown snapshot',
        path: '/v1/diagnoses',
        json: { cluster: 'prod-1', snapshot: 'x', ...PAIR },
        status: 404,
        code: 'SNAPSHOT_NOT_FOUND',
      },
      {
        what: 'a cluster without a snapshot',
        path: '/v1/diagnoses',
        json: { cluster: 'empty', ...PAIR },
        status: 422,
        code: 'NO_SNAPSHOT',
      },
      {
        what: 'an unknown provider',
        path: '/v1/clusters',
        json: { name: 'p', provider: 'nimbus' },
        status: 422,
        code: 'UNKNOWN_PROVIDER',
        at: '/provider',
      },
      {
        what: 'settings that do not fit',
        path: '/v1/clusters',
        json: { name: 'p', provider: 'echo', settings: { delayMs: -1 } },
        status: 422,
        code: 'VALIDATION_FAILED',
        at: '/settings/delayMs',
      },
      {
        what: 'a kubeconfig',
        path: '/v1/clusters',
        json: { name: 'p', provider: 'echo', access: { kind: 'kubeconfig', kubeconfig: 'hush' } },
        status: 422,
        code: 'ACCESS_KIND_UNSUPPORTED',
        at: '/access/kind',
      },
      {
        what: 'an unknown query parameter',
        path: '/v1/diagnoses?vredict=reachable',
        status: 422,
        code: 'VALIDATION_FAILED',
        at: '/vredict',
      },
      {
        what: 'a page token of nobody',
        path: '/v1/runs?pageToken=zzz',
        status: 422,
        code: 'INVALID_PAGE_TOKEN',
        at: '/pageToken',
      },
      { what: 'an unknown diagnosis', path: `/v1/diagnoses/${id}`, status: 404, code: 'DIAGNOSIS_NOT_FOUND' },
      { what: 'a malformed id', path: `/v1/runs/'--`, status: 404, code: 'RUN_NOT_FOUND' },
      { what: 'NUL in a path', path: '/v1/clusters/a%00b', status: 404, code: 'CLUSTER_NOT_FOUND' },
      { what: 'a broken escape', path: '/v1/clusters/%ff', status: 404, code: 'NOT_FOUND' },
      { what: 'an unknown path', path: '/v2/nothing', status: 404, code: 'NOT_FOUND' },
    ])('$what is answered with $status $code', async ({ path, status, code, at, ...call }) => {
      await api.call('/v1/clusters', { json: { name: 'empty', provider: 'echo' } });

      const answer = await api.call(path, call);
      const problem = Problem.parse(answer.json);

      expect([answer.status, problem.code]).toEqual([status, code]);
      expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
      if (at !== undefined)
        expect(problem.errors?.map((error) => error.path)).toEqual(expect.arrayContaining([at].flat()));
      if (status === 422) expect(problem.errors).not.toHaveLength(0);
      expect(answer.text).not.toMatch(/[\p{Cc}\ufffd]|\\u00|Invalid input|received|\bexpected\b/u);
      expect(answer.text).not.toMatch(/at .*\.(js|ts):\d|<html|hush/);
    });

    it('a body that is too large is answered with 413', async () => {
      const answer = await api.call('/v1/runs', {
        raw: `{"cluster": "prod-1", "x": "${'x'.repeat(17 * 1024 * 1024)}"}`,
        headers: { 'Content-Type': 'application/json' },
      });

      expect([answer.status, textAt(answer.json, 'code')]).toEqual([413, 'BODY_TOO_LARGE']);
    });

    it('tells everything that is wrong at once', async () => {
      const answer = await api.call('/v1/diagnoses', {
        json: { cluster: 'prod-1', source: '10.0.0.999', destination: 'x', port: 70_000, protocol: 'icmp' },
      });

      expect(Problem.parse(answer.json).errors?.map(({ path }) => path)).toEqual([
        '/source',
        '/destination',
        '/port',
        '/protocol',
      ]);
    });

    it('archives that are no snapshots are refused, and the next request is answered', async () => {
      const good = await smallSnapshot('prod-1');
      const traversal = await packArchive({ '../../etc/cron.d/x': 'boo' });
      const bomb = await packArchive({ 'snapshot.json': Buffer.alloc(100 * 1024 * 1024) });

      const answers = {
        truncated: await api.upload('prod-1', good.subarray(0, good.length - 20)),
        traversal: await api.upload('prod-1', traversal),
        zeros: await api.upload('prod-1', zeros(100 * 1024 * 1024)),
        rawZeros: await api.upload('prod-1', Buffer.alloc(100 * 1024 * 1024)),
        bomb: await api.upload('prod-1', bomb),
      };

      expect(textAt(answers.truncated.json, 'code')).toBe('SNAPSHOT_TRUNCATED');
      expect(answers.traversal.text).toContain('SNAPSHOT_PATH_TRAVERSAL');
      expect(textAt(answers.rawZeros.json, 'code')).toBe('SNAPSHOT_NOT_GZIP');
      expect(textAt(answers.bomb.json, 'code')).toBe('SNAPSHOT_TOO_LARGE');
      for (const answer of Object.values(answers)) expect([413, 422]).toContain(answer.status);
      expect((await api.upload('prod-1', good)).status).toBe(201);
    });
  });

  describe('stopping', () => {
    it('a worker in mid-run ends it soon, and the next worker goes on at once', async () => {
      const count = 600;
      await cluster('stopped', { delayMs: 20 });
      await api.upload('stopped', await smallSnapshot('x'));
      const submitted = await api.call('/v1/runs?cluster=stopped', { raw: asLines(manyPairs(count)), headers: NDJSON });
      const id = textAt(submitted.json, 'id');
      await eventually('some pairs are done', 30_000, async () => {
        const run = Run.parse((await api.call(`/v1/runs/${id}`)).json);
        return run.pairs.done > 20 ? run : undefined;
      });

      const began = Date.now();
      const code = await worker.stop();
      const stoppedMs = Date.now() - began;
      const left = Run.parse((await api.call(`/v1/runs/${id}`)).json);
      worker = await startEchoWorker(backend.env);
      const run = await finished(id);

      expect(code).toBe(0);
      expect(stoppedMs).toBeLessThan(10_000);
      expect(left).toMatchObject({ state: 'running' });
      expect(run).toMatchObject({ state: 'succeeded', pairs: { total: count, done: count, reachable: count } });
    });
  });

  describe('kill -9', () => {
    it('of API and worker in mid-run loses nothing and stores each result once', async () => {
      const count = 1200;
      await cluster('killed', { delayMs: 5 });
      await api.upload('killed', await smallSnapshot('x'));
      const submitted = await api.call('/v1/runs?cluster=killed', { raw: asLines(manyPairs(count)), headers: NDJSON });
      const id = textAt(submitted.json, 'id');
      const midway = await eventually('some pairs are done', 30_000, async () => {
        const run = Run.parse((await api.call(`/v1/runs/${id}`)).json);
        return run.pairs.done > 100 ? run : undefined;
      });
      expect(midway.state).toBe('running');

      await Promise.all([apiProcess.kill(), worker.kill()]);
      const [started, echo] = await Promise.all([startApi(backend.env), startEchoWorker(backend.env)]);
      apiProcess = started.process;
      api = new Api(started.url);
      worker = echo;
      const run = await finished(id, 90_000);

      expect(run).toMatchObject({
        state: 'succeeded',
        pairs: { total: count, done: count, reachable: count, failed: 0 },
      });
      const lines = await api.call(`/v1/runs/${id}/diagnoses`, { headers: { Accept: 'application/x-ndjson' } });
      const keys = lines.text
        .trim()
        .split('\n')
        .map((line) => textAt(JSON.parse(line), 'pairKey'));
      expect([keys.length, new Set(keys).size]).toEqual([count, count]);
    });
  });
});
