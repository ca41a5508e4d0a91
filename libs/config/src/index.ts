/**
 * Configuration declared once, as data, beside the code that uses it (the seed's ConfigBinder).
 * Flags, environment names, JSON schema, documentation and redaction are derived from the declaration.
 * Start with define-config.ts.
 */
export * from './define-config.js';
