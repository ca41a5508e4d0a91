/**
 * A PostgreSQL server of our own, for one machine: started from npm's binaries, as root or as a user, and gone when we are gone.
 * Knows nothing of our tables. Only the standalone application and tests use it.
 * Start with start-embedded-postgres.ts.
 */
export * from './start-embedded-postgres.js';
