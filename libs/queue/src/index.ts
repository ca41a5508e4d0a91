/**
 * DELIVERY: which jobs there are (job-catalog.ts), on which queues, and over what they travel (queue-backend.ts).
 * A job carries the id of a row and nothing else; processors, planning and results are elsewhere.
 * Start with job-catalog.ts.
 */
export * from './enqueue.js';
export * from './job-catalog.js';
export * from './job-errors.js';
export * from './queue-backend.js';
export * from './queue-names.js';
