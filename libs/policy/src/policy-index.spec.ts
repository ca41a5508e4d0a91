import { ClusterIndex } from '#libs/cluster';
import { parseIp, type KubernetesObject } from '#libs/model';
import { sketchSnapshot } from '../../../test/fixtures/snapshot-sketch.js';
import {
  clusterOf,
  conformanceObjects,
  daemonSetOf,
  namespaceOf,
  nodeOf,
  podOf,
  policyOf,
} from '../../../test/policy/sketch-cluster.js';
import { PolicyIndex } from './policy-index.js';

const DENY_ALL = policyOf('x', 'deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
const CALICO = daemonSetOf('kube-system', 'calico-node', [{ name: 'calico-node' }]);
const CILIUM = daemonSetOf('kube-system', 'cilium', [{ name: 'cilium-agent' }]);
const XA = '10.244.1.10';
const YA = '10.244.2.10';

function indexOf(...objects: readonly KubernetesObject[]): PolicyIndex {
  return new PolicyIndex(clusterOf([...conformanceObjects(), ...objects]));
}

function ip(text: string) {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`${text} is not an address`);
  return parsed;
}

function ask(index: PolicyIndex, from: string, to: string, port = 80) {
  return index.verdict({ source: index.endAt(ip(from)), destination: index.endAt(ip(to)), protocol: 'tcp', port });
}

