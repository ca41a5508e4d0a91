import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const Service = z.object({
  image: z.string().optional(),
  build: z.object({ context: z.string(), target: z.string() }).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
});
const Compose = z.object({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.unknown()) });
const compose = Compose.parse(parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }));
const stages = [...dockerfile.matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(([, from, name]) => ({ from, name }));

/** There is no container engine on the machines that run this, so the files are read, not run. */
describe('docker-compose.yml', () => {
  it('has the stores, the API and the worker', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['api', 'postgres', 'redis', 'worker-generic']);
  });

  it('builds only targets that the Dockerfile has', () => {
    const targets = Object.values(compose.services).flatMap((service) => service.build?.target ?? []);
    expect(targets.sort()).toEqual(['api', 'worker-generic']);
    expect(stages.map((stage) => stage.name)).toEqual(expect.arrayContaining(targets));
  });

  it('waits only for services that can say that they are healthy', () => {
    for (const service of Object.values(compose.services))
      for (const name of Object.keys(service.depends_on ?? {}))
        expect(compose.services[name]?.healthcheck).toBeDefined();
  });

  it('keeps data in volumes that are declared, and points every process at both stores', () => {
    const used = Object.values(compose.services).flatMap((service) =>
      (service.volumes ?? []).map((volume) => volume.replace(/:.*/, '')),
    );
    expect(used.sort()).toEqual(Object.keys(compose.volumes).sort());
    for (const name of ['api', 'worker-generic'])
      expect(compose.services[name]?.environment).toMatchObject({
        DATABASE_URL: expect.stringContaining('@postgres:5432/'),
        REDIS_URL: 'redis://redis:6379',
      });
  });

  it('listens inside the container and publishes to this machine only', () => {
    expect(compose.services['api']?.environment?.['HOST']).toBe('0.0.0.0');
    expect(compose.services['api']?.ports).toEqual(['127.0.0.1:3000:3000']);
  });
});

describe('Dockerfile', () => {
  it('copies only from stages that come before', () => {
    const froms = [...dockerfile.matchAll(/--from=(\S+)/g)].map(([, name]) => name);
    expect(froms.length).toBeGreaterThan(0);
    for (const name of froms) expect(stages.map((stage) => stage.name)).toContain(name);
  });

  it('runs as an ordinary user whatever it is asked to start', () => {
    const runtime = dockerfile.slice(dockerfile.indexOf(' AS runtime'));
    expect(runtime).toMatch(/^USER node$/m);
    for (const target of ['api', 'worker-generic'])
      expect(stages.find((stage) => stage.name === target)?.from).toBe('runtime');
  });

  it('starts main files that there are', () => {
    const mains = [...dockerfile.matchAll(/"dist\/(\S+)\.js"/g)].map(([, path]) => `${path}.ts`);
    expect(mains).toHaveLength(2);
    for (const main of mains) expect({ main, there: existsSync(join(root, main)) }).toEqual({ main, there: true });
  });
});
