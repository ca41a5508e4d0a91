import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly name: string;
  readonly level: LogLevel;
  /** Field names whose values are never written, at the top or one level down. */
  readonly secretKeys?: readonly string[];
  /** Standard error unless given: standard output belongs to what a person or program asked for. */
  readonly destination?: DestinationStream;
}

// Whatever a section forgets to mark; these names never carry anything that a log needs.
const ALWAYS_SECRET = [
  'password',
  'token',
  'authorization',
  'kubeconfig',
  'connectionString',
  'databaseUrl',
  'redisUrl',
];

/** A pino logger. Call it with fields first and a static message: `log.warn({ node }, 'host dump failed')`. */
export function createLogger(options: LoggerOptions): Logger {
  const keys = [...new Set([...ALWAYS_SECRET, ...(options.secretKeys ?? [])])];
  return pino(
    {
      name: options.name,
      level: options.level,
      redact: { paths: keys.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
    },
    options.destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

/** What a reader needs of an error. Drivers hang whole connections on theirs, which belong into no log. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { name, code, message, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}
