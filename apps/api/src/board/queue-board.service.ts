import type { Persistence } from '#libs/persistence';
import { queueNames } from '#libs/queue';
import { PERSISTENCE, QUEUES, type QueueRegistry } from '#libs/server';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { InjectBullBoard, type BullBoardInstance } from '@bull-board/nestjs';
import { Inject, Injectable } from '@nestjs/common';
import { BOARD_READ_ONLY } from './tokens.js';

/** Puts the queues of every provider onto the board; a provider may register at any time. */
@Injectable()
export class QueueBoard {
  private readonly shown = new Set<string>();

  constructor(
    @InjectBullBoard() private readonly board: BullBoardInstance,
    @Inject(PERSISTENCE) private readonly persistence: Persistence,
    @Inject(QUEUES) private readonly queues: QueueRegistry,
    @Inject(BOARD_READ_ONLY) private readonly readOnlyMode: boolean,
  ) {}

  async refresh(): Promise<void> {
    for (const provider of await this.persistence.providers.list())
      for (const name of Object.values(queueNames(provider.name))) this.show(name);
  }

  private show(name: string): void {
    if (this.shown.has(name)) return;
    this.shown.add(name);
    this.board.addQueue(new BullMQAdapter(this.queues.get(name), { readOnlyMode: this.readOnlyMode }));
  }
}
