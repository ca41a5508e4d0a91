import { HopscopeError, zodProblems, type InputProblem } from '#libs/model';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { z } from 'zod';
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
  const parsed = schema.safeParse(value);
  const problems = [...text, ...(parsed.success ? [] : zodProblems(parsed.error))];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw validationFailed(problems);
}

export function validationFailed(problems: readonly InputProblem[]): HopscopeError {
  const shown = problems.slice(0, 3).map(({ path, message }) => `${path}: ${message}`);
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : '';
  return new HopscopeError('VALIDATION_FAILED', `the request is not valid: ${shown.join('; ')}${more}`, { problems });
}
