/**
 * How a host is read: which commands give the files of a snapshot, and what becomes of their output.
 * Only looks, never changes anything. What the texts mean is netstack's business, how they are stored snapshot-archive's.
 * Start with ../script/collect.sh, which does the reading, then script/collect-script.ts (what it is asked) and
 * script/read-node-dump.ts (what it answers).
 */
export * from './command.js';
export * from './dump-commands.js';
export * from './dump-namespace.js';
export * from './netns/run-in-netns.js';
export * from './script/collect-script.js';
export * from './script/explain-exit.js';
export * from './script/node-dump.js';
export * from './script/read-node-dump.js';
export * from './script/run-here.js';
export type { StreamLimits } from './script/unpack-stream.js';
