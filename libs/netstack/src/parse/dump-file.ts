import { z } from 'zod';

/** A dump file that cannot be read. Names file, place and what is wrong; the namespace goes on without the file. */
export class DumpError extends Error {
  constructor(
    readonly file: string,
    message: string,
  ) {
    super(`${file}: ${message}`);
    this.name = 'DumpError';
  }
}

/** The rows of an iproute2 `-j` document. An empty file is an empty list: iproute2 prints nothing for no rows. */
export function parseRows<T extends z.ZodType>(file: string, text: string, row: T): z.output<T>[] {
  if (text.trim() === '') return [];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DumpError(file, error instanceof Error ? error.message : 'not JSON');
  }
  const parsed = z.array(row).safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DumpError(file, `/${issue?.path.map(String).join('/') ?? ''}: ${issue?.message ?? 'wrong shape'}`);
}
