import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const Report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
    ruleSetUsed: z.object({ forbidden: z.array(z.object({ name: z.string() })) }),
  }),
});

/** Runs the real rules over a small tree made of `files`. */
async function cruise(files: Readonly<Record<string, string>>): Promise<z.infer<typeof Report>['summary']> {
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-walls-'));
  try {
    for (const name of ['package.json', 'tsconfig.json', 'tsconfig.base.json', '.dependency-cruiser.cjs'])
      cpSync(join(root, name), join(folder, name));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    mkdirSync(join(folder, 'apps'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'apps', 'libs'];
    const stdout = await new Promise<string>((resolve, reject) => {
      execFile(
        process.execPath,
        [join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), ...args],
        { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
        // The exit code is the number of violations, which are wanted here; without a report there is something else wrong.
        (error, out, problem) => (out === '' ? reject(error ?? new Error(problem)) : resolve(out)),
      );
    });
    return Report.parse(JSON.parse(stdout)).summary;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const libs = [
  ...['model', 'config', 'observability', 'netstack', 'cluster', 'snapshot-archive', 'embedded-postgres', 'collector'],
  ...['provider-kit', 'engine', 'cni', 'queue', 'persistence', 'server', 'providers/generic', 'providers/acme'],
];
const indexes = Object.fromEntries(libs.map((lib) => [`libs/${lib}/src/index.ts`, 'export {};\n']));

/** For each rule a file that breaks it, and nothing else does. */
const BREAKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'wall-model': { 'libs/model/src/a.ts': "import '#libs/config';\n" },
  'wall-config': { 'libs/config/src/a.ts': "import '#libs/queue';\n" },
  'wall-observability': { 'libs/observability/src/a.ts': "import '#libs/queue';\n" },
  'wall-netstack': { 'libs/netstack/src/a.ts': "import '#libs/cluster';\n" },
  'wall-cluster': { 'libs/cluster/src/a.ts': "import '#libs/netstack';\n" },
  'wall-snapshot-archive': { 'libs/snapshot-archive/src/a.ts': "import '#libs/collector';\n" },
  'wall-embedded-postgres': { 'libs/embedded-postgres/src/a.ts': "import '#libs/persistence';\n" },
  'wall-collector': { 'libs/collector/src/a.ts': "import '#libs/engine';\n" },
  'wall-provider-kit': { 'libs/provider-kit/src/a.ts': "import '#libs/engine';\n" },
  'wall-engine': { 'libs/engine/src/a.ts': "import '#libs/cni';\n" },
  'wall-policy': { 'libs/policy/src/a.ts': "import '#libs/engine';\n" },
  'wall-kube-proxy': { 'libs/kube-proxy/src/a.ts': "import '#libs/engine';\n" },
  'wall-cni': { 'libs/cni/src/a.ts': "import '#libs/engine';\n" },
  'wall-queue': { 'libs/queue/src/a.ts': "import '#libs/persistence';\n" },
  'wall-persistence': { 'libs/persistence/src/a.ts': "import '#libs/queue';\n" },
  'wall-server': { 'libs/server/src/a.ts': "import '#libs/engine';\n" },
  'wall-queue-specs': { 'libs/queue/src/q.spec.ts': "import '#libs/persistence';\n" },
  'wall-persistence-specs': { 'libs/persistence/src/p.spec.ts': "import '#libs/queue';\n" },
  'wall-server-specs': { 'libs/server/src/s.spec.ts': "import '#libs/engine';\n" },
  'wall-unlisted': { 'libs/novel/src/index.ts': "import '#libs/model';\n" },
  'wall-providers': { 'libs/providers/acme/src/a.ts': "import type {} from '#libs/providers/generic';\n" },
  'api-never-simulates': {
    'apps/api/src/main.ts': "import '#libs/snapshot-archive';\n",
    'libs/snapshot-archive/src/index.ts': "import './through.js';\n",
    'libs/snapshot-archive/src/through.ts': "import '#libs/netstack';\n",
  },
  'apps-are-apart': {
    'apps/cli/src/a.ts': "import '../../worker-generic/src/b.js';\n",
    'apps/worker-generic/src/b.ts': 'export {};\n',
  },
  'nest-at-the-rim': { 'libs/queue/src/b.ts': "import '@nestjs/common';\n" },
  'pure-core': { 'libs/engine/src/b.ts': "import 'node:fs';\n" },
  'prisma-in-one-room': { 'libs/server/src/b.ts': "import '@prisma/client';\n" },
  'bullmq-in-two-rooms': { 'apps/worker-generic/src/c.ts': "import 'bullmq';\n" },
  'no-circular': { 'libs/model/src/c.ts': "import './d.js';\n", 'libs/model/src/d.ts': "import './c.js';\n" },
  'sources-never-import-tests': {
    'libs/model/src/e.ts': "import './f.spec.js';\n",
    'libs/model/src/f.spec.ts': 'export {};\n',
  },
  'declared-packages-only': { 'libs/model/src/g.ts': "import 'supertest';\n" },
  resolvable: { 'libs/model/src/h.ts': "import './nowhere.js';\n" },
};

describe('.dependency-cruiser.cjs', () => {
  it('notices the breach of each of its rules', async () => {
    const { violations, ruleSetUsed } = await cruise({ ...indexes, ...Object.assign({}, ...Object.values(BREAKS)) });

    const noticed = new Set(violations.map((violation) => violation.rule.name));
    const rules = ruleSetUsed.forbidden.map((rule) => rule.name);
    expect(rules.filter((rule) => !noticed.has(rule))).toEqual([]);
    expect(Object.keys(BREAKS).sort()).toEqual([...rules].sort());
  }, 30_000);

  it('says nothing about a tree that keeps the walls', async () => {
    const { violations } = await cruise({
      ...indexes,
      'libs/engine/src/index.ts': "import '#libs/model';\nimport '#libs/netstack';\nimport '#libs/provider-kit';\n",
      'libs/queue/src/queue.spec.ts': "import '#libs/embedded-postgres';\n",
      'libs/providers/generic/src/index.ts': "import '#libs/engine';\nimport '#libs/cni';\n",
      'apps/worker-generic/src/main.ts': "import '#libs/providers/generic';\nimport '#libs/server';\n",
      'apps/api/src/main.ts': "import '#libs/server';\nimport '@nestjs/core';\n",
      'apps/standalone/src/main.ts': "import '../../api/src/main.js';\nimport '../../worker-generic/src/main.js';\n",
    });

    expect(violations).toEqual([]);
  }, 30_000);
});
