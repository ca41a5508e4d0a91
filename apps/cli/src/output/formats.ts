import { renderMermaid, renderText, type Diagnosis } from '#libs/model';
import { colour } from './colour.js';

export const SINGLE_FORMATS = ['text', 'json', 'jsonl', 'yaml', 'mermaid'] as const;
export type Format = (typeof SINGLE_FORMATS)[number];
/** What can be written one answer after the other. */
export const STREAM_FORMATS = ['jsonl', 'text', 'yaml'] as const satisfies readonly Format[];
export type StreamFormat = (typeof STREAM_FORMATS)[number];

export function isFormat(text: string): text is Format {
  return SINGLE_FORMATS.some((format) => format === text);
}

export function isStreamFormat(text: string): text is StreamFormat {
  return STREAM_FORMATS.some((format) => format === text);
}

/** One diagnosis as the user asked for it. */
export async function formatDiagnosis(diagnosis: Diagnosis, format: Format, colours: boolean): Promise<string> {
  switch (format) {
    case 'text':
      return colours ? colour(renderText(diagnosis)) : renderText(diagnosis);
    case 'json':
      return `${JSON.stringify(diagnosis, null, 2)}\n`;
    case 'jsonl':
      return `${JSON.stringify(diagnosis)}\n`;
    case 'yaml':
      return formatYaml(diagnosis);
    case 'mermaid':
      return renderMermaid(diagnosis.path);
  }
}

/** A document of a YAML stream. Loaded when asked for: few want it. */
export async function formatYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  // Through JSON, so that members without a value are left out as they are there; no anchors for equal objects.
  return stringify(JSON.parse(JSON.stringify(value)), { aliasDuplicateObjects: false, lineWidth: 0 });
}
