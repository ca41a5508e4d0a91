import { z } from 'zod';

/** RFC 9457 problem details, as every failed request answers. */
export const Problem = z
  .object({
    type: z.string().describe('A URI that names the kind of problem; it need not resolve.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('Stable, for programs.'),
    instance: z.string().describe('The path of the request.'),
    errors: z
      .array(z.object({ path: z.string().describe('JSON pointer (RFC 6901).'), code: z.string(), message: z.string() }))
      .optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.output<typeof Problem>;
