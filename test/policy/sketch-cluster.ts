import { ClusterIndex } from '#libs/cluster';
import type { KubernetesObject } from '#libs/model';
import { sketchSnapshot } from '../fixtures/snapshot-sketch.js';

export interface SketchPod {
  readonly namespace: string;
  readonly name: string;
  readonly node?: string;
  readonly ips: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports?: readonly Readonly<Record<string, unknown>>[];
  readonly hostNetwork?: boolean;
  readonly serviceAccount?: string;
}

export function podOf(pod: SketchPod): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod.name, namespace: pod.namespace, labels: pod.labels ?? {} },
    spec: {
      nodeName: pod.node ?? 'node1',
      hostNetwork: pod.hostNetwork ?? false,
      serviceAccountName: pod.serviceAccount ?? 'default',
      containers: [{ name: 'app', ports: pod.ports ?? [] }],
    },
    status: { phase: 'Running', podIPs: pod.ips.map((ip) => ({ ip })) },
  };
}

export function namespaceOf(name: string, labels: Readonly<Record<string, string>> = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
  };
}

export function nodeOf(name: string, address: string, labels: Readonly<Record<string, string>> = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address }] },
  };
}

export function daemonSetOf(
  namespace: string,
  name: string,
  containers: readonly Readonly<Record<string, unknown>>[],
): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace },
    spec: { template: { spec: { containers } } },
  };
}

export function policyOf(namespace: string, name: string, spec: Readonly<Record<string, unknown>>): KubernetesObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name }, spec };
}

export const NAMESPACES = ['x', 'y', 'z'] as const;
export const POD_NAMES = ['a', 'b', 'c'] as const;

/** The model of the NetworkPolicy end-to-end tests: namespaces x, y, z with pods a, b, c that serve ports 80 and 81 in every protocol. */
export function conformanceObjects(): readonly KubernetesObject[] {
  return [
    nodeOf('node1', '172.18.0.2'),
    nodeOf('node2', '172.18.0.3'),
    ...NAMESPACES.map((name) => namespaceOf(name, { ns: name })),
    ...conformancePods().map(podOf),
  ];
}

export function conformancePods(): readonly SketchPod[] {
  const ports = [80, 81].flatMap((port) =>
    ['TCP', 'UDP', 'SCTP'].map((protocol) => ({
      name: `serve-${port}-${protocol.toLowerCase()}`,
      containerPort: port,
      protocol,
    })),
  );
  return NAMESPACES.flatMap((namespace, i) =>
    POD_NAMES.map((name, j) => ({
      namespace,
      name,
      node: j === 1 ? 'node2' : 'node1',
      ips: [`10.244.${i + 1}.${j + 10}`, `fd00:244:${i + 1}::${j + 10}`],
      labels: { pod: name },
      ports,
    })),
  );
}

export function clusterOf(objects: readonly KubernetesObject[]): ClusterIndex {
  return new ClusterIndex(sketchSnapshot(objects));
}
