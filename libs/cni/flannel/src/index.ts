/**
 * What flannel promises: routes to the pod networks of the other nodes, and where a pod address should go next.
 * Expectations only; start with flannel.ts. Not its business: deciding where a packet goes (engine, netstack).
 */
export * from './flannel.js';
