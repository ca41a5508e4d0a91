/**
 * What a look at a cloud finds, in words of no cloud in particular. It stands here until provider-kit has the model of cloud.json;
 * then the files beside this folder import that one, and this folder goes. Start with cloud-snapshot.ts.
 */
export * from './cloud-snapshot.js';
export * from './filter.js';
export * from './instance.js';
export * from './load-balancer.js';
export * from './nat-gateway.js';
export * from './network.js';
export * from './text.js';
export * from './unavailable.js';
