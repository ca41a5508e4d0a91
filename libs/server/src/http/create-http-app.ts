import type { Type } from '@nestjs/common';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import type { IncomingMessage } from 'node:http';
import type { HttpConfig } from '../config/server-config.js';
import { HealthController } from '../health/health.controller.js';
import { InfrastructureModule } from '../infrastructure/infrastructure.module.js';
import type { Infrastructure } from '../infrastructure/open-infrastructure.js';
import { measureRequests } from '../metrics/measure-requests.js';
import { MetricsController } from '../metrics/metrics.controller.js';
import { ProblemFilter } from '../problem/problem.filter.js';
import { NestLogger } from '../process/nest-logger.js';
import { checkHost } from './check-host.js';
import { ZodValidationPipe } from './zod-validation.pipe.js';

@Module({ controllers: [HealthController, MetricsController] })
class OperationsModule {}

@Module({})
class HttpRootModule {}

/**
 * An HTTP application around `module`: health, metrics, validation and problem+json come with it. Not yet listening.
 * At URLs that `ownReaders` match no body is parsed, whatever its type: their routes take none that is JSON.
 */
export async function createHttpApp(
  module: DynamicModule | Type<unknown>,
  infrastructure: Infrastructure,
  config: HttpConfig,
  ownReaders: readonly RegExp[] = [],
): Promise<NestExpressApplication> {
  const root: DynamicModule = {
    module: HttpRootModule,
    imports: [InfrastructureModule.of(infrastructure), OperationsModule, module],
  };
  const app = await NestFactory.create<NestExpressApplication>(root, {
    logger: new NestLogger(infrastructure.log),
    bodyParser: false,
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.use(measureRequests(infrastructure.metrics));
  // Plain HTTP on loopback is the normal case: a browser must not be sent to https for our own scripts.
  app.use(
    helmet({
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
      strictTransportSecurity: false,
    }),
  );
  app.use(checkHost(config.host));
  // strict: false lets `5` and `null` through to the schema, which says better what is wrong.
  app.useBodyParser('json', {
    limit: config.bodyLimitBytes,
    strict: false,
    type: (request) => !ownReaders.some((path) => path.test(request.url ?? '')) && isJson(request),
  });
  app.useGlobalPipes(new ZodValidationPipe());
  app.useGlobalFilters(new ProblemFilter(infrastructure.log));
  return app;
}

function isJson(request: IncomingMessage): boolean {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  return /^application\/([^/]+\+)?json$/i.test(type.trim());
}
