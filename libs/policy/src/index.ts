/**
 * What the policy objects of a cluster say about a connection: NetworkPolicy, the network policy API (admin policies) and Calico's own.
 * Intent only: it reads objects, walks no packet, and knows nothing of what is programmed on a node, but for recognise-drop.ts, which
 * tells from a rule that dropped a packet whose it is. Start with policy-index.ts and verdict.ts; evaluate.ts is the one machine for all.
 */
export * from './blocks-dns.js';
export * from './enforcers.js';
export { policyFindings, policySkipped, type WalkFact, type WalkWitness } from './findings.js';
export * from './flow.js';
export * from './policy-index.js';
export * from './policy-ref.js';
export * from './problem.js';
export * from './recognise-drop.js';
export * from './verdict.js';
