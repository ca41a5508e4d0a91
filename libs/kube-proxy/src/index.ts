/**
 * Services as kube-proxy understands them: what a node should do with packets to a service port (intent/), what its rules do
 * (programmed/), and where the two differ (truth/). Pure; walks no packet and asks no API server. Start with kube-proxy.ts:
 *
 *   const proxy = new KubeProxy(cluster);                              // once per snapshot
 *   const entry = proxy.find(dst, 80, 'TCP');                          // else portFinding(cluster, dst, 80, 'TCP') says why not
 *   proxy.expected('node1', entry, { kind: 'pod', ip: src });          // outcome, endpoints, localOnly, affinity, why empty
 *   proxy.findings('node1', entry, { kind: 'pod', ip: src });          // NO_ENDPOINTS ... SESSION_AFFINITY, ENDPOINT_WITHOUT_POD
 *   proxy.on(nodeNamespace).check(entry)                               // its rules against the objects: { findings, skipped }
 *   proxy.on(nodeNamespace).checkAll()                                 // the same for every service port, and what none has
 */
export type { Asker, Expected } from './intent/expected.js';
export type { ProxyEndpoint } from './intent/endpoints.js';
export type { ServiceEntry } from './intent/service-entry.js';
export { entriesOf, findEntry, notProxied } from './intent/service-entry.js';
export { portFinding, targetPortFinding, typeFindings } from './intent/service-findings.js';
export { PROXY_MODES } from './config.js';
export { KubeProxy } from './kube-proxy.js';
export type { NodeProxy } from './truth/node-proxy.js';
export type { ProxyCheck } from './truth/proxy-check.js';
