import { HopscopeError, parseCidr, parseIp, zodProblems } from '#libs/model';
import { z } from 'zod';

const Prefix = z
  .string()
  .max(64)
  .refine((text) => parseCidr(text) !== undefined, 'must be an address or a prefix such as 10.0.0.0/8');
const Address = z
  .string()
  .max(64)
  .refine((text) => parseIp(text) !== undefined, 'must be an IP address');

/** underlay.json: the operator's own description of what lies between and outside the nodes. */
export const Underlay = z.strictObject({
  /** Longest prefix wins; `via` is a node or an external host of the snapshot. */
  routes: z
    .array(z.strictObject({ destination: Prefix, via: z.string().min(1).max(253) }))
    .max(10_000)
    .default([]),
  /** The source is rewritten when a packet leaves for an address that is no node's and not routed to one. */
  snat: z
    .array(z.strictObject({ source: Prefix, to: Address }))
    .max(1_000)
    .default([]),
  /** What becomes of all other destinations. */
  unknown: z.enum(['exits', 'lost']).default('exits'),
});
export type Underlay = z.output<typeof Underlay>;

/** undefined when the snapshot has none. Throws UNDERLAY_INVALID with every problem. */
export function parseUnderlay(json: unknown): Underlay | undefined {
  if (json === undefined) return undefined;
  const parsed = Underlay.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = zodProblems(parsed.error);
  const text = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HopscopeError('UNDERLAY_INVALID', `underlay.json: ${text}`, { problems });
}
