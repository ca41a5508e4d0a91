/**
 * The cluster as data: Kubernetes objects indexed by name and address, and what a reference means.
 * Reads a Snapshot only; no API server, no packets. Start with cluster-index.ts, then resolve.ts.
 */
export * from './cluster-index.js';
export * from './endpoint-findings.js';
export * from './objects.js';
export * from './resolve.js';
