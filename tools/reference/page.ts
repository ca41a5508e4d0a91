/** One generated page of docs/reference/. The same tree renders to the same bytes. */
export interface ReferencePage {
  readonly path: string;
  readonly render: (root: string) => string | Promise<string>;
}

/** The head of every generated page. */
export function pageHead(title: string, source: string): string {
  return `# ${title}\n\n<!-- Generated from ${source} by \`npm run gen:docs\`. Edit that, not this page. -->\n`;
}

/** A Markdown table; cells may hold anything. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')).join(' | ')} |`;
  return [line(header), `|${' --- |'.repeat(header.length)}`, ...rows.map(line), ''].join('\n');
}
