import { HopscopeError, type InputProblem } from '#libs/model';
import { z } from 'zod';
import { configKeys, type ConfigKey } from './config-key.js';
import type { ConfigSection } from './define-config.js';

/** Sections by the name under which their values are wanted. */
export type ConfigSections = Readonly<Record<string, ConfigSection<unknown>>>;
export type ConfigValues<S extends ConfigSections> = {
  readonly [K in keyof S]: S[K] extends ConfigSection<infer C> ? C : never;
};

/** Reads all sections from environment variables. Throws HopscopeError INVALID_CONFIG with every problem of every section. */
export function readEnv<const S extends ConfigSections>(
  sections: S,
  env: Readonly<Record<string, string | undefined>>,
): ConfigValues<S> {
  return readConfig(
    sections,
    (key) => env[key.env],
    (key) => key.env,
  );
}

/** The same from flag values, by flag name without the dashes. */
export function readFlags<const S extends ConfigSections>(
  sections: S,
  flags: Readonly<Record<string, string | undefined>>,
): ConfigValues<S> {
  return readConfig(
    sections,
    (key) => flags[key.flag.replace(/^--/, '')],
    (key) => key.flag,
  );
}

function readConfig<const S extends ConfigSections>(
  sections: S,
  valueOf: (key: ConfigKey) => string | undefined,
  nameOf: (key: ConfigKey) => string,
): ConfigValues<S> {
  const values: Record<string, unknown> = {};
  const problems: InputProblem[] = [];
  for (const [name, section] of Object.entries(sections)) {
    const keys = configKeys(section);
    const input: Record<string, unknown> = {};
    for (const key of keys) {
      const text = valueOf(key);
      // An empty variable counts as not set: that is how compose files and shells write "none".
      if (text !== undefined && text !== '') input[key.key] = fromText(text, key.type);
    }
    const parsed = section.schema.safeParse(input);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(...parsed.error.issues.map((issue) => problemOf(issue, keys, valueOf, nameOf)));
  }
  if (problems.length > 0)
    throw new HopscopeError(
      'INVALID_CONFIG',
      `the configuration is wrong:\n${problems.map(({ path, message }) => `  ${path}: ${message}`).join('\n')}`,
      { problems },
    );
  // Each value was parsed by the schema of its own section.
  return values as ConfigValues<S>;
}

function problemOf(
  issue: z.core.$ZodIssue,
  keys: readonly ConfigKey[],
  valueOf: (key: ConfigKey) => string | undefined,
  nameOf: (key: ConfigKey) => string,
): InputProblem {
  const key = keys.find((candidate) => candidate.key === issue.path[0]);
  if (key === undefined) return { path: '/', code: issue.code.toUpperCase(), message: issue.message };
  const text = valueOf(key);
  if (text === undefined || text === '')
    return { path: nameOf(key), code: 'REQUIRED', message: `is not set: ${key.description}` };
  const shown = key.secret ? '' : ` (it is ${JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)})`;
  return { path: nameOf(key), code: issue.code.toUpperCase(), message: `${issue.message}${shown}` };
}

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

/** Text that does not have the form of its type stays text, so that the schema names the problem. */
function fromText(text: string, type: ConfigKey['type']): unknown {
  switch (type) {
    case 'number':
    case 'integer':
      return /^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      if (TRUE.has(text.toLowerCase())) return true;
      return FALSE.has(text.toLowerCase()) ? false : text;
    case 'array':
      return text.split(',').map((part) => part.trim());
    case 'string':
      return text;
  }
}
