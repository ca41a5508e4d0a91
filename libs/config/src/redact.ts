import { configKeys } from './config-key.js';
import type { ConfigSection } from './define-config.js';

export const REDACTED = '[redacted]';

/** The keys whose values must never be shown, for log redaction. */
export function secretKeys(sections: readonly ConfigSection<unknown>[]): readonly string[] {
  return sections.flatMap((section) =>
    configKeys(section)
      .filter((key) => key.secret)
      .map((key) => key.key),
  );
}

/** A copy that may be shown: values of secret keys are replaced, absent ones stay absent. */
export function redactConfig(
  section: ConfigSection<unknown>,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const secrets = new Set(secretKeys([section]));
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, secrets.has(key) && value !== undefined ? REDACTED : value]),
  );
}

/** The same when all that is known of the section is its JSON schema, as the API reads it from the database. */
export function redactByJsonSchema(schema: unknown, values: unknown): unknown {
  if (!isRecord(values) || !isRecord(schema) || !isRecord(schema.properties)) return values;
  const properties = schema.properties;
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      const property = properties[key];
      if (isRecord(property) && property.secret === true) return [key, REDACTED];
      return [key, redactByJsonSchema(property, value)];
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
