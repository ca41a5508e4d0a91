import type { KubernetesObject, Snapshot } from '#libs/model';
import { workloadsOf } from './workload-of-pod.js';

function snapshotOf(...objects: KubernetesObject[]): Snapshot {
  const none = { cloud: undefined, underlay: undefined, dumps: [], nodes: new Map() };
  return { cluster: 'c', takenAt: '2026-01-01T00:00:00Z', collector: 'test', objects, ...none };
}

function owned(kind: string, name: string, owner?: { kind: string; name: string }, labels = {}): KubernetesObject {
  const ownerReferences = owner === undefined ? [] : [{ ...owner, controller: true }];
  return { apiVersion: 'v1', kind, metadata: { namespace: 'ns', name, ownerReferences, labels } };
}

describe('workloadsOf', () => {
  it.each([
    { objects: [owned('Pod', 'p')], workload: 'pod/ns/p' },
    { objects: [owned('Pod', 'p', { kind: 'StatefulSet', name: 'db' })], workload: 'statefulset/ns/db' },
    {
      objects: [
        owned('Pod', 'p', { kind: 'ReplicaSet', name: 'web-abc' }),
        owned('ReplicaSet', 'web-abc', { kind: 'Deployment', name: 'web' }),
      ],
      workload: 'deployment/ns/web',
    },
    {
      objects: [owned('Pod', 'p', { kind: 'ReplicaSet', name: 'web-abc' }, { 'pod-template-hash': 'abc' })],
      workload: 'deployment/ns/web',
    },
    { objects: [owned('Pod', 'p', { kind: 'ReplicaSet', name: 'own' })], workload: 'replicaset/ns/own' },
    { objects: [], workload: 'pod/ns/p' },
  ])('finds $workload', ({ objects, workload }) => {
    expect(workloadsOf(snapshotOf(...objects))('ns', 'p')).toBe(workload);
  });
});
