import { z } from 'zod';
import { inputProblems } from './zod-validation.pipe.js';

const Pet = z.strictObject({ kind: z.literal('cat') });
const Car = z.strictObject({ kind: z.literal('car') });

describe('inputWords', () => {
  it.each<{ schema: z.ZodType; value: unknown; message: string }>([
    { schema: z.string(), value: undefined, message: 'is missing' },
    { schema: z.union([z.string(), z.number()]), value: undefined, message: 'is missing' },
    { schema: z.union([z.string(), z.number()]), value: {}, message: 'must be text or a number' },
    { schema: z.coerce.number(), value: 'abc', message: 'must be a number' },
    { schema: z.int(), value: 1.5, message: 'must be a whole number' },
    { schema: z.array(z.string()), value: 5, message: 'must be a list' },
    { schema: z.record(z.string(), z.string()), value: [], message: 'must be an object' },
    { schema: z.enum(['a', 'b']), value: 'c', message: 'must be "a" or "b"' },
    { schema: z.number().min(1), value: 0, message: 'must be at least 1' },
    { schema: z.string().max(2), value: 'abc', message: 'must be at most 2 characters' },
    { schema: z.array(z.string()).min(1), value: [], message: 'must be at least 1 items' },
    { schema: z.string().regex(/^a$/, 'must be an a'), value: 'b', message: 'must be an a' },
    {
      schema: z.discriminatedUnion('kind', [Pet, Car]),
      value: { kind: 'x' },
      message: 'is none of the forms that can be given here',
    },
    {
      schema: z.fromJSONSchema({ type: 'string', format: 'email' }),
      value: 'x',
      message: expect.stringMatching(/^(is no|must fit)/),
    },
  ])('$message', ({ schema, value, message }) => {
    expect(inputProblems(schema, value).map((problem) => problem.message)).toEqual([message]);
  });
});
