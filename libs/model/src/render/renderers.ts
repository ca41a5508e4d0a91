import type { Diagnosis } from '../diagnosis.js';
import { renderD2 } from './d2.js';
import { renderDot } from './dot.js';
import { renderKubeskoopJson } from './kubeskoop-json.js';
import { renderMermaid } from './mermaid.js';
import { renderSvg } from './svg.js';
import { renderText } from './text/render-text.js';

/** A form in which a diagnosis, or only its path, can be shown. */
export interface Renderer {
  readonly mediaType: string;
  readonly render: (diagnosis: Diagnosis) => string;
}

/** By the name that command line and API use: a new form is a file beside this one and a line here. */
export const RENDERERS = {
  text: { mediaType: 'text/plain', render: (diagnosis) => renderText(diagnosis) },
  mermaid: { mediaType: 'text/vnd.mermaid', render: ({ path }) => renderMermaid(path) },
  d2: { mediaType: 'text/x-d2', render: ({ path }) => renderD2(path) },
  dot: { mediaType: 'text/vnd.graphviz', render: ({ path }) => renderDot(path) },
  svg: { mediaType: 'image/svg+xml', render: ({ path }) => renderSvg(path) },
  'kubeskoop-json': { mediaType: 'application/json', render: renderKubeskoopJson },
} as const satisfies Record<string, Renderer>;

export type RendererName = keyof typeof RENDERERS;

export function isRendererName(text: string): text is RendererName {
  return Object.hasOwn(RENDERERS, text);
}
