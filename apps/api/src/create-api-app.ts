import {
  createHttpApp,
  type HttpConfig,
  type Infrastructure,
  type QueueConfig,
  type SnapshotConfig,
  type WorkerConfig,
} from '#libs/server';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import { ApiModule } from './api.module.js';
import { BOARD_ROUTE } from './board/board.module.js';
import { QueueBoard } from './board/queue-board.service.js';
import { refreshBoard } from './board/refresh-board.js';
import { openApiDocument } from './openapi/open-api-document.js';

export interface ApiConfig {
  readonly http: HttpConfig;
  readonly snapshot: SnapshotConfig;
  readonly queue: QueueConfig;
  readonly worker: Pick<WorkerConfig, 'chunkSize'>;
}

// As the router reads a path: with any case, a slash at its end or none.
const UPLOAD = /^\/v1\/snapshots\/?(\?|$)/i;

/** The whole API, not yet listening. */
export async function createApiApp(infrastructure: Infrastructure, config: ApiConfig): Promise<NestExpressApplication> {
  const limits = {
    uploadBytes: config.snapshot.uploadLimitBytes,
    unpackedBytes: config.snapshot.unpackedLimitBytes,
    pairsBytes: config.http.pairsLimitBytes,
    chunkSize: config.worker.chunkSize,
  };
  const app = await createHttpApp(
    ApiModule.of({ limits, boardReadOnly: config.queue.boardReadOnly }),
    infrastructure,
    config.http,
    [UPLOAD],
  );
  app.use(BOARD_ROUTE, refreshBoard(app.get(QueueBoard)));
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Hopscope API',
  });
  return app;
}
