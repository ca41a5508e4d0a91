import type { Logger } from '#libs/observability';
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { toProblem } from './to-problem.js';

/** The one place where errors become answers. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const context = host.switchToHttp();
    const request = context.getRequest<Request>();
    const response = context.getResponse<Response>();
    const { problem, unexpected } = toProblem(error, request.path);
    if (unexpected) this.log.error({ err: error, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) {
      // In the middle of a stream nothing can be said any more; a cut connection is at least not taken for the end.
      response.destroy();
      return;
    }
    // When the body was refused half-way, Node reads on and drops the rest, so that the client gets to see this answer.
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
