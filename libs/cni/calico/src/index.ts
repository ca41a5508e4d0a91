/**
 * Calico: pods on cali interfaces with a route each, blocks of addresses routed between the nodes by BGP, IP-in-IP or VXLAN.
 * Expectations only, from IPPools, block affinities, node annotations and FelixConfiguration. Start with calico.ts.
 */
export * from './calico.js';
