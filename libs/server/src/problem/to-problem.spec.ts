import { HopscopeError } from '#libs/model';
import { BadRequestException, NotFoundException } from '@nestjs/common';
import { toProblem } from './to-problem.js';

describe('toProblem', () => {
  it.each([
    { code: 'CLUSTER_NOT_FOUND', status: 404 },
    { code: 'CLUSTER_EXISTS', status: 409 },
    { code: 'RUN_STATE_CONFLICT', status: 409 },
    { code: 'SNAPSHOT_TOO_LARGE', status: 413 },
    { code: 'SNAPSHOT_TRUNCATED', status: 422 },
    { code: 'INVALID_PAGE_TOKEN', status: 422 },
    { code: 'IDEMPOTENCY_KEY_REUSED', status: 422 },
    { code: 'NO_SNAPSHOT', status: 422 },
    { code: 'NOT_ACCEPTABLE', status: 406 },
    { code: 'HOST_NOT_ALLOWED', status: 403 },
  ])('answers $code with $status', ({ code, status }) => {
    const { problem } = toProblem(new HopscopeError(code, 'because'), '/v1/x');

    expect(problem).toMatchObject({ status, code, detail: 'because', instance: '/v1/x' });
  });

  it('keeps every problem of an input', () => {
    const problems = [{ path: '/pairs/3/port', code: 'CUSTOM', message: 'must be a port' }];

    expect(toProblem(new HopscopeError('VALIDATION_FAILED', 'bad', { problems }), '/').problem.errors).toEqual(
      problems,
    );
  });

  it.each(['NO_SNAPSHOT', 'IDEMPOTENCY_KEY_REUSED', 'SNAPSHOT_TRUNCATED'])('gives %s an entry in errors', (code) => {
    expect(toProblem(new HopscopeError(code, 'because'), '/').problem.errors).toEqual([
      { path: '/', code, message: 'because' },
    ]);
  });

  it('can be printed, whatever was sent', () => {
    const problems = [{ path: '/a\u0007', code: 'X', message: 'not \u001b[31m' }];
    const error = new HopscopeError('VALIDATION_FAILED', 'ä \u001f\b\u0000\ufffd\u202e\u2028\ud800', { problems });

    expect(toProblem(error, '/').problem).toMatchObject({
      detail: 'ä ???????',
      errors: [{ path: '/a?', code: 'X', message: 'not ?[31m' }],
    });
  });

  it('asks to try again when trying again may help', () => {
    expect(toProblem(new HopscopeError('QUEUE_BUSY', 'later', { retryable: true }), '/').problem.status).toBe(503);
  });

  it('says nothing of an error that it does not know', () => {
    const { problem, unexpected } = toProblem(new TypeError('secret of the house'), '/');

    expect(unexpected).toBe(true);
    expect(problem.status).toBe(500);
    expect(JSON.stringify(problem)).not.toContain('secret');
  });

  it('tells a database that does not answer from a mistake of ours', () => {
    const error = new Error('wrapped', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) });

    expect(toProblem(error, '/').problem).toMatchObject({ status: 503, code: 'DATABASE_UNREACHABLE' });
  });

  it('tells broken JSON, a body that is too large and a missing path apart', () => {
    const parse = Object.assign(new SyntaxError('Unexpected token'), { type: 'entity.parse.failed', status: 400 });
    const large = Object.assign(new Error('too large'), { type: 'entity.too.large', status: 413, limit: 5 });

    expect(toProblem(new BadRequestException('x', { cause: parse }), '/').problem.code).toBe('INVALID_JSON');
    expect(toProblem(large, '/').problem).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
    expect(toProblem(new NotFoundException(), '/nowhere').problem).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });
});
