import { z } from 'zod';
import type { ConfigSection } from './define-config.js';

/** One key of a section with the names derived from it. */
export interface ConfigKey {
  readonly key: string;
  /** `HOPSCOPE_ALIYUN_ACCESS_KEY_ID`, or what the key's meta says. */
  readonly env: string;
  /** `--aliyun-access-key-id`, or what the key's meta says. */
  readonly flag: string;
  readonly description: string;
  readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'array';
  readonly required: boolean;
  readonly secret: boolean;
  readonly default?: unknown;
}

// What is read of a JSON schema; zod copies meta marks into it.
const Property = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  secret: z.boolean().optional(),
  env: z.string().optional(),
  flag: z.string().optional(),
  default: z.unknown().optional(),
});
const ObjectSchema = z.looseObject({
  type: z.literal('object'),
  properties: z.record(z.string(), Property).default({}),
  required: z.array(z.string()).default([]),
});

/** The JSON schema of what a user may write for this section. */
export function configJsonSchema(section: ConfigSection<unknown>): Record<string, unknown> {
  return z
    .record(z.string(), z.unknown())
    .parse(z.toJSONSchema(section.schema, { io: 'input', unrepresentable: 'any' }));
}

/** The keys of a section in the order of declaration. Throws when the section is not an object of described keys. */
export function configKeys(section: ConfigSection<unknown>): readonly ConfigKey[] {
  const parsed = ObjectSchema.safeParse(configJsonSchema(section));
  if (!parsed.success) throw new TypeError(`config section ${section.id} is not an object schema`);
  return Object.entries(parsed.data.properties).map(([key, property]): ConfigKey => {
    if (property.description === undefined) throw new TypeError(`config key ${section.id}.${key} has no description`);
    const words = [...splitWords(section.id), ...splitWords(key)];
    return {
      key,
      env: property.env ?? `HOPSCOPE_${words.join('_').toUpperCase()}`,
      flag: property.flag ?? `--${words.join('-')}`,
      description: property.description,
      type: keyType(property.type),
      required: parsed.data.required.includes(key),
      secret: property.secret ?? false,
      ...(property.default === undefined ? {} : { default: property.default }),
    };
  });
}

function keyType(type: string | undefined): ConfigKey['type'] {
  switch (type) {
    case 'number':
    case 'integer':
    case 'boolean':
    case 'array':
      return type;
    default:
      return 'string';
  }
}

/** `accessKeyId` -> access, key, id. */
function splitWords(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}
