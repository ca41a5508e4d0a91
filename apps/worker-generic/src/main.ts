import { readEnv } from '#libs/config';
import { ProviderRegistry } from '#libs/provider-kit';
import { genericProvider } from '#libs/providers/generic';
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
import { createProviderWorker } from './provider-host/create-provider-worker.js';

async function main(): Promise<number> {
  const config = readEnv(
    { database: databaseConfig, queue: queueConfig, snapshot: snapshotConfig, worker: workerConfig, log: logConfig },
    process.env,
  );
  const infrastructure = await openInfrastructure({ name: 'worker-generic', ...config });
  const providers = new ProviderRegistry([genericProvider]);
  const worker = await createProviderWorker(infrastructure, providers, config);
  process.stdout.write(`worker-generic ready, jobs over ${infrastructure.queues.backend.kind}\n`);
  return runUntilSignal(async () => {
    await worker.close();
    await infrastructure.close();
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => process.exit(reportFailure('worker-generic', error)),
);
