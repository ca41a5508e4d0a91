import type { ClusterSpec, PodSpec, ServiceSpec, Socket } from '../cluster/spec.js';

const POD_PORTS = [
  { name: 'http', protocol: 'tcp', port: 8080 },
  { name: 'dns', protocol: 'udp', port: 5353 },
] as const;
const KUBELET: Socket = { protocol: 'tcp', port: 10250 };
const API_SERVER: Socket = { protocol: 'tcp', port: 6443 };

/** Two nodes, two pods on each, services of the common kinds, one host outside. */
export const TWO_NODE_FLANNEL: ClusterSpec = {
  name: 'lab-flannel-host-gw',
  podNetwork: '10.244.0.0/16',
  serviceNetwork: '10.96.0.0/12',
  nodes: [
    { name: 'node1', address: '10.10.0.11', podCidr: '10.244.1.0/24', listens: [KUBELET, API_SERVER] },
    { name: 'node2', address: '10.10.0.12', podCidr: '10.244.2.0/24', listens: [KUBELET] },
  ],
  pods: [
    pod('web', 0, 'node1', '10.244.1.2'),
    pod('client', 0, 'node1', '10.244.1.3'),
    pod('web', 1, 'node2', '10.244.2.2'),
    pod('orders', 0, 'node2', '10.244.2.3'),
  ],
  services: [
    {
      ...service('kubernetes', '10.96.0.1', { name: 'https', protocol: 'tcp', port: 443, targetPort: 6443 }),
      onNodes: ['node1'],
    },
    { ...service('web', '10.96.10.1', http(80)), selector: { app: 'web' } },
    {
      ...service('web-public', '10.96.10.2', { ...http(80), nodePort: 30080 }),
      type: 'NodePort',
      selector: { app: 'web' },
    },
    { ...service('web-first', '10.96.10.3', http(80)), selector: { 'statefulset.kubernetes.io/pod-name': 'web-0' } },
    { ...service('orders', '10.96.10.4', http(80)), selector: { app: 'orders' } },
    {
      ...service('names', '10.96.10.10', { name: 'dns', protocol: 'udp', port: 53, targetPort: 5353 }),
      selector: { app: 'web' },
    },
  ],
  external: [
    { name: 'ext', address: '203.0.113.10', listens: POD_PORTS.map(({ protocol, port }) => ({ protocol, port })) },
  ],
};

function pod(owner: string, index: number, node: string, address: string): PodSpec {
  const name = `${owner}-${index}`;
  return {
    namespace: 'default',
    name,
    node,
    address,
    owner,
    labels: { app: owner, 'apps.kubernetes.io/pod-index': String(index), 'statefulset.kubernetes.io/pod-name': name },
    ports: POD_PORTS,
    listens: POD_PORTS.map(({ protocol, port }) => ({ protocol, port })),
  };
}

function service(name: string, clusterIp: string, port: ServiceSpec['port']): ServiceSpec {
  return { namespace: 'default', name, type: 'ClusterIP', clusterIp, port };
}

function http(port: number): ServiceSpec['port'] {
  return { name: 'http', protocol: 'tcp', port, targetPort: 8080 };
}
