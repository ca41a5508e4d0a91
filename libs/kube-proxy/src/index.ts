/**
 * Services as kube-proxy understands them: what a node should do with packets to a service port (intent/), what its rules do
 * (programmed/), and where the two differ (truth/). Pure; walks no packet and asks no API server. Start with kube-proxy.ts:
 *
 *   const proxy = new KubeProxy(cluster);                       // once per snapshot
 *   const entry = proxy.find(dst, 80, 'TCP');                   // service port and kind of address, or undefined
 *   proxy.expected('node1', entry, { kind: 'pod', ip: src });   // endpoints, outcome, affinity, why empty
 *   serviceFindings(cluster, proxy.intentOf('node1', entry), entry, asker)   // NO_ENDPOINTS ... SESSION_AFFINITY
 *   proxy.on(ns).check(entry)                                   // rules of the node against the objects: { findings, skipped }
 *   proxy.on(ns).checkAll()                                     // the same for every service port: audits
 */
export { KubeProxy } from './kube-proxy.js';
