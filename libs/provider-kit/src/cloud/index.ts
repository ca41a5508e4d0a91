/**
 * What a look at a cloud finds, in words of no cloud in particular: the model of cloud.json. Providers fill it (fetch) and judge by it
 * (evaluate); which rule wins, and what a route means, is for the provider's evaluation to say. Start with cloud-snapshot.ts.
 */
export * from './cloud-snapshot.js';
export * from './filter.js';
export * from './instance.js';
export * from './load-balancer.js';
export * from './nat-gateway.js';
export * from './network.js';
export * from './text.js';
export * from './unavailable.js';
