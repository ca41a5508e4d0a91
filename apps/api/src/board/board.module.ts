import { ExpressAdapter } from '@bull-board/express';
import { BullBoardModule } from '@bull-board/nestjs';
import { Module, type DynamicModule } from '@nestjs/common';
import { QueueBoard } from './queue-board.service.js';
import { BOARD_READ_ONLY } from './tokens.js';

export const BOARD_ROUTE = '/queues';

/** bull-board at /queues. */
@Module({})
export class BoardModule {
  static of(readOnly: boolean): DynamicModule {
    return {
      module: BoardModule,
      imports: [BullBoardModule.forRoot({ route: BOARD_ROUTE, adapter: ExpressAdapter })],
      providers: [{ provide: BOARD_READ_ONLY, useValue: readOnly }, QueueBoard],
    };
  }
}
