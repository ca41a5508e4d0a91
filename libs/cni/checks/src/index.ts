/**
 * What CNI plugins promise in common, each promise as a function from a namespace to findings: devices, addresses, MTU, routes,
 * VXLAN neighbours and forwarding entries, sysctls, masquerade, a pod's link. Pure, and silent where a file was not collected.
 * Which promises a plugin makes is the plugin's own business. Start with route-check.ts, then pod-link.ts.
 */
export * from './daemon-set.js';
export * from './devices.js';
export * from './evidence.js';
export * from './host-end.js';
export * from './masquerade.js';
export * from './next-hop.js';
export * from './overlap.js';
export * from './pod-link.js';
export * from './prefix-map.js';
export * from './route-check.js';
export * from './sysctls.js';
export * from './uplink.js';
export * from './vxlan.js';
