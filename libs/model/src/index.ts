/**
 * The words: packet, endpoint, step, trace, path, suspicion, verdict, diagnosis, diff, and how they are shown.
 * Plain readonly data and pure functions. Nothing here parses dumps, walks packets or does I/O.
 * Start with diagnosis.ts, then trace.ts and suspicion.ts.
 */
export * from './canonical.js';
export * from './causes.js';
export * from './diagnosis.js';
export * from './diff.js';
export * from './endpoint.js';
export * from './errors.js';
export * from './evidence.js';
export * from './ip.js';
export * from './packet.js';
export * from './packet-path.js';
export * from './pair.js';
export * from './place.js';
export * from './render/renderers.js';
export * from './render/text/render-text.js';
export * from './snapshot.js';
export * from './step.js';
export * from './suspicion.js';
export * from './suspicion-codes.js';
export * from './suspicion-codes/holes.js';
export * from './trace.js';
export * from './verdict.js';
