import { HopscopeError, SYMPTOMS, VERDICTS, zodProblems } from '#libs/model';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const Expected = z.object({
  verdict: z.enum(VERDICTS),
  symptom: z.enum(SYMPTOMS),
  codes: z.array(z.string()).default([]),
});

const SampleCase = z.object({
  name: z.string(),
  archive: z.string().regex(/^[\w.-]+$/),
  title: z.string(),
  pairs: z.array(
    z.object({
      id: z.union([z.string(), z.number()]),
      source: z.string(),
      destination: z.string(),
      port: z.union([z.number(), z.string()]),
      protocol: z.enum(['tcp', 'udp']).default('tcp'),
      expect: Expected,
    }),
  ),
});
export type SampleCase = z.output<typeof SampleCase>;
export type SamplePair = SampleCase['pairs'][number];

export interface Samples {
  readonly directory: string;
  readonly cases: readonly SampleCase[];
}

/** The samples that come with the package. */
export async function readSamples(from: string = import.meta.dirname): Promise<Samples> {
  const directory = findSamples(from);
  const file = join(directory, 'cases.json');
  const parsed = z.array(SampleCase).min(1).safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (parsed.success) return { directory, cases: parsed.data };
  const problems = zodProblems(parsed.error);
  throw new HopscopeError(
    'SAMPLES_BROKEN',
    `${file} is not as it should be: ${problems.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    { problems },
  );
}

/** The sources lie less deep than what is built from them, so the way up is searched. */
function findSamples(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'samples', 'cases.json'))) return join(folder, 'samples');
    if (folder === dirname(folder))
      throw new HopscopeError('SAMPLES_MISSING', 'the folder samples/ is missing here; start with --no-sample');
  }
}
