import type { SampleResult } from './diagnose-samples.js';

/** A line per question, and under what does not work its first cause with the line that shows it. */
export function sampleTable(results: readonly SampleResult[]): string {
  const rows = results.map((result) => [
    result.sample.name,
    pairText(result),
    result.answer.verdict,
    result.answer.symptom,
    result.asExpected ? 'ok' : `NOT: ${expectedText(result)}`,
  ]);
  const header = ['case', 'source -> destination', 'verdict', 'client sees', 'expected'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const lines = [line(header), line(widths.map((width) => '-'.repeat(width)))];
  results.forEach((result, index) => lines.push(line(rows[index] ?? []), ...causeLines(result)));
  return `${lines.join('\n')}\n`;
}

function causeLines({ answer, asExpected }: SampleResult): string[] {
  const [cause] = answer.blocking;
  const shown = cause ?? (asExpected ? undefined : answer.suspicions[0]);
  if (shown === undefined) return [];
  const [evidence] = shown.evidence;
  return [
    `    ${shown.code}: ${shown.message}`,
    ...(evidence === undefined ? [] : [`      ${evidence.locator}: ${evidence.text}`]),
  ];
}

function pairText({ pair }: SampleResult): string {
  return `${pair.source} -> ${pair.destination}:${pair.port}/${pair.protocol}`;
}

function expectedText({ pair: { expect } }: SampleResult): string {
  return [expect.verdict, expect.symptom, ...expect.codes].join(' ');
}
