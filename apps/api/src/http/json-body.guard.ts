import { HopscopeError } from '#libs/model';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** Asks for a JSON body by its name. Also what keeps forms of other web pages out: they cannot send this type. */
export class JsonBodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    requireMediaType(context.switchToHttp().getRequest<Request>(), ['application/json', 'application/*+json']);
    return true;
  }
}

/** Gives the type of the list that the body has. */
export function requireMediaType(request: Request, types: readonly string[]): string {
  const sent = request.headers['content-type'];
  const found = request.is([...types]);
  if (typeof found === 'string') return found;
  const expected = types.filter((type) => !type.includes('*')).join(' or ');
  throw new HopscopeError(
    'UNSUPPORTED_MEDIA_TYPE',
    sent === undefined
      ? `the request has no body with a Content-Type; send ${expected}`
      : `Content-Type is not supported here; send ${expected}`,
  );
}
