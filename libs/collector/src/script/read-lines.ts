/** Where the files of a stream go. */
export interface FileSink {
  checkSize(path: string, bytes: number): void;
  add(path: string, content: Buffer): void;
}

const HEAD = /^hopscope-file (\d{1,15}) (\S+)$/;
const MAX_LINE = 1000;

/** `hopscope-file <bytes> <path>`, a line feed and that many bytes, again and again, then `hopscope-end`. True when it was cut off. */
export async function readLines(chunks: AsyncIterable<Buffer>, files: FileSink): Promise<boolean> {
  let rest: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  let file: { readonly path: string; readonly bytes: number; missing: number } | undefined;
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (file !== undefined) {
        const taken = rest.subarray(0, file.missing);
        parts.push(taken);
        file.missing -= taken.length;
        rest = rest.subarray(taken.length);
        if (file.missing > 0) break;
        files.add(file.path, Buffer.concat(parts));
        file = undefined;
        parts = [];
      }
      const end = rest.indexOf(0x0a);
      if (end < 0) {
        if (rest.length > MAX_LINE) return true;
        break;
      }
      const line = rest.subarray(0, end).toString('latin1');
      rest = rest.subarray(end + 1);
      if (line === 'hopscope-end') return false;
      const [, bytes, path] = HEAD.exec(line) ?? [];
      if (bytes === undefined || path === undefined) return true;
      files.checkSize(path, Number(bytes));
      file = { path, bytes: Number(bytes), missing: Number(bytes) };
    }
  }
  return true;
}
