import type { SuspicionCode, Symptom } from '#libs/model';
import type { ClusterSpec, PodSpec, ServiceSpec } from '../cluster/spec.js';
import { topologyOf } from '../cluster/topology.js';
import { FLANNEL_HOST_GW } from '../cni/flannel.js';
import type { Expectation, LabCase } from './lab-case.js';
import { ALL_PAIRS } from './pairs.js';
import { TWO_NODE_FLANNEL } from './two-node-flannel.js';

const TOPOLOGY = topologyOf(FLANNEL_HOST_GW, 'iptables');
const WORKS: Expectation = { verdict: 'reachable', symptom: 'connected', codes: [] };

/** The healthy cluster, and one fault each. A new case is one entry here. */
export const CASES: readonly LabCase[] = [
  {
    name: 'healthy',
    title: 'Two nodes, flannel host-gw, everything works',
    topology: TOPOLOGY,
    cluster: TWO_NODE_FLANNEL,
    expected: Object.fromEntries(ALL_PAIRS.map(({ id }) => [id, WORKS])),
  },
  {
    name: 'pod-cidr-route-missing',
    title: "node1 has lost its route to node2's pods",
    topology: TOPOLOGY,
    cluster: TWO_NODE_FLANNEL,
    breakage: [{ at: 'node1', argv: ['ip', 'route', 'del', '10.244.2.0/24'] }],
    expected: {
      'pod-other-node': fails('timeout', 'POD_CIDR_ROUTE_MISSING'),
      'pod-service-orders': fails('timeout', 'POD_CIDR_ROUTE_MISSING'),
      'pod-same-node': WORKS,
      'pod-other-node-host': WORKS,
    },
  },
  {
    name: 'forward-drop',
    title: "node2 drops what is forwarded to its pods' port 8080",
    topology: TOPOLOGY,
    cluster: TWO_NODE_FLANNEL,
    breakage: [
      {
        at: 'node2',
        argv: [
          'iptables-nft',
          '-I',
          'FORWARD',
          '1',
          '-d',
          '10.244.2.0/24',
          '-p',
          'tcp',
          '--dport',
          '8080',
          '-j',
          'DROP',
        ],
      },
    ],
    expected: {
      'pod-other-node': fails('timeout', 'FILTER_DROP'),
      'pod-service-orders': fails('timeout', 'FILTER_DROP'),
      'pod-other-node-udp': WORKS,
      'pod-same-node': WORKS,
    },
  },
  {
    name: 'nobody-listens',
    title: 'The process in orders-0 does not listen on its port',
    topology: TOPOLOGY,
    cluster: changePod(TWO_NODE_FLANNEL, 'orders-0', (pod) => ({
      ...pod,
      listens: pod.listens.filter(({ protocol }) => protocol !== 'tcp'),
    })),
    expected: {
      'pod-orders': fails('refused', 'NO_LISTENER'),
      'pod-service-orders': fails('refused', 'NO_LISTENER'),
      'pod-other-node': WORKS,
      'pod-service': WORKS,
    },
  },
  {
    name: 'no-endpoints',
    title: 'The selector of service orders matches no pod',
    topology: TOPOLOGY,
    cluster: changeService(TWO_NODE_FLANNEL, 'orders', (service) => ({
      ...service,
      selector: { app: 'orders', tier: 'backend' },
    })),
    expected: {
      'pod-service-orders': fails('refused', 'NO_ENDPOINTS'),
      'pod-orders': WORKS,
      'pod-service': WORKS,
    },
  },
];

function fails(symptom: Symptom, code: SuspicionCode): Expectation {
  return { verdict: 'unreachable', symptom, codes: [code] };
}

function changePod(cluster: ClusterSpec, name: string, change: (pod: PodSpec) => PodSpec): ClusterSpec {
  return { ...cluster, pods: cluster.pods.map((pod) => (pod.name === name ? change(pod) : pod)) };
}

function changeService(cluster: ClusterSpec, name: string, change: (service: ServiceSpec) => ServiceSpec): ClusterSpec {
  return {
    ...cluster,
    services: cluster.services.map((service) => (service.name === name ? change(service) : service)),
  };
}
