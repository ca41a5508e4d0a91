/**
 * THE TRUTH: what Hopscope keeps in PostgreSQL. Repositories take and give plain records (records.ts); rows never leave this room.
 * Not here: validation of input, planning of walks, the queue. A job carries an id, the row carries everything else.
 * Start with repositories.ts, then open-persistence.ts; the tables are in prisma/schema.prisma.
 */
export * from './migrate.js';
export * from './open-persistence.js';
export * from './pair.js';
export * from './records.js';
export * from './repositories.js';
export { DEFAULT_CHUNK_SIZE } from './run-plan.js';
