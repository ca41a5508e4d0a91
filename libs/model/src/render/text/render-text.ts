import type { Diagnosis } from '../../diagnosis.js';
import { describeEndpoint } from '../../endpoint.js';
import { describePlace } from '../../place.js';
import { branchLines } from './branches.js';
import { numberFindings, whyLines } from './findings.js';
import { shortPathLines } from './short-path.js';
import { stepLines } from './steps.js';

export interface TextOptions {
  /** Every step of every trace with the line that decided it, in place of one line a hop. */
  readonly steps?: boolean;
}

/**
 * The diagnosis for a person at a terminal: the answer, why, what else looks wrong, the way of the packet, and what was not looked at.
 * No line is wrapped: rules and commands can be copied.
 */
export function renderText(diagnosis: Diagnosis, { steps = false }: TextOptions = {}): string {
  const numbers = numberFindings(diagnosis);
  const sections = [
    headLines(diagnosis),
    ...whyLines(diagnosis, numbers),
    branchLines(diagnosis, numbers),
    ...(steps ? stepLines(diagnosis) : shortPathLines(diagnosis, numbers)),
    diagnosis.assumptions.length === 0
      ? []
      : ['taken for granted:', ...diagnosis.assumptions.map((text) => `  ${text}`)],
    skippedLines(diagnosis),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headLines({ source, destination, protocol, port, verdict, symptom }: Diagnosis): string[] {
  return [
    `${describeEndpoint(source)} -> ${describeEndpoint(destination)} ${protocol}/${port}`,
    `${verdict.toUpperCase()}, the client sees: ${symptom}`,
  ];
}

/** One line a reason, with all places that it holds for. */
function skippedLines({ skipped }: Diagnosis): string[] {
  if (skipped.length === 0) return [];
  const places = new Map<string, string[]>();
  for (const { code, reason, at } of skipped) {
    const key = `${code}: ${reason}`;
    const known = places.get(key) ?? [];
    if (at !== undefined) known.push(describePlace(at));
    places.set(key, known);
  }
  return [
    'not looked at:',
    ...[...places].map(([text, at]) => `  ${text}${at.length === 0 ? '' : ` (${[...new Set(at)].join(', ')})`}`),
  ];
}
