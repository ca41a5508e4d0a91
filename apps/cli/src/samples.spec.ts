import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { runCli } from './run-cli.js';

const SAMPLES = join(import.meta.dirname, '../../../samples');
const Cases = z.array(
  z.object({
    name: z.string(),
    archive: z.string(),
    title: z.string(),
    pairs: z
      .array(
        z.looseObject({
          id: z.string(),
          expect: z.object({ verdict: z.string(), symptom: z.string(), codes: z.array(z.string()) }),
        }),
      )
      .min(1),
  }),
);
const Line = z.object({
  id: z.string(),
  verdict: z.string(),
  symptom: z.string(),
  blocking: z.array(z.object({ code: z.string(), evidence: z.array(z.object({ locator: z.string().min(1) })).min(1) })),
  suspicions: z.array(z.object({ code: z.string(), level: z.string() })),
});

const cases = Cases.parse(JSON.parse(readFileSync(join(SAMPLES, 'cases.json'), 'utf8')));

describe('the samples', () => {
  it.each(cases)('$name: $title', async ({ archive, pairs }) => {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const printed = text(stdout);
    const input = pairs.map((pair) => `${JSON.stringify({ ...pair, expect: undefined })}\n`);
    await runCli(['diagnose', '--snapshot', join(SAMPLES, archive), '--pairs', '-'], {
      stdin: Readable.from(input),
      stdout,
      stderr,
      env: {},
      signal: new AbortController().signal,
    });
    stdout.end();

    const answers = (await printed)
      .trimEnd()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)));
    const found = answers.map(({ id, verdict, symptom, blocking }) => ({
      id,
      expect: { verdict, symptom, codes: blocking.slice(0, 1).map(({ code }) => code) },
    }));
    expect(found).toEqual(pairs.map(({ id, expect: expected }) => ({ id, expect: expected })));
    // A false alarm in a healthy cluster is a defect like a missed fault.
    if (pairs.every((pair) => pair.expect.codes.length === 0))
      expect(answers.flatMap(({ suspicions }) => suspicions.filter(({ level }) => level !== 'info'))).toEqual([]);
  });
});
