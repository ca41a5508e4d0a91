import { HopscopeError, renderMermaid, renderText, type Diagnosis } from '#libs/model';
import type { Request } from 'express';

interface PathFormat {
  readonly type: string;
  readonly render: (diagnosis: Diagnosis) => string;
}

const FORMATS = {
  json: { type: 'application/json', render: ({ path }) => JSON.stringify(path) },
  mermaid: { type: 'text/vnd.mermaid', render: ({ path }) => renderMermaid(path) },
  txt: { type: 'text/plain', render: renderText },
} satisfies Record<string, PathFormat>;

export const PATH_TYPES = Object.values(FORMATS).map(({ type }) => type);

export function formatByExtension(extension: string): PathFormat {
  if (isFormat(extension)) return FORMATS[extension];
  throw new HopscopeError('NOT_ACCEPTABLE', `the path can be had as ${Object.keys(FORMATS).join(', ')}`);
}

export function formatByAccept(request: Request): PathFormat {
  const type = request.accepts(PATH_TYPES);
  const format = Object.values(FORMATS).find((candidate) => candidate.type === type);
  if (format !== undefined) return format;
  throw new HopscopeError('NOT_ACCEPTABLE', `the path can be had as ${PATH_TYPES.join(', ')}`);
}

function isFormat(text: string): text is keyof typeof FORMATS {
  return Object.hasOwn(FORMATS, text);
}