describe('PolicyIndex', () => {
  it('tells which rule and which peer allows', () => {
    const index = indexOf(
      policyOf('x', 'p', {
        podSelector: {},
        ingress: [
          { from: [{ ipBlock: { cidr: '192.0.2.0/24' } }] },
          { from: [{ podSelector: {} }, { namespaceSelector: {} }] },
        ],
      }),
    );

    const { ingress, egress, decision } = ask(index, YA, XA);

    expect(decision).toBe('allow');
    expect(egress).toMatchObject({
      decision: 'allow',
      reason: { kind: 'not-selected' },
      subject: { namespace: 'y', name: 'a', node: 'node1' },
    });
    expect(ingress).toMatchObject({
      decision: 'allow',
      reason: {
        kind: 'rule',
        rule: {
          ref: { kind: 'NetworkPolicy', namespace: 'x', name: 'p' },
          path: 'spec.ingress[1].from[1]',
          action: 'allow',
        },
      },
    });
  });

  it('lists every policy that selects the pod when none allows', () => {
    const { ingress } = ask(indexOf(DENY_ALL, policyOf('x', 'also', { podSelector: {} })), YA, XA);

    expect(ingress).toMatchObject({ decision: 'deny', reason: { kind: 'default-deny' } });
    expect(ingress.selecting.map(({ ref }) => ref.name)).toEqual(['also', 'deny']);
  });

  it('knows addresses outside, which have no policies, and lets ipBlocks match them', () => {
    const index = indexOf(
      policyOf('x', 'p', {
        podSelector: {},
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: '8.8.8.0/24' } }] }],
      }),
    );

    expect(ask(index, XA, '8.8.8.8').decision).toBe('allow');
    expect(ask(index, XA, '8.8.4.4')).toMatchObject({ decision: 'deny', ingress: { reason: { kind: 'no-subject' } } });
  });

  it('lets a pod reach itself', () => {
    expect(ask(indexOf(DENY_ALL), XA, XA)).toMatchObject({
      decision: 'allow',
      ingress: { reason: { kind: 'exempt', why: 'same-pod' } },
    });
  });

  it('lets a pod reach itself by its node where nobody asks there; Calico does', () => {
    const hairpin = (...objects: readonly KubernetesObject[]) => {
      const index = indexOf(DENY_ALL, ...objects);
      const end = index.endAt(ip(XA));
      return index.verdict({ source: end, destination: end, protocol: 'tcp', port: 80, hairpins: true }).decision;
    };

    expect(hairpin()).toBe('allow');
    expect(hairpin(CALICO)).toBe('deny');
  });

  it('lets a pod’s own node in and no other', () => {
    const index = indexOf(DENY_ALL);

    expect(ask(index, '172.18.0.2', XA)).toMatchObject({
      decision: 'allow',
      ingress: { reason: { kind: 'exempt', why: 'own-node' } },
    });
    expect(ask(index, '172.18.0.3', XA).ingress.decision).toBe('deny');
  });

  it('lets a pod out to its own node, but for Calico, which asks its egress policy', () => {
    expect(ask(indexOf(DENY_ALL), XA, '172.18.0.2').egress.decision).toBe('allow');
    expect(ask(indexOf(DENY_ALL, CALICO), XA, '172.18.0.2').egress.decision).toBe('deny');
  });

  it('takes a pod on the host’s network for its node: not selected, and no peer', () => {
    const host = podOf({
      namespace: 'x',
      name: 'host',
      ips: ['172.18.0.3'],
      node: 'node2',
      hostNetwork: true,
      labels: { pod: 'a' },
    });
    const index = indexOf(host, policyOf('x', 'p', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }));
    const end = index.endOfPod('x', 'host', ip('172.18.0.3'));

    expect(end).toMatchObject({ kind: 'node', node: 'node2', pods: [] });
    const toHost = index.verdict({ source: index.endAt(ip(YA)), destination: end, protocol: 'tcp', port: 80 });
    const fromHost = index.verdict({ source: end, destination: index.endAt(ip(XA)), protocol: 'tcp', port: 80 });
    expect(toHost.decision).toBe('allow');
    expect(fromHost.ingress.decision).toBe('deny');
  });

  it('does not give a finished pod’s address to it', () => {
    const done = podOf({ namespace: 'x', name: 'job', ips: ['10.244.1.99'] });
    const index = indexOf({ ...done, status: { phase: 'Succeeded', podIPs: [{ ip: '10.244.1.99' }] } }, DENY_ALL);

    expect(ask(index, YA, '10.244.1.99').ingress.reason).toEqual({ kind: 'no-subject' });
  });

  it('leaves an address that two pods claim open, unless both agree', () => {
    const twin = podOf({ namespace: 'y', name: 'twin', ips: [XA], node: 'node1' });

    expect(ask(indexOf(twin), '10.244.3.10', XA).ingress.decision).toBe('allow');
    expect(ask(indexOf(twin, DENY_ALL), '10.244.3.10', XA).ingress).toMatchObject({
      decision: 'unknown',
      reason: { kind: 'undecided', causes: ['which of x/a, y/twin has the address'] },
    });
  });

  it('resolves a named port at each destination', () => {
    const index = indexOf(
      podOf({
        namespace: 'x',
        name: 'd',
        ips: ['10.244.1.50'],
        ports: [{ name: 'serve-80-tcp', containerPort: 8080, protocol: 'TCP' }],
      }),
      policyOf('x', 'p', { podSelector: {}, ingress: [{ ports: [{ port: 'serve-80-tcp' }] }] }),
    );

    expect(
      [
        ask(index, YA, XA, 80),
        ask(index, YA, XA, 8080),
        ask(index, YA, '10.244.1.50', 8080),
        ask(index, YA, '10.244.1.50', 80),
      ].map(({ decision }) => decision),
    ).toEqual(['allow', 'deny', 'allow', 'deny']);
  });

  it('does not know the labels of a namespace without its object, but for its name', () => {
    const objects = conformanceObjects().filter(({ kind, metadata }) => kind !== 'Namespace' || metadata.name !== 'y');
    const index = (selector: object) =>
      new PolicyIndex(
        clusterOf([
          ...objects,
          policyOf('x', 'p', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: selector }] }] }),
        ]),
      );

    expect(ask(index({ matchLabels: { ns: 'y' } }), YA, XA).ingress).toMatchObject({
      decision: 'unknown',
      reason: {
        causes: ['NetworkPolicy/x/p:spec.ingress[0].from[0]: whether the other end is one of the selected pods'],
      },
    });
    expect(ask(index({ matchLabels: { 'kubernetes.io/metadata.name': 'y' } }), YA, XA).ingress.decision).toBe('allow');
    expect(ask(index({ matchLabels: { 'kubernetes.io/metadata.name': 'z' } }), YA, XA).ingress.decision).toBe('deny');
    expect(ask(index({}), YA, XA).ingress.decision).toBe('allow');
  });

  it('asks an admin policy whose subject is not known both ways', () => {
    const objects = conformanceObjects().filter(({ kind }) => kind !== 'Namespace');
    const admin = {
      apiVersion: 'policy.networking.k8s.io/v1alpha1',
      kind: 'AdminNetworkPolicy',
      metadata: { name: 'a' },
      spec: {
        priority: 1,
        subject: { namespaces: { matchLabels: { ns: 'x' } } },
        ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }],
      },
    };

    expect(ask(new PolicyIndex(clusterOf([...objects, admin])), YA, XA).ingress).toMatchObject({
      decision: 'unknown',
      reason: { causes: ['whether AdminNetworkPolicy/a selects it'] },
    });
    // Denied either way.
    expect(ask(new PolicyIndex(clusterOf([...objects, admin, DENY_ALL])), YA, XA).ingress.decision).toBe('deny');
  });

  it('cannot tell whose address a domain name is', () => {
    const admin = {
      apiVersion: 'policy.networking.k8s.io/v1alpha1',
      kind: 'AdminNetworkPolicy',
      metadata: { name: 'a' },
      spec: {
        priority: 1,
        subject: { namespaces: {} },
        egress: [
          { action: 'Allow', to: [{ domainNames: ['*.example.org'] }] },
          { action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }] },
        ],
      },
    };
    const index = indexOf(admin);

    expect(ask(index, XA, '192.0.2.1').egress).toMatchObject({
      decision: 'unknown',
      reason: { causes: ['AdminNetworkPolicy/a:spec.egress[0].to[0]: whether the address belongs to *.example.org'] },
    });
    expect(ask(index, XA, YA).egress.decision).toBe('deny');
  });

  it('matches nodes by their labels and all their addresses', () => {
    const admin = {
      apiVersion: 'policy.networking.k8s.io/v1alpha1',
      kind: 'AdminNetworkPolicy',
      metadata: { name: 'a' },
      spec: {
        priority: 1,
        subject: { namespaces: {} },
        egress: [{ action: 'Deny', to: [{ nodes: { matchLabels: { role: 'db' } } }] }],
      },
    };
    const index = indexOf(nodeOf('node3', '172.18.0.9', { role: 'db' }), admin);

    expect(ask(index, XA, '172.18.0.9').egress.decision).toBe('deny');
    expect(ask(index, XA, '172.18.0.3').egress.decision).toBe('allow');
  });

  it('keeps Cilium’s ipBlocks away from pods and nodes, which it knows by identity', () => {
    const open = policyOf('x', 'p', { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] });

    expect(ask(indexOf(open), YA, XA).ingress.decision).toBe('allow');
    expect(ask(indexOf(open, CILIUM), YA, XA).ingress.decision).toBe('deny');
    expect(ask(indexOf(open, CILIUM), '8.8.8.8', XA).ingress.decision).toBe('allow');
  });

  it('knows nothing without objects', () => {
    const index = new PolicyIndex(new ClusterIndex(sketchSnapshot(undefined)));

    expect(ask(index, YA, XA)).toMatchObject({ decision: 'unknown' });
  });

  it('has nothing to say where there is no policy', () => {
    expect(indexOf().hasPolicies).toBe(false);
    expect(indexOf(DENY_ALL).hasPolicies).toBe(true);
  });

  it('takes ICMP for a protocol without ports', () => {
    const index = indexOf(
      policyOf('x', 'p', { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] }),
      policyOf('z', 'p', { podSelector: {}, ingress: [{}] }),
    );
    const ping = (to: string) =>
      index.ingress({
        source: index.endAt(ip(YA)),
        destination: index.endAt(ip(to)),
        protocol: 'icmp',
        icmp: { type: 8, code: 0 },
      }).decision;

    expect([ping(XA), ping('10.244.3.10')]).toEqual(['deny', 'allow']);
  });

  it('selects pods of namespaces by name even when a namespace has no pods', () => {
    const index = indexOf(namespaceOf('empty'), policyOf('empty', 'p', { podSelector: {} }));

    expect(ask(index, YA, XA).decision).toBe('allow');
  });
});
