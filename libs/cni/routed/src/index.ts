/**
 * Plain routed networks: pods by a route each or on a bridge, other nodes' networks by a route via the node (kindnet, ptp, host-local,
 * kube-router, Cilium's native routing), or left to the cloud's route table. Expectations only. Start with routed.ts.
 */
export * from './routed.js';
