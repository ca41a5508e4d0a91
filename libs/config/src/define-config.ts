import { z } from 'zod';

/** A named group of settings. Mark secrets with `.meta({ secret: true })` and describe every key. */
export interface ConfigSection<C> {
  readonly id: string;
  readonly title: string;
  readonly schema: z.ZodType<C>;
}

export function defineConfig<C>(section: ConfigSection<C>): ConfigSection<C> {
  return section;
}
