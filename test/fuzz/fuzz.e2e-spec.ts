import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KNOWN } from './known-defects.js';
import { makeAttempt, runAttempt } from './run-attempt.js';
import { allTargets } from './targets.js';
import type { Target } from './attempt.js';

const ROOT = resolve(__dirname, '..', '..');

/** The fuzzer starts processes of its own from compiled code, as `npm run fuzz` does. */
const MAIN = join(ROOT, 'dist', 'test', 'fuzz', 'main.js');

function runFuzzer(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', (code) => done({ code, output }));
  });
}

describe('inputs that once broke something', () => {
  let output = '';
  beforeAll(async () => {
    ({ output } = await runFuzzer(['--known', '--minutes', '10']));
  }, 600_000);

  it.each(KNOWN)('$title', ({ title }) => {
    expect(output.split('\n').find((line) => line.includes(`: ${title}`))).toBe(`fine: ${title}`);
  });
});

describe('makeAttempt', () => {
  it('makes the same input again from the same seed', async () => {
    const targets = await allTargets(ROOT);

    const [first, again, other] = [5, 5, 6].map((iteration) => makeAttempt(targets, 1, iteration));

    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
});

describe('a defect', () => {
  it.each<{ title: string; run: Target['run']; kind: string }>([
    { title: 'an error that is not documented', run: () => [String(new URL('no URL'))], kind: 'crash' },
    { title: 'a broken rule of the result', run: () => ['branches add up to 2'], kind: 'broken' },
    {
      title: 'a polluted prototype',
      run: () => {
        Object.defineProperty(Object.prototype, 'polluted', { value: 1, configurable: true });
        return [];
      },
      kind: 'pollution',
    },
    {
      title: 'a loop that takes too long',
      run: () => {
        const until = process.cpuUsage().user + 200_000;
        while (process.cpuUsage().user < until);
        return [];
      },
      kind: 'slow',
    },
  ])('is noticed: $title', async ({ run, kind }) => {
    const target: Target = { name: 'made for this', weight: 1, limitMs: 100, make: () => ({}), run };

    const failure = await runAttempt({ target, input: {} });
    Reflect.deleteProperty(Object.prototype, 'polluted');

    expect(failure?.kind).toBe(kind);
  });
});

describe('the fuzzer', () => {
  it('finds nothing within 20 seconds', async () => {
    if (!existsSync(MAIN)) throw new Error('dist is not there: npm run build');

    const { code, output } = await runFuzzer(['--seconds', '20', '--seed', '1']);

    expect(output).toMatch(/seed 1: [1-9]\d+ inputs, 0 kinds of failures/);
    expect(code).toBe(0);
  }, 120_000);
});
