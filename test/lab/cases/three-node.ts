import type { ClusterSpec, NodeSpec, PodSpec, ServiceSpec, Socket } from '../cluster/spec.js';

const POD_PORTS = [
  { name: 'http', protocol: 'tcp', port: 8080 },
  { name: 'dns', protocol: 'udp', port: 5353 },
] as const;
const EXPORTER: Socket = { protocol: 'tcp', port: 9100 };

const KUBELET: Socket = { protocol: 'tcp', port: 10250 };
const API_SERVER: Socket = { protocol: 'tcp', port: 6443 };

interface Addressing {
  readonly podNetwork: string;
  /** By node: its pod CIDR and the part of pod addresses before the last number, with the number of the first pod. */
  readonly nodes: readonly { readonly podCidr: string; readonly prefix: string; readonly first: number }[];
}

/** A /24 for each node, as the controller manager gives them. */
export const POD_CIDRS: Addressing = {
  podNetwork: '10.244.0.0/16',
  nodes: [1, 2, 3].map((node) => ({ podCidr: `10.244.${node}.0/24`, prefix: `10.244.${node}.`, first: 2 })),
};

/** Blocks of 64 addresses, as Calico's IPAM gives them. */
export const CALICO_BLOCKS: Addressing = {
  podNetwork: '192.168.0.0/16',
  nodes: [
    { podCidr: '192.168.166.128/26', prefix: '192.168.166.', first: 130 },
    { podCidr: '192.168.104.0/26', prefix: '192.168.104.', first: 2 },
    { podCidr: '192.168.135.64/26', prefix: '192.168.135.', first: 66 },
  ],
};

/** Three nodes, pods of three kinds, services of every kind, one host outside. */
export function threeNodes(name: string, { podNetwork, nodes: blocks }: Addressing, policies: boolean): ClusterSpec {
  const addressOf = (node: number, index: number) => {
    const block = blocks[node - 1];
    return `${block?.prefix ?? ''}${(block?.first ?? 0) + index}`;
  };
  const pod = (owner: string, index: number, node: number, at: number, labels: Record<string, string>): PodSpec => ({
    namespace: owner === 'db' ? 'prod' : 'default',
    name: `${owner}-${index}`,
    node: `node${node}`,
    address: addressOf(node, at),
    owner,
    labels: { app: owner, ...labels },
    ports: POD_PORTS,
    listens: POD_PORTS.map(({ protocol, port }) => ({ protocol, port })),
  });
  return {
    name,
    podNetwork,
    serviceNetwork: '10.96.0.0/12',
    nodes: blocks.map(({ podCidr }, index): NodeSpec => ({
      name: `node${index + 1}`,
      address: `10.10.0.${11 + index}`,
      podCidr,
      listens: [KUBELET, EXPORTER, nodeDns(`10.10.0.${11 + index}`), ...(index === 0 ? [API_SERVER] : [])],
    })),
    pods: [
      pod('web', 0, 1, 0, { idx: '0' }),
      pod('client', 0, 1, 1, { role: 'frontend' }),
      pod('db', 0, 1, 2, {}),
      pod('web', 1, 2, 0, { idx: '1' }),
      pod('client', 1, 2, 1, { role: 'frontend' }),
      pod('web', 2, 3, 0, { idx: '2' }),
      pod('client', 2, 3, 1, { role: 'backend' }),
      {
        namespace: 'kube-system',
        name: 'node-exporter-n3',
        node: 'node3',
        address: '10.10.0.13',
        owner: 'node-exporter',
        labels: { app: 'node-exporter' },
        ports: [{ name: 'metrics', ...EXPORTER }],
        listens: [],
        hostNetwork: true,
      },
    ],
    services: services(),
    external: [
      { name: 'ext', address: '203.0.113.10', listens: POD_PORTS.map(({ protocol, port }) => ({ protocol, port })) },
    ],
    vips: [
      { address: '198.51.100.10', via: 'node1' },
      { address: '198.51.100.11', via: 'node2' },
      { address: '198.51.100.12', via: 'node1' },
      { address: '198.51.100.20', via: 'node2' },
    ],
    snat: true,
    policies: policies
      ? [
          {
            namespace: 'prod',
            name: 'db-allow-frontend',
            podLabels: { app: 'db' },
            ingress: [
              {
                peers: [{ podLabels: { role: 'frontend' }, namespace: '*' }],
                ports: [{ protocol: 'tcp', port: 8080 }],
              },
            ],
          },
        ]
      : [],
  };
}

