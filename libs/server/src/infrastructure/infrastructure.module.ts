import { Module, type DynamicModule } from '@nestjs/common';
import type { Infrastructure } from './open-infrastructure.js';

/** Injection tokens; the types beside them are interfaces, so `@Inject(TOKEN)` is always needed. */
export const PERSISTENCE = Symbol('Persistence');
export const QUEUES = Symbol('QueueRegistry');
export const LOG = Symbol('Logger');
export const METRICS = Symbol('Metrics');

/** Makes the opened infrastructure injectable everywhere. Does not close it: whoever opened it does, after the application. */
@Module({})
export class InfrastructureModule {
  static of(infrastructure: Infrastructure): DynamicModule {
    const providers = [
      { provide: PERSISTENCE, useValue: infrastructure.persistence },
      { provide: QUEUES, useValue: infrastructure.queues },
      { provide: LOG, useValue: infrastructure.log },
      { provide: METRICS, useValue: infrastructure.metrics },
    ];
    return { module: InfrastructureModule, global: true, providers, exports: providers };
  }
}
