/** A shell block of a page that is marked to be run: ```sh run, or ```sh run exit=1. */
export interface DocsExample {
  readonly line: number;
  readonly script: string;
  readonly exitCode: number;
  /** Lines that the output must hold, from a ```text block right below. A line `…` stands for any others. */
  readonly output: readonly string[];
}

const BLOCK = /^```(\S+)([^\n]*)\n([\s\S]*?)^```$/gm;

export function listExamples(markdown: string): readonly DocsExample[] {
  const blocks = [...markdown.matchAll(BLOCK)].map((match) => ({
    language: match[1] ?? '',
    marks: (match[2] ?? '').trim().split(/\s+/),
    text: match[3] ?? '',
    start: match.index,
    end: match.index + match[0].length,
  }));
  return blocks.flatMap((block, i) => {
    if (block.language !== 'sh' || !block.marks.includes('run')) return [];
    const next = blocks[i + 1];
    const shown = next?.language === 'text' && markdown.slice(block.end, next.start).trim() === '' ? next.text : '';
    const exit = block.marks.find((mark) => mark.startsWith('exit='));
    return [
      {
        line: markdown.slice(0, block.start).split('\n').length,
        script: block.text,
        exitCode: exit === undefined ? 0 : Number(exit.slice('exit='.length)),
        output: shown.split('\n').filter((line) => line.trim() !== '' && line.trim() !== '…'),
      },
    ];
  });
}
