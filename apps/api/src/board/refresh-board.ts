import type { NextFunction, Request, Response } from 'express';
import type { QueueBoard } from './queue-board.service.js';

/** Express middleware: the board shows the queues of the providers that there are now. */
export function refreshBoard(board: QueueBoard) {
  return (_request: Request, _response: Response, next: NextFunction): void => {
    board.refresh().then(() => next(), next);
  };
}
