import { readEnv } from '#libs/config';
import { ProviderRegistry } from '#libs/provider-kit';
import {
  databaseConfig,
  logConfig,
  openInfrastructure,
  queueConfig,
  reportFailure,
  runUntilSignal,
  snapshotConfig,
  workerConfig,
} from '#libs/server';
import 'reflect-metadata';
import { createProviderWorker } from '../../apps/worker-generic/src/provider-host/create-provider-worker.js';
import { echoProvider } from './echo-provider.js';

// A worker as apps/worker-generic has it, with the provider of the tests.
async function main(): Promise<number> {
  const config = readEnv(
    { database: databaseConfig, queue: queueConfig, snapshot: snapshotConfig, worker: workerConfig, log: logConfig },
    process.env,
  );
  const infrastructure = await openInfrastructure({ name: 'worker-echo', ...config });
  const worker = await createProviderWorker(infrastructure, new ProviderRegistry([echoProvider]), config);
  process.stdout.write(`worker-echo ready, jobs over ${infrastructure.queues.backend.kind}\n`);
  return runUntilSignal(async () => {
    await worker.close();
    await infrastructure.close();
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => process.exit(reportFailure('worker-echo', error)),
);
