import { readEnv } from '#libs/config';
import {
  databaseConfig,
  httpConfig,
  logConfig,
  openInfrastructure,
  queueConfig,
  reportFailure,
  runUntilSignal,
  snapshotConfig,
  workerConfig,
} from '#libs/server';
import 'reflect-metadata';
import { createApiApp } from './create-api-app.js';

async function main(): Promise<number> {
  const config = readEnv(
    {
      http: httpConfig,
      snapshot: snapshotConfig,
      database: databaseConfig,
      queue: queueConfig,
      worker: workerConfig,
      log: logConfig,
    },
    process.env,
  );
  const infrastructure = await openInfrastructure({ name: 'api', ...config });
  const app = await createApiApp(infrastructure, config);
  await app.listen(config.http.port, config.http.host);
  process.stdout.write(`api ready on ${await app.getUrl()}, jobs over ${infrastructure.queues.backend.kind}\n`);
  return runUntilSignal(async () => {
    await app.close();
    await infrastructure.close();
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => process.exit(reportFailure('api', error)),
);
