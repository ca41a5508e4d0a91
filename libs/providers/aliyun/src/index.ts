/**
 * Alibaba Cloud. inventory/ looks things up with Alibaba's SDK and is the only place that knows it; what it finds becomes cloud-neutral
 * there. Everything else of the provider is pure and knows nothing of calls.
 * Start with inventory/look.ts.
 */
export * from './inventory/index.js';
