import { HopscopeError, RENDERERS, type Diagnosis, type RendererName } from '#libs/model';
import type { Request } from 'express';

interface PathFormat {
  readonly type: string;
  readonly render: (diagnosis: Diagnosis) => string;
}

const FORMATS = {
  json: { type: 'application/json', render: ({ path }) => JSON.stringify(path) },
  mermaid: ofModel('mermaid'),
  d2: ofModel('d2'),
  dot: ofModel('dot'),
  svg: ofModel('svg'),
  txt: ofModel('text'),
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

function ofModel(name: RendererName): PathFormat {
  const { mediaType, render } = RENDERERS[name];
  return { type: mediaType, render };
}

function isFormat(text: string): text is keyof typeof FORMATS {
  return Object.hasOwn(FORMATS, text);
}
