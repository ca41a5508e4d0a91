import type { NextFunction, Request, Response } from 'express';
import type { QueueBoard } from './queue-board.service.js';

/** Express middleware: the board shows the queues of the providers that there are now. */
export function refreshBoard(board: QueueBoard) {
  // Express 5 hands what an async function throws to the error filter.
  return async (_request: Request, _response: Response, next: NextFunction): Promise<void> => {
    await board.refresh();
    next();
  };
}
