/**
 * Configuration declared once, as data, beside the code that uses it (the seed's ConfigBinder).
 * Flags, environment names, JSON schema, documentation and redaction are derived from the declaration.
 * The sections themselves live with the code that uses them; nothing here reads process.env by itself.
 * Start with define-config.ts, then config-key.ts and read-config.ts.
 */
export * from './config-docs.js';
export * from './config-key.js';
export * from './define-config.js';
export * from './read-config.js';
export * from './redact.js';
