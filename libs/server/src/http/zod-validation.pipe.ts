import { HopscopeError, zodProblems, type InputProblem } from '#libs/model';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { inputWords } from './input-words.js';
import { unstorableText } from './storable-text.js';

/** Checks bodies and queries against the zod schema of their decorator; every problem becomes one of the 422. */
export class ZodValidationPipe implements PipeTransform<unknown, unknown> {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    return metadata.schema instanceof z.ZodType ? parseInput(metadata.schema, value) : value;
  }
}

/** Throws VALIDATION_FAILED with every problem; paths are JSON pointers. */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const text = unstorableText(value);
  const parsed = schema.safeParse(value, { error: inputWords });
  if (parsed.success && text.length === 0) return parsed.data;
  throw validationFailed([...text, ...(parsed.success ? [] : zodProblems(parsed.error))]);
}

/** What `parseInput` would throw. */
export function inputProblems(schema: z.ZodType, value: unknown): InputProblem[] {
  const parsed = schema.safeParse(value, { error: inputWords });
  return [...unstorableText(value), ...(parsed.success ? [] : zodProblems(parsed.error))];
}

export function validationFailed(problems: readonly InputProblem[]): HopscopeError {
  const shown = problems.slice(0, 3).map(({ path, message }) => `${path}: ${message}`);
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : '';
  return new HopscopeError('VALIDATION_FAILED', `the request is not valid: ${shown.join('; ')}${more}`, { problems });
}
