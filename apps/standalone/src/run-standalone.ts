import { runUntilSignal } from '#libs/server';
import { withProgress } from './progress.js';
import { ApiClient } from './samples/api-client.js';
import { diagnoseSamples } from './samples/diagnose-samples.js';
import { readSamples } from './samples/sample-cases.js';
import { sampleTable } from './samples/sample-table.js';
import { startStandalone, type StandaloneConfig } from './start-standalone.js';

/** Starts everything, shows the samples, serves until a signal. Gives the exit code. */
export async function runStandalone(
  config: StandaloneConfig,
  { once, sample }: { readonly once: boolean; readonly sample: boolean },
): Promise<number> {
  const samples = sample ? await readSamples() : undefined;
  const server = await startStandalone(config);
  try {
    if (!server.asAsked) process.stdout.write(`port ${config.http.port} is taken, so another one is used\n`);
    let allAsExpected = true;
    if (samples !== undefined) {
      const api = new ApiClient(server.url);
      const results = await withProgress('diagnosing the samples', () => diagnoseSamples(api, samples));
      allAsExpected = results.every(({ asExpected }) => asExpected);
      process.stdout.write(`\n${sampleTable(results)}\n`);
      const wrong = results.filter(({ asExpected }) => !asExpected).length;
      process.stdout.write(
        wrong === 0 ? `all ${results.length} as expected\n` : `${wrong} of ${results.length} NOT as expected\n`,
      );
    }
    if (once) {
      await server.close();
      return allAsExpected ? 0 : 1;
    }
    process.stdout.write(
      `serving on ${server.url} (API at /docs, queues at /queues), data in ${config.dataDir}; Ctrl-C stops\n`,
    );
  } catch (error) {
    await server.close();
    throw error;
  }
  return runUntilSignal(() => server.close(), server.lost);
}
