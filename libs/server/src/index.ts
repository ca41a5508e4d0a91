/**
 * NESTJS AT THE RIM, and only here and in apps: how our processes are put together. Infrastructure (database, queues, log,
 * metrics), HTTP application with problem+json and validation, worker host, graceful stop.
 * What the API offers is in apps/api, what a worker answers in apps/worker-*.
 * Start with infrastructure/open-infrastructure.ts, then http/create-http-app.ts and worker/worker.module.ts.
 */
export * from './config/server-config.js';
export * from './http/create-http-app.js';
export * from './http/input-words.js';
export * from './http/read-body.js';
export * from './http/storable-text.js';
export * from './http/zod-validation.pipe.js';
export * from './infrastructure/infrastructure.module.js';
export * from './infrastructure/open-infrastructure.js';
export * from './problem/problem.js';
export * from './process/report-and-exit.js';
export * from './process/run-until-signal.js';
export * from './queue/queue-registry.js';
export * from './worker/create-worker-app.js';
export * from './worker/process-chunk.js';
export * from './worker/plan-run.js';
