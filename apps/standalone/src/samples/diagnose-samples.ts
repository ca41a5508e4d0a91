import { HopscopeError, SYMPTOMS, VERDICTS } from '#libs/model';
import { z } from 'zod';
import type { ApiClient } from './api-client.js';
import { importSample, type ImportedSample } from './import-sample.js';
import type { SampleCase, SamplePair, Samples } from './sample-cases.js';

const Suspicion = z.object({
  code: z.string(),
  level: z.string(),
  subject: z.object({ kind: z.string(), namespace: z.string().optional(), name: z.string() }),
  message: z.string(),
  evidence: z.array(z.object({ locator: z.string(), text: z.string() })),
});

/** What the table needs of a diagnosis. */
const Answer = z.object({
  id: z.string(),
  verdict: z.enum(VERDICTS),
  symptom: z.enum(SYMPTOMS),
  blocking: z.array(Suspicion),
  suspicions: z.array(Suspicion),
});
export type Answer = z.output<typeof Answer>;

const Pending = z.object({ id: z.string(), run: z.string(), state: z.string() });

export interface SampleResult {
  readonly sample: SampleCase;
  readonly pair: SamplePair;
  readonly answer: Answer;
  readonly asExpected: boolean;
}

const AT_A_TIME = 4;

/** Asks all sample questions over HTTP, a few at a time; results are in the order of the cases. */
export async function diagnoseSamples(api: ApiClient, { directory, cases }: Samples): Promise<readonly SampleResult[]> {
  const questions: { sample: SampleCase; pair: SamplePair; target: ImportedSample }[] = [];
  for (const sample of cases) {
    const target = await importSample(api, directory, sample);
    for (const pair of sample.pairs) questions.push({ sample, pair, target });
  }
  const results: SampleResult[] = [];
  let next = 0;
  const askOn = async () => {
    for (let index = next++; index < questions.length; index = next++) {
      const question = questions[index];
      if (question === undefined) return;
      const answer = await ask(api, question.target, question.pair);
      const { sample, pair } = question;
      results[index] = { sample, pair, answer, asExpected: isAsExpected(answer, pair.expect) };
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, askOn));
  return results;
}

async function ask(api: ApiClient, { cluster, snapshot }: ImportedSample, pair: SamplePair): Promise<Answer> {
  const { source, destination, port, protocol } = pair;
  const answer = await api.call('/v1/diagnoses?wait=60s', z.union([Answer, Pending]), {
    method: 'POST',
    json: { cluster, snapshot, source, destination, port, protocol },
  });
  if ('verdict' in answer) return answer;
  throw new HopscopeError(
    'SAMPLE_NOT_ANSWERED',
    `the sample diagnosis ${source} -> ${destination}:${port} of ${cluster} is ${answer.state} after 60 s; see run ${answer.run}`,
  );
}

/** The first cause is the one that a person must fix; on a path that works nothing may look wrong. */
export function isAsExpected(answer: Answer, expected: SamplePair['expect']): boolean {
  if (answer.verdict !== expected.verdict || answer.symptom !== expected.symptom) return false;
  if (expected.verdict === 'reachable') return answer.suspicions.every(({ level }) => level === 'info');
  return answer.blocking[0]?.code === expected.codes[0];
}
