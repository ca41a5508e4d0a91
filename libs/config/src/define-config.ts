import type { z } from 'zod';

/**
 * A named group of settings: an object schema with every key described.
 * Meta marks on keys: `secret: true` (never shown), `env: 'NAME'` and `flag: '--name'` (in place of the derived names).
 */
export interface ConfigSection<C> {
  readonly id: string;
  readonly title: string;
  readonly schema: z.ZodType<C>;
}

/** Declares a section; everything else about it (flags, environment, docs, redaction) is derived. */
export function defineConfig<C>(section: ConfigSection<C>): ConfigSection<C> {
  return section;
}