const DNS = { name: 'dns', protocol: 'udp', port: 53, targetPort: 5353 } as const;
const HTTP = { name: 'http', protocol: 'tcp', port: 80, targetPort: 8080 } as const;
const WEB = { app: 'web' };
const WEB_0 = { app: 'web', idx: '0' };
const WEB_1 = { app: 'web', idx: '1' };
const WEB_2 = { app: 'web', idx: '2' };

function services(): readonly ServiceSpec[] {
  return [
    {
      ...service('kubernetes', '10.96.0.1'),
      onNodes: ['node1'],
      port: { ...HTTP, name: 'https', port: 443, targetPort: 6443 },
    },
    { ...service('web', '10.96.10.1'), selector: WEB },
    { ...service('single', '10.96.10.2'), selector: WEB_1 },
    { ...service('headless', 'None'), selector: WEB },
    { ...service('noep', '10.96.10.4'), selector: { app: 'nothing' } },
    { ...service('np-cluster', '10.96.10.5'), type: 'NodePort', selector: WEB, port: { ...HTTP, nodePort: 30080 } },
    {
      ...service('np-local', '10.96.10.6'),
      type: 'NodePort',
      selector: WEB_0,
      externalTrafficPolicy: 'Local',
      port: { ...HTTP, nodePort: 30081 },
    },
    {
      ...service('lb', '10.96.10.7'),
      type: 'LoadBalancer',
      selector: WEB_2,
      loadBalancer: { ip: '198.51.100.10' },
      port: { ...HTTP, nodePort: 30082 },
    },
    {
      ...service('lb-ranges', '10.96.10.8'),
      type: 'LoadBalancer',
      selector: WEB_1,
      loadBalancer: { ip: '198.51.100.11', sourceRanges: ['203.0.113.0/24'] },
      port: { ...HTTP, nodePort: 30083 },
    },
    { ...service('extip', '10.96.10.9'), selector: WEB_0, externalIps: ['198.51.100.20'] },
    { ...service('udp-echo', '10.96.10.10'), selector: WEB, port: DNS },
    {
      ...service('hostnet', '10.96.10.11'),
      namespace: 'kube-system',
      selector: { app: 'node-exporter' },
      port: { name: 'metrics', protocol: 'tcp', port: 9100, targetPort: 9100 },
    },
    { ...service('affinity', '10.96.10.12'), selector: WEB, affinitySeconds: 10_800 },
    { ...service('itp-local', '10.96.10.13'), selector: WEB_0, internalTrafficPolicy: 'Local' },
    { ...service('db', '10.96.10.14'), namespace: 'prod', selector: { app: 'db' }, port: { ...HTTP, port: 5432 } },
    { ...service('ext-svc', '10.96.10.15'), onAddresses: ['203.0.113.10'] },
    {
      ...service('lb-local', '10.96.10.16'),
      type: 'LoadBalancer',
      selector: WEB_0,
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 32100,
      loadBalancer: { ip: '198.51.100.12' },
      port: { ...HTTP, nodePort: 30084 },
    },
    { ...service('udp-np', '10.96.10.17'), type: 'NodePort', selector: WEB_1, port: { ...DNS, nodePort: 30053 } },
  ];
}

/** Bound to the address that it is asked at: a UDP socket on all addresses answers a pod of the same node from the bridge's. */
function nodeDns(host: string): Socket {
  return { protocol: 'udp', port: 9053, host };
}

function service(name: string, clusterIp: string): ServiceSpec {
  return { namespace: 'default', name, type: 'ClusterIP', clusterIp, port: HTTP };
}
