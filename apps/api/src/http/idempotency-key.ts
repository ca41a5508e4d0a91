import { validationFailed } from '#libs/server';
import type { Request } from 'express';

/** The header as it is, undefined when absent. */
export function idempotencyKey(request: Request): string | undefined {
  const key = request.get('Idempotency-Key');
  if (key === undefined) return undefined;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw validationFailed([
    {
      path: '/headers/Idempotency-Key',
      code: 'INVALID_FORMAT',
      message: 'must be 1-255 visible ASCII characters without spaces',
    },
  ]);
}
