import { readEnv } from '#libs/config';
import { httpConfig, logConfig, queueConfig, reportFailure, snapshotConfig, workerConfig } from '#libs/server';
import 'reflect-metadata';
import { dataDirectory, HELP, parseArguments, standaloneConfig } from './standalone-config.js';
import { runStandalone } from './run-standalone.js';

async function main(): Promise<number> {
  const flags = parseArguments(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { standalone, queue, log, ...config } = readEnv(
    {
      standalone: standaloneConfig,
      http: httpConfig,
      snapshot: snapshotConfig,
      queue: queueConfig,
      worker: workerConfig,
      log: logConfig,
    },
    {
      // A terminal is for the table; what goes wrong still shows.
      LOG_LEVEL: 'warn',
      ...process.env,
      ...(flags.port === undefined ? {} : { PORT: flags.port }),
      ...(flags.dataDir === undefined ? {} : { HOPSCOPE_DATA_DIR: flags.dataDir }),
    },
  );
  // This is the way without any other server; the distributed processes are the way with them.
  const unused = ['DATABASE_URL', 'REDIS_URL'].filter((name) => process.env[name] !== undefined);
  if (unused.length > 0) process.stderr.write(`${unused.join(' and ')}: not used here, the database is embedded\n`);
  const all = { ...config, log, queue: { ...queue, redisUrl: undefined }, dataDir: dataDirectory(standalone) };
  return runStandalone(all, flags);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => process.exit(reportFailure('hopscope', error)),
);
