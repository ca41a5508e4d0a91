/**
 * Logs and metrics of our processes: a pino logger with redaction and a registry of prom-client metrics.
 * What is measured where is decided by the callers; serving /metrics is the business of libs/server.
 * Start with logger.ts.
 */
export * from './logger.js';
export * from './metrics.js';
