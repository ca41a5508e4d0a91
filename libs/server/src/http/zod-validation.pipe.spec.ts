import { HopscopeError } from '#libs/model';
import { z } from 'zod';
import { parseInput } from './zod-validation.pipe.js';

const Thing = z.strictObject({ name: z.string(), size: z.int(), tags: z.record(z.string(), z.string()).optional() });

function problemsOf(value: unknown) {
  try {
    parseInput(Thing, value);
  } catch (error) {
    if (error instanceof HopscopeError) return error.problems.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

describe('parseInput', () => {
  it('gives what the schema gives', () => {
    expect(parseInput(Thing, { name: 'a', size: 1 })).toEqual({ name: 'a', size: 1 });
  });

  it('tells every problem at once', () => {
    expect(problemsOf({ name: 5, size: 1.5, colour: 'red' })).toEqual([
      '/name INVALID_TYPE',
      '/size INVALID_TYPE',
      '/colour UNKNOWN_FIELD',
    ]);
  });

  it('refuses text that PostgreSQL cannot hold, in values and in keys', () => {
    expect(problemsOf({ name: 'a\u0000b', size: 1 })).toEqual(['/name INVALID_TEXT']);
    expect(problemsOf({ name: 'a\ud800', size: 1 })).toEqual(['/name INVALID_TEXT']);
    expect(problemsOf({ name: 'a', size: 1, tags: { 'x\u0000': 'y' } })).toEqual(['/tags/x\ufffd INVALID_TEXT']);
    expect(problemsOf({ name: '😀', size: 1 })).toEqual([]);
  });
});
