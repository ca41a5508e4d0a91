import { isRendererName, RENDERERS, renderText, type Diagnosis, type RendererName } from '#libs/model';
import { colour } from './colour.js';

const DATA_FORMATS = ['json', 'jsonl', 'yaml'] as const;
export type Format = RendererName | (typeof DATA_FORMATS)[number];
export const SINGLE_FORMATS: readonly Format[] = ['text', ...DATA_FORMATS, ...Object.keys(RENDERERS).filter(isPicture)];
/** What can be written one answer after the other. */
export const STREAM_FORMATS = ['jsonl', 'text', 'yaml'] as const satisfies readonly Format[];
export type StreamFormat = (typeof STREAM_FORMATS)[number];

export function isFormat(text: string): text is Format {
  return SINGLE_FORMATS.some((format) => format === text);
}

export function isStreamFormat(text: string): text is StreamFormat {
  return STREAM_FORMATS.some((format) => format === text);
}

export interface Look {
  readonly colours: boolean;
  /** Every step, in place of one line a hop; text only. */
  readonly steps: boolean;
}

/** One diagnosis as the user asked for it. */
export async function formatDiagnosis(diagnosis: Diagnosis, format: Format, look: Look): Promise<string> {
  switch (format) {
    case 'text':
      return formatText(diagnosis, look);
    case 'json':
      return `${JSON.stringify(diagnosis, null, 2)}\n`;
    case 'jsonl':
      return `${JSON.stringify(diagnosis)}\n`;
    case 'yaml':
      return formatYaml(diagnosis);
    default:
      return RENDERERS[format].render(diagnosis);
  }
}

export function formatText(diagnosis: Diagnosis, { colours, steps }: Look): string {
  const text = renderText(diagnosis, { steps });
  return colours ? colour(text) : text;
}

/** What RENDERERS adds to the forms that are listed by name. */
function isPicture(name: string): name is Exclude<RendererName, 'text'> {
  return isRendererName(name) && name !== 'text';
}

/** A document of a YAML stream. Loaded when asked for: few want it. */
export async function formatYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  // Through JSON, so that members without a value are left out as they are there; no anchors for equal objects.
  return stringify(JSON.parse(JSON.stringify(value)), { aliasDuplicateObjects: false, lineWidth: 0 });
}
