import { configJsonSchema } from '#libs/config';
import type { ProviderRegistry } from '#libs/provider-kit';
import { createWorkerApp, type Infrastructure, type SnapshotConfig, type WorkerConfig } from '#libs/server';
import type { INestApplicationContext } from '@nestjs/common';
import { answerFrom } from './answer-chunk.js';
import { NetworkCache } from './network-cache.js';

export interface ProviderWorkerConfig {
  readonly worker: WorkerConfig;
  readonly snapshot: SnapshotConfig;
}

/** Tells the API which providers there are now, then consumes their queues until it is closed. */
export async function createProviderWorker(
  infrastructure: Infrastructure,
  providers: ProviderRegistry,
  config: ProviderWorkerConfig,
): Promise<INestApplicationContext> {
  for (const { name, title, config: section } of providers.list())
    await infrastructure.persistence.providers.upsert({ name, title, settingsSchema: configJsonSchema(section) });
  const networks = new NetworkCache({
    persistence: infrastructure.persistence,
    providers,
    metrics: infrastructure.metrics,
    size: config.worker.cachedNetworks,
    limits: {
      compressedBytes: config.snapshot.uploadLimitBytes,
      unpackedBytes: config.snapshot.unpackedLimitBytes,
    },
  });
  return createWorkerApp(infrastructure, {
    providers: providers.list().map(({ name }) => name),
    answer: answerFrom(networks, infrastructure.log),
    config: config.worker,
  });
}
