/**
 * How a host is read: which commands give the files of a snapshot, and what becomes of their output.
 * Only looks, never changes anything. What the texts mean is netstack's business, how they are stored snapshot-archive's.
 * Start with dump-commands.ts, then dump-namespace.ts; netns/ reads namespaces of this machine (labs).
 */
export * from './command.js';
export * from './dump-commands.js';
export * from './dump-namespace.js';
export * from './netns/run-in-netns.js';
