import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SUSPICION_CODES } from '#libs/model';
import { findTreeProblems } from './find-tree-problems.js';

const page = Object.keys(SUSPICION_CODES)
  .map((code) => `\n### ${code}\n`)
  .join('');

const GOOD: Readonly<Record<string, string>> = {
  'README.md': 'See [the words](docs/glossary.md#the-words) and `[code](nowhere.md)`.\n```\n[no](nowhere.md)\n```\n',
  'docs/glossary.md': '# Glossary\n\n## The words\n',
  'docs/reference/suspicions.md': page,
  'libs/model/src/index.ts': "/** The words. */\nexport * from './ip.js';\nexport type { A, B } from './a.js';\n",
  'libs/model/src/ip.spec.ts':
    "import './ip.js';\nimport { walls } from '../../../test/support/walls.js';\nprocess.env.TZ = 'UTC';\n",
  'libs/config/src/index.ts': '/** Configuration. */\n',
  'libs/config/src/env.ts': 'export const env = process.env;\n',
  'libs/config/src/env.spec.ts': '',
  'libs/providers/generic/src/index.ts': '/** The generic provider. */\n',
  'libs/providers/generic/src/generic-provider.ts': 'export const genericProvider = {};\n',
  'libs/providers/generic/src/a.spec.ts': '',
  'apps/worker-generic/src/main.ts': "import '#libs/providers/generic';\nprocess.env.PORT;\n",
  'apps/standalone/src/main.ts': "import '../../api/src/app.js';\n",
};

describe('findTreeProblems', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hopscope-tree-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  function problemsOf(changes: Readonly<Record<string, string | undefined>>): readonly string[] {
    for (const [path, text] of Object.entries({ ...GOOD, ...changes })) {
      if (text === undefined) continue;
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return findTreeProblems(root);
  }

  it('says nothing about a tree in order', () => {
    expect(problemsOf({})).toEqual([]);
  });

  it.each<{ breach: string; changes: Readonly<Record<string, string | undefined>>; place: string }>([
    {
      breach: 'a library without an index',
      changes: { 'libs/model/src/index.ts': undefined },
      place: 'libs/model: there is no src/index.ts',
    },
    {
      breach: 'an index without a doc comment',
      changes: { 'libs/model/src/index.ts': "export * from './ip.js';\n" },
      place: 'libs/model/src/index.ts: begin',
    },
    {
      breach: 'an index with code',
      changes: { 'libs/model/src/index.ts': '/** The words. */\nexport const a = 1;\n' },
      place: 'libs/model/src/index.ts: an index only',
    },
    {
      breach: 'a library without a spec',
      changes: { 'libs/model/src/ip.spec.ts': undefined },
      place: 'libs/model: there is no spec',
    },
    {
      breach: 'a relative import out of the package',
      changes: { 'libs/config/src/a.ts': "import '../../model/src/ip.js';\n" },
      place: 'libs/config/src/a.ts: ../../model',
    },
    {
      breach: 'a relative import without .js',
      changes: { 'libs/config/src/a.ts': "import { b } from './b';\n" },
      place: 'libs/config/src/a.ts: ./b must',
    },
    {
      breach: 'process.env in a library',
      changes: { 'libs/model/src/a.ts': 'const { HOME } = process.env;\n' },
      place: 'libs/model/src/a.ts: process.env',
    },
    {
      breach: 'env taken out of process',
      changes: { 'libs/model/src/a.ts': 'const { env } = process;\n' },
      place: 'libs/model/src/a.ts: process.env',
    },
    {
      breach: 'a provider without a worker',
      changes: { 'apps/worker-generic/src/main.ts': '' },
      place: 'libs/providers/generic: no worker',
    },
    {
      breach: 'an undocumented suspicion',
      changes: { 'docs/reference/suspicions.md': page.replace('### FILTER_DROP\n', '') },
      place: 'docs/reference/suspicions.md: FILTER_DROP',
    },
    {
      breach: 'no page of suspicions',
      changes: { 'docs/reference/suspicions.md': undefined },
      place: 'docs/reference/suspicions.md: not there',
    },
    { breach: 'a dead link', changes: { 'docs/a.md': '[b](b.md)\n' }, place: 'docs/a.md: the link to b.md' },
    {
      breach: 'a link to no heading',
      changes: { 'docs/a.md': '[b](glossary.md#other)\n' },
      place: 'docs/a.md: docs/glossary.md has no heading for #other',
    },
  ])('notices $breach', ({ changes, place }) => {
    const problems = problemsOf(changes);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(place);
  });
});
