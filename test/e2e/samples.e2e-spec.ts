import { ApiClient } from '../../apps/standalone/src/samples/api-client.js';
import { diagnoseSamples } from '../../apps/standalone/src/samples/diagnose-samples.js';
import { readSamples } from '../../apps/standalone/src/samples/sample-cases.js';
import { BACKENDS } from '../support/backends.js';
import { buildAll, startApi, startGenericWorker } from '../support/hopscope.js';

jest.setTimeout(120_000);

beforeAll(() => buildAll());

describe.each(BACKENDS.filter(({ missing }) => missing === undefined))('the samples, queue on $name', (kind) => {
  it('are answered as expected by an API and a generic worker in processes of their own', async () => {
    const backend = await kind.start();
    const [api, worker] = await Promise.all([startApi(backend.env), startGenericWorker(backend.env)]);
    try {
      const results = await diagnoseSamples(new ApiClient(api.url), await readSamples());

      const wrong = results.filter(({ asExpected }) => !asExpected);
      expect(wrong.map(({ sample, pair, answer }) => [sample.name, pair.id, answer.verdict, answer.symptom])).toEqual(
        [],
      );
      expect(results.length).toBeGreaterThan(0);
    } finally {
      await Promise.all([api.process.stop(), worker.stop()]);
      await backend.stop();
    }
  });
});
