import type { KubernetesObject } from '#libs/model';
import { ClusterIndex } from '#libs/cluster';
import { sketchSnapshot } from '../../../test/fixtures/snapshot-sketch.js';
import { clusterOf, daemonSetOf } from '../../../test/policy/sketch-cluster.js';
import { enforces, findEnforcement } from './enforcers.js';

const container = (name: string, image = 'x:1', more: Readonly<Record<string, unknown>> = {}) => ({
  name,
  image,
  ...more,
});
const ds = (name: string, ...containers: object[]): KubernetesObject =>
  daemonSetOf(
    'kube-system',
    name,
    containers.map((one) => ({ ...one })),
  );
const PROXY = ds('kube-proxy', container('kube-proxy'));

describe('findEnforcement', () => {
  it.each<{ title: string; objects: readonly KubernetesObject[]; names: readonly string[]; enforced: string }>([
    {
      title: 'Calico',
      objects: [PROXY, ds('calico-node', container('calico-node'))],
      names: ['calico'],
      enforced: 'yes',
    },
    {
      title: 'Calico by its image',
      objects: [ds('cn', container('main', 'quay.io/calico/node:v3.29.1'))],
      names: ['calico'],
      enforced: 'yes',
    },
    {
      title: 'canal',
      objects: [ds('canal', container('calico-node'), container('kube-flannel'))],
      names: ['calico'],
      enforced: 'yes',
    },
    { title: 'Cilium', objects: [ds('cilium', container('cilium-agent'))], names: ['cilium'], enforced: 'yes' },
    {
      title: 'kube-router',
      objects: [ds('kube-router', container('kube-router', 'x', { args: ['--run-router=true'] }))],
      names: ['kube-router'],
      enforced: 'yes',
    },
    {
      title: 'kube-router without its firewall',
      objects: [ds('kube-router', container('kube-router', 'x', { args: ['--run-firewall=false'] }))],
      names: [],
      enforced: 'no',
    },
    {
      title: 'kindnet of kind 0.23',
      objects: [PROXY, ds('kindnet', container('kindnet-cni', 'docker.io/kindest/kindnetd:v20240513-cd2ac642'))],
      names: [],
      enforced: 'no',
    },
    {
      title: 'kindnet of kind 0.24',
      objects: [PROXY, ds('kindnet', container('kindnet-cni', 'docker.io/kindest/kindnetd:v20240813-c6f155d6'))],
      names: ['kindnet'],
      enforced: 'yes',
    },
    {
      title: 'kindnet by digest only',
      objects: [ds('kindnet', container('kindnet-cni', 'kindest/kindnetd@sha256:abc'))],
      names: ['kindnet'],
      enforced: 'unknown',
    },
    {
      title: 'stand-alone kindnet 1.2',
      objects: [ds('kindnet', container('kindnet-cni', 'ghcr.io/aojea/kindnetd:v1.2.0'))],
      names: [],
      enforced: 'no',
    },
    {
      title: 'stand-alone kindnet 1.8',
      objects: [ds('kindnet', container('kindnet-cni', 'ghcr.io/aojea/kindnetd:v1.8.0'))],
      names: ['kindnet'],
      enforced: 'yes',
    },
    {
      title: 'Antrea',
      objects: [ds('antrea-agent', container('antrea-agent'), container('antrea-ovs'))],
      names: ['antrea'],
      enforced: 'yes',
    },
    {
      title: 'kube-network-policies beside flannel',
      objects: [
        ds('kube-flannel-ds', container('kube-flannel')),
        ds('kube-network-policies', container('kube-network-policies')),
      ],
      names: ['kube-network-policies'],
      enforced: 'yes',
    },
    {
      title: 'the VPC CNI with its agent off',
      objects: [
        ds(
          'aws-node',
          container('aws-node'),
          container('aws-eks-nodeagent', 'x', { args: ['--enable-network-policy=false'] }),
        ),
      ],
      names: [],
      enforced: 'no',
    },
    {
      title: 'flannel alone',
      objects: [PROXY, ds('kube-flannel-ds', container('kube-flannel'))],
      names: [],
      enforced: 'no',
    },
  ])('$title', ({ objects, names, enforced }) => {
    const enforcement = findEnforcement(clusterOf(objects));

    expect(enforcement.enforcers.map(({ name }) => name)).toEqual(names);
    expect(enforces(enforcement, 'kubernetes')).toBe(enforced);
    expect(enforcement.kind).toBe(names.length > 0 ? 'somebody' : 'nobody');
    expect(enforcement.reasons.length).toBeGreaterThan(0);
  });

  it('says who was looked at when nobody enforces', () => {
    const { reasons } = findEnforcement(clusterOf([PROXY, ds('kube-flannel-ds', container('kube-flannel'))]));

    expect(reasons).toEqual([
      'none of the DaemonSets enforces network policies: DaemonSet/kube-system/kube-flannel-ds, DaemonSet/kube-system/kube-proxy',
    ]);
  });

  it('does not know without DaemonSets, or without objects', () => {
    expect(findEnforcement(clusterOf([])).kind).toBe('unknown');
    expect(findEnforcement(new ClusterIndex(sketchSnapshot(undefined))).kind).toBe('unknown');
  });

  it('takes no part of a DaemonSet that it cannot read for an answer', () => {
    const broken = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'x', namespace: 'y' }, spec: 7 };

    expect(findEnforcement(clusterOf([PROXY, broken])).kind).toBe('unknown');
  });

  it('tells Calico’s eBPF from its iptables', () => {
    const felix = {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'FelixConfiguration',
      metadata: { name: 'default' },
      spec: { bpfEnabled: true },
    };
    const node = ds('calico-node', container('calico-node'));

    expect(findEnforcement(clusterOf([node])).enforcers[0]?.dataplane).toBe('netfilter');
    expect(findEnforcement(clusterOf([node, felix])).enforcers[0]?.dataplane).toBe('ebpf');
  });
});
