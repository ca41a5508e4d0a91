import { HopscopeError, type InputProblem } from '#libs/model';
import { HttpException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import { printableText } from './printable-text.js';
import type { Problem } from './problem.js';
import { statusOfError } from './status-of-code.js';

// A body with a million bad pairs must not answer with a gigabyte.
const MAX_ERRORS = 1000;

export interface ProblemResult {
  readonly problem: Problem;
  /** Ours to repair: to be logged with its cause. */
  readonly unexpected: boolean;
}

/** Any thrown value as what the client may see: never a stack, never the text of an error that we do not know. */
export function toProblem(error: unknown, instance: string): ProblemResult {
  if (error instanceof HopscopeError) {
    const status = statusOfError(error);
    return { problem: build(status, error.code, error.message, instance, error.problems), unexpected: status === 500 };
  }
  const http = fromHttp(error);
  if (http !== undefined) return { problem: build(http.status, http.code, http.detail, instance), unexpected: false };
  if (isUnreachable(error))
    return {
      problem: build(503, 'DATABASE_UNREACHABLE', 'the database or the queue does not answer; try again', instance),
      unexpected: true,
    };
  return {
    problem: build(500, 'INTERNAL', 'something went wrong on our side; the log of the server says what', instance),
    unexpected: true,
  };
}

function build(
  status: number,
  code: string,
  detail: string,
  instance: string,
  problems: readonly InputProblem[] = [],
): Problem {
  const listed = problems.slice(0, MAX_ERRORS).map((problem) => ({
    path: printableText(problem.path),
    code: problem.code,
    message: printableText(problem.message),
  }));
  const rest = problems.length - listed.length;
  const clean = printableText(detail);
  // Programs read `errors` of a 422: what is wrong with the request as a whole stands there as well.
  const errors = listed.length === 0 && status === 422 ? [{ path: '/', code, message: clean }] : listed;
  return {
    type: `urn:hopscope:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: rest > 0 ? `${clean} (the first ${MAX_ERRORS} of ${problems.length} are listed)` : clean,
    code,
    instance,
    ...(errors.length > 0 ? { errors } : {}),
  };
}

interface HttpFacts {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

function fromHttp(error: unknown): HttpFacts | undefined {
  // Nest wraps what body-parser and the router throw and keeps it as the cause.
  const facts = bodyParserProblem(error) ?? (error instanceof Error ? bodyParserProblem(error.cause) : undefined);
  if (facts !== undefined) return facts;
  if (!(error instanceof HttpException)) return undefined;
  const status = error.getStatus();
  const noSuchPath = status === 404 || error.cause instanceof URIError;
  if (noSuchPath)
    return { status: 404, code: 'NOT_FOUND', detail: 'there is no such path or method; /docs lists what there is' };
  return status >= 500 ? undefined : { status, code: 'INVALID_REQUEST', detail: error.message };
}

/** What body-parser throws: errors with `type` and `status`. */
function bodyParserProblem(error: unknown): HttpFacts | undefined {
  if (!(error instanceof Error) || !('type' in error) || !('status' in error)) return undefined;
  if (typeof error.type !== 'string' || typeof error.status !== 'number') return undefined;
  const limit = 'limit' in error ? ` of ${String(error.limit)} bytes` : '';
  switch (error.type) {
    case 'entity.parse.failed':
      return { status: 400, code: 'INVALID_JSON', detail: `the body is not JSON: ${error.message}` };
    case 'entity.too.large':
      return { status: 413, code: 'BODY_TOO_LARGE', detail: `the body is larger than the limit${limit}` };
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', detail: error.message };
    default:
      return error.status < 500 ? { status: error.status, code: 'INVALID_REQUEST', detail: error.message } : undefined;
  }
}

// Node's, PostgreSQL's (class 57: operator intervention, 08: connection) and Prisma's codes for "nobody answers".
const UNREACHABLE = /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ETIMEDOUT|57P0\d|08\w{3}|P1001|P1002|P1008|P1017)$/;

function isUnreachable(error: unknown, depth = 0): boolean {
  if (depth > 5 || typeof error !== 'object' || error === null) return false;
  if ('code' in error && typeof error.code === 'string' && UNREACHABLE.test(error.code)) return true;
  return 'cause' in error && isUnreachable(error.cause, depth + 1);
}
