import type { KubernetesObject } from '#libs/model';
import {
  clusterOf,
  conformanceObjects,
  daemonSetOf,
  namespaceOf,
  podOf,
  policyOf,
} from '../../../test/policy/sketch-cluster.js';
import { blocksDns } from './blocks-dns.js';
import { PolicyIndex } from './policy-index.js';

const DNS: readonly KubernetesObject[] = [
  namespaceOf('kube-system'),
  podOf({
    namespace: 'kube-system',
    name: 'coredns-1',
    ips: ['10.244.9.2'],
    node: 'node2',
    labels: { 'k8s-app': 'kube-dns' },
  }),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'kube-system', name: 'kube-dns' },
    spec: {
      clusterIP: '10.96.0.10',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        { name: 'metrics', port: 9153 },
      ],
    },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'kube-system', name: 'kube-dns-1', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    ports: [
      { name: 'dns', port: 5353, protocol: 'UDP' },
      { name: 'dns-tcp', port: 5353, protocol: 'TCP' },
      { name: 'metrics', port: 9153, protocol: 'TCP' },
    ],
    endpoints: [{ addresses: ['10.244.9.2'], conditions: { ready: true } }],
  },
  daemonSetOf('kube-system', 'calico-node', [{ name: 'calico-node' }]),
];
const toDns = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } };
const egress = (...rules: object[]) => policyOf('x', 'p', { podSelector: {}, policyTypes: ['Egress'], egress: rules });

function ask(objects: readonly KubernetesObject[], name = 'a') {
  const cluster = clusterOf([...conformanceObjects(), ...objects]);
  return blocksDns(new PolicyIndex(cluster), cluster, 'x', name);
}

describe('blocksDns', () => {
  it.each<{ title: string; objects: readonly KubernetesObject[]; kind: string }>([
    { title: 'no policy', objects: DNS, kind: 'open' },
    { title: 'only ingress policies', objects: [...DNS, policyOf('x', 'p', { podSelector: {} })], kind: 'open' },
    { title: 'egress to a database only', objects: [...DNS, egress({ to: [{ podSelector: {} }] })], kind: 'blocked' },
    {
      title: 'port 53, but DNS pods listen on 5353',
      objects: [...DNS, egress({ to: [toDns], ports: [{ port: 53, protocol: 'UDP' }] })],
      kind: 'blocked',
    },
    {
      title: 'the port that the pods listen on',
      objects: [...DNS, egress({ to: [toDns], ports: [{ port: 5353, protocol: 'UDP' }] })],
      kind: 'open',
    },
    { title: 'TCP only', objects: [...DNS, egress({ to: [toDns], ports: [{ port: 5353 }] })], kind: 'blocked' },
    {
      title: 'a rule for the service’s address does not help: DNAT comes first',
      objects: [...DNS, egress({ to: [{ ipBlock: { cidr: '10.96.0.10/32' } }] })],
      kind: 'blocked',
    },
    { title: 'no DNS service in the snapshot', objects: [egress()], kind: 'unknown' },
    {
      title: 'node-local-dns',
      objects: [...DNS, egress(), daemonSetOf('kube-system', 'node-local-dns', [{ name: 'node-cache' }])],
      kind: 'unknown',
    },
    {
      title: 'nobody enforces',
      objects: [
        ...DNS.slice(0, -1),
        egress(),
        daemonSetOf('kube-flannel', 'kube-flannel-ds', [{ name: 'kube-flannel' }]),
      ],
      kind: 'not-applicable',
    },
  ])('$title', ({ objects, kind }) => {
    expect(ask(objects).kind).toBe(kind);
  });

  it('shows the policies and says what to add', () => {
    expect(ask([...DNS, egress()])).toMatchObject({
      kind: 'blocked',
      finding: {
        code: 'POLICY_BLOCKS_DNS',
        subject: { namespace: 'x', name: 'a' },
        evidence: [{ locator: 'NetworkPolicy/x/p:spec.egress', text: '[]' }],
        details: { destination: 'pod kube-system/coredns-1 (10.244.9.2)', port: 5353 },
        remedy: expect.stringContaining('"port":5353'),
      },
    });
  });

  it('asks nothing of a pod that does not use the cluster’s DNS', () => {
    const own = podOf({ namespace: 'x', name: 'own', ips: ['10.244.1.60'] });
    const pod = { ...own, spec: { nodeName: 'node1', containers: [], dnsPolicy: 'Default' } };

    expect(ask([...DNS, egress(), pod], 'own').kind).toBe('not-applicable');
  });
});
