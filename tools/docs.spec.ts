import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { listExamples } from './docs-examples.js';

const root = join(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));
const examples = pages.flatMap((page) =>
  listExamples(readFileSync(join(root, page), 'utf8')).map((example) => ({ page, ...example })),
);

describe('the examples in docs', () => {
  beforeAll(() => {
    const built = spawnSync(process.execPath, [join(root, 'tools', 'build.mjs')], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`npm run build failed:\n${built.stderr}`);
  }, 120_000);

  it('are there', () => {
    expect(examples.length).toBeGreaterThan(3);
  });

  it.each(examples)(
    '$page:$line',
    ({ script, exitCode, output }) => {
      // `npx hopscope` is this file, found more slowly.
      const command = script.replaceAll('npx hopscope', `"${process.execPath}" dist/apps/cli/src/main.js`);
      const done = spawnSync('sh', ['-eu', '-c', command], {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });

      expect({ exitCode: done.status, stderr: done.stderr }).toEqual({ exitCode, stderr: '' });
      const printed = done.stdout.split('\n').map((line) => line.trimEnd());
      expect(output.filter((line) => !printed.includes(line.trimEnd()))).toEqual([]);
    },
    60_000,
  );
});

describe('listExamples', () => {
  it('takes the marked blocks, the code they end with and the output that is shown', () => {
    const page = [
      '# A',
      '```sh run exit=1',
      'false',
      '```',
      '',
      '```text',
      'one',
      '…',
      '```',
      '```sh',
      'not run',
      '```',
      '```sh run',
      'true',
      '```',
      '',
    ].join('\n');

    expect(listExamples(page)).toEqual([
      { line: 2, script: 'false\n', exitCode: 1, output: ['one'] },
      { line: 13, script: 'true\n', exitCode: 0, output: [] },
    ]);
  });
});
