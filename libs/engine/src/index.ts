/**
 * The walk: one question and one recorded world give one answer. Pure and synchronous; a fact that is missing is asked for by name.
 * Next hops come from the simulated kernel, never from the Kubernetes objects; the objects and the CNI plugin explain.
 * Start with walk.ts (the question), exchange.ts (request, answer, data), flight.ts (one packet), assemble.ts (the answer).
 */
export { Fabric } from './fabric.js';
export { cellOf, composeNetwork, type NetworkParts } from './network.js';
export { walk, type WalkResult } from './walk.js';
export { buildNamespaces, type World } from './world.js';
