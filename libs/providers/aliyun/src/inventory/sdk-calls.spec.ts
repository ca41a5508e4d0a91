import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PRODUCT_OF } from './sdk-calls.js';

const PAGE = join(import.meta.dirname, '../../../../../docs/how-to/look-at-alibaba-cloud.md');
const Policy = z.object({ Statement: z.tuple([z.object({ Action: z.array(z.string()) })]) });

describe('the policy in the docs', () => {
  it('allows every call that is made, and no other', () => {
    const [, text] = /```json\n([\s\S]*?)```/.exec(readFileSync(PAGE, 'utf8')) ?? [];
    const policy = Policy.parse(JSON.parse(text ?? ''));

    expect(policy.Statement[0].Action).toEqual(
      Object.entries(PRODUCT_OF)
        .map(([action, product]) => `${product}:${action}`)
        .toSorted(),
    );
  });
});
