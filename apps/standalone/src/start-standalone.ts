import { startEmbeddedPostgres } from '#libs/embedded-postgres';
import { ProviderRegistry } from '#libs/provider-kit';
import { genericProvider } from '#libs/providers/generic';
import {
  openInfrastructure,
  type HttpConfig,
  type LogConfig,
  type QueueConfig,
  type SnapshotConfig,
  type WorkerConfig,
} from '#libs/server';
import { createApiApp } from '../../api/src/create-api-app.js';
import { createProviderWorker } from '../../worker-generic/src/provider-host/create-provider-worker.js';
import { listenOrElsewhere } from './listen-or-elsewhere.js';
import { withProgress } from './progress.js';

export interface StandaloneConfig {
  readonly dataDir: string;
  readonly http: HttpConfig;
  readonly snapshot: SnapshotConfig;
  readonly queue: QueueConfig;
  readonly worker: WorkerConfig;
  readonly log: LogConfig;
}

export interface Standalone {
  readonly url: string;
  /** False when the port that was asked for was taken. */
  readonly asAsked: boolean;
  /** Settles when the database has ended without being asked to. */
  readonly lost: Promise<void>;
  close(): Promise<void>;
}

/** Database, API and worker in this process; the database is a child that ends with us. */
export async function startStandalone(config: StandaloneConfig): Promise<Standalone> {
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (let step = opened.pop(); step !== undefined; step = opened.pop()) await step();
  };
  try {
    const postgres = await withProgress('starting the database', () =>
      startEmbeddedPostgres({ dataDir: config.dataDir }),
    );
    let stopping = false;
    opened.push(() => {
      stopping = true;
      return postgres.stop();
    });
    const lost = postgres.exited.then(() => {
      if (!stopping) process.stderr.write('the database has ended unexpectedly; its log is in the data directory\n');
    });
    const infrastructure = await withProgress('preparing the database', () =>
      openInfrastructure({ name: 'hopscope', ...config, database: { url: postgres.url, connections: 10 } }),
    );
    opened.push(() => infrastructure.close());
    const app = await withProgress('starting the API', () => createApiApp(infrastructure, config));
    opened.push(() => app.close());
    const providers = new ProviderRegistry([genericProvider]);
    const worker = await withProgress('starting the worker', () =>
      createProviderWorker(infrastructure, providers, config),
    );
    opened.push(() => worker.close());
    const asAsked = await listenOrElsewhere(app, config.http);
    return { url: await app.getUrl(), asAsked, lost, close };
  } catch (error) {
    await close();
    throw error;
  }
}
