import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InfrastructureModule } from '../infrastructure/infrastructure.module.js';
import type { Infrastructure } from '../infrastructure/open-infrastructure.js';
import { NestLogger } from '../process/nest-logger.js';
import { WorkerModule, type WorkerOptions } from './worker.module.js';

@Module({})
class WorkerRootModule {}

/** A worker without HTTP: consumes as soon as this resolves, until it is closed. */
export async function createWorkerApp(
  infrastructure: Infrastructure,
  options: WorkerOptions,
): Promise<INestApplicationContext> {
  const root: DynamicModule = {
    module: WorkerRootModule,
    imports: [InfrastructureModule.of(infrastructure), WorkerModule.of(infrastructure, options)],
  };
  return NestFactory.createApplicationContext(root, {
    logger: new NestLogger(infrastructure.log),
    abortOnError: false,
  });
}
