import { Module, type DynamicModule } from '@nestjs/common';
import { API_LIMITS, type ApiLimits } from './api-limits.js';
import { BoardModule } from './board/board.module.js';
import { ClustersController } from './clusters/clusters.controller.js';
import { ClustersService } from './clusters/clusters.service.js';
import { DiagnosesController } from './diagnoses/diagnoses.controller.js';
import { RootController } from './openapi/root.controller.js';
import { ProvidersController } from './providers/providers.controller.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';
import { SnapshotsController } from './snapshots/snapshots.controller.js';

export interface ApiOptions {
  readonly limits: ApiLimits;
  readonly boardReadOnly: boolean;
}

@Module({})
export class ApiModule {
  static of(options: ApiOptions): DynamicModule {
    return {
      module: ApiModule,
      imports: [BoardModule.of(options.boardReadOnly)],
      controllers: [
        RootController,
        ClustersController,
        ProvidersController,
        SnapshotsController,
        RunsController,
        DiagnosesController,
      ],
      providers: [{ provide: API_LIMITS, useValue: options.limits }, ClustersService, RunsService],
    };
  }
}
