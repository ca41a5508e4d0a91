import { parseIp, type KubernetesObject } from '#libs/model';
import { clusterOf, conformanceObjects, daemonSetOf, policyOf } from '../../../test/policy/sketch-cluster.js';
import { PolicyIndex } from './policy-index.js';

type Spec = Readonly<Record<string, unknown>>;

const calico = (kind: string, name: string, spec: Spec, namespace?: string): KubernetesObject => ({
  apiVersion: 'projectcalico.org/v3',
  kind,
  metadata: { name, namespace },
  spec,
});
const gnp = (name: string, spec: Spec) => calico('GlobalNetworkPolicy', name, { types: ['Ingress'], ...spec });
const tier = (name: string, order: number, defaultAction?: string) => calico('Tier', name, { order, defaultAction });
const admin = (name: string, priority: number, action: string, more: Spec = {}): KubernetesObject => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha1',
  kind: 'AdminNetworkPolicy',
  metadata: { name },
  spec: { priority, subject: { namespaces: {} }, ingress: [{ action, from: [{ namespaces: {} }], ...more }] },
});
const baseline = (action: string): KubernetesObject => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha1',
  kind: 'BaselineAdminNetworkPolicy',
  metadata: { name: 'default' },
  spec: { subject: { namespaces: {} }, ingress: [{ action, from: [{ namespaces: {} }] }] },
});
const cluster = (name: string, where: string, action: string, more: Spec = {}): KubernetesObject => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha2',
  kind: 'ClusterNetworkPolicy',
  metadata: { name },
  spec: {
    tier: where,
    priority: 1,
    subject: { namespaces: {} },
    ingress: [{ action, from: [{ namespaces: {} }], ...more }],
  },
});
const deny = policyOf('x', 'deny', { podSelector: {} });
const allow = policyOf('x', 'allow', { podSelector: {}, ingress: [{}] });

function ask(objects: readonly KubernetesObject[]) {
  const index = new PolicyIndex(clusterOf([...conformanceObjects(), ...objects]));
  const verdict = index.ingress({
    source: at(index, '10.244.2.10'),
    destination: at(index, '10.244.1.10'),
    protocol: 'tcp',
    port: 80,
  });
  const { reason } = verdict;
  const by =
    reason.kind === 'rule'
      ? `${reason.rule.ref.name} ${reason.rule.path}`
      : reason.kind === 'default-deny'
        ? `end of ${reason.tier}`
        : reason.kind;
  return `${verdict.decision}: ${by}`;
}

function at(index: PolicyIndex, text: string) {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`${text} is not an address`);
  return index.endAt(ip);
}

describe('tiers', () => {
  it.each<{ title: string; objects: readonly KubernetesObject[]; answer: string }>([
    // Which pod is asked: y/a (10.244.2.10) opens a connection to x/a (10.244.1.10), port 80.
    { title: 'nothing', objects: [], answer: 'allow: not-selected' },
    { title: 'a NetworkPolicy', objects: [deny], answer: 'deny: end of default' },
    { title: 'NetworkPolicies are a union', objects: [deny, allow], answer: 'allow: allow spec.ingress[0]' },

    // The network policy API.
    {
      title: 'admin allow beats deny',
      objects: [deny, admin('a', 1, 'Allow')],
      answer: 'allow: a spec.ingress[0].from[0]',
    },
    {
      title: 'admin deny beats allow',
      objects: [allow, admin('a', 1, 'Deny')],
      answer: 'deny: a spec.ingress[0].from[0]',
    },
    {
      title: 'admin pass leaves it to NetworkPolicy',
      objects: [deny, admin('a', 1, 'Pass')],
      answer: 'deny: end of default',
    },
    { title: 'admin pass, then nothing', objects: [admin('a', 1, 'Pass')], answer: 'allow: end' },
    {
      title: 'lower priority value first',
      objects: [admin('a', 9, 'Deny'), admin('b', 3, 'Allow')],
      answer: 'allow: b spec.ingress[0].from[0]',
    },
    {
      title: 'pass skips the rest of its tier',
      objects: [admin('a', 1, 'Pass'), admin('b', 2, 'Deny')],
      answer: 'allow: end',
    },
    {
      title: 'equal priority, other opinion: not defined',
      objects: [admin('a', 1, 'Deny'), admin('b', 1, 'Allow')],
      answer: 'unknown: undecided',
    },
    {
      title: 'equal priority, same opinion',
      objects: [admin('a', 1, 'Deny'), admin('b', 1, 'Deny')],
      answer: 'deny: a spec.ingress[0].from[0]',
    },
    {
      title: 'equal priority, the rival does not match',
      objects: [
        admin('a', 1, 'Deny'),
        admin('b', 1, 'Allow', { ports: [{ portNumber: { protocol: 'TCP', port: 81 } }] }),
      ],
      answer: 'deny: a spec.ingress[0].from[0]',
    },
    { title: 'baseline deny', objects: [baseline('Deny')], answer: 'deny: default spec.ingress[0].from[0]' },
    {
      title: 'NetworkPolicy beats baseline',
      objects: [allow, baseline('Deny')],
      answer: 'allow: allow spec.ingress[0]',
    },
    {
      title: 'NetworkPolicy isolates before baseline allows',
      objects: [deny, baseline('Allow')],
      answer: 'deny: end of default',
    },
    {
      title: 'admin pass goes down to baseline',
      objects: [admin('a', 1, 'Pass'), baseline('Deny')],
      answer: 'deny: default spec.ingress[0].from[0]',
    },
    {
      title: 'an admin policy that does not match isolates nobody',
      objects: [admin('a', 1, 'Allow', { ports: [{ portNumber: { protocol: 'TCP', port: 81 } }] })],
      answer: 'allow: end',
    },
    {
      title: 'a port range',
      objects: [admin('a', 1, 'Deny', { ports: [{ portRange: { protocol: 'TCP', start: 79, end: 81 } }] })],
      answer: 'deny: a spec.ingress[0].from[0]',
    },
    {
      title: 'a named port',
      objects: [admin('a', 1, 'Deny', { ports: [{ namedPort: 'serve-80-tcp' }] })],
      answer: 'deny: a spec.ingress[0].from[0]',
    },
    {
      title: 'a peer of a later API: deny fails closed',
      objects: [admin('a', 1, 'Deny', { from: [{ planets: {} }] })],
      answer: 'deny: a spec.ingress[0]',
    },
    {
      title: 'a peer of a later API: pass becomes deny',
      objects: [admin('a', 1, 'Pass', { from: [{ planets: {} }] })],
      answer: 'deny: a spec.ingress[0]',
    },
    {
      title: 'a peer of a later API: allow matches nothing',
      objects: [deny, admin('a', 1, 'Allow', { from: [{ planets: {} }] })],
      answer: 'deny: end of default',
    },
    {
      title: 'cluster policy, admin tier',
      objects: [allow, cluster('c', 'Admin', 'Deny')],
      answer: 'deny: c spec.ingress[0].from[0]',
    },
    {
      title: 'cluster policy, accept',
      objects: [deny, cluster('c', 'Admin', 'Accept')],
      answer: 'allow: c spec.ingress[0].from[0]',
    },
    {
      title: 'cluster policy, baseline tier',
      objects: [cluster('c', 'Baseline', 'Deny'), allow],
      answer: 'allow: allow spec.ingress[0]',
    },
    {
      title: 'cluster policy, protocols',
      objects: [cluster('c', 'Admin', 'Deny', { protocols: [{ tcp: { destinationPort: { number: 80 } } }] })],
      answer: 'deny: c spec.ingress[0].from[0]',
    },
    {
      title: 'cluster policy, other protocol',
      objects: [cluster('c', 'Admin', 'Deny', { protocols: [{ udp: {} }] })],
      answer: 'allow: end',
    },

    // Calico.
    {
      title: 'selected and nothing matches: the tier ends in deny',
      objects: [gnp('g', { selector: "pod == 'a'" })],
      answer: 'deny: end of default',
    },
    { title: 'not selected', objects: [gnp('g', { selector: "pod == 'b'" })], answer: 'allow: not-selected' },
    { title: 'other direction only', objects: [gnp('g', { types: ['Egress'] })], answer: 'allow: not-selected' },
    { title: 'no types: both directions', objects: [gnp('g', { types: undefined })], answer: 'deny: end of default' },
    {
      title: 'lower order first',
      objects: [
        gnp('a', { order: 20, ingress: [{ action: 'Deny' }] }),
        gnp('b', { order: 10, ingress: [{ action: 'Allow' }] }),
      ],
      answer: 'allow: b spec.ingress[0]',
    },
    {
      title: 'no order comes last',
      objects: [gnp('a', { ingress: [{ action: 'Deny' }] }), gnp('b', { order: 5000, ingress: [{ action: 'Allow' }] })],
      answer: 'allow: b spec.ingress[0]',
    },
    {
      title: 'equal order: by name',
      objects: [
        gnp('b', { order: 1, ingress: [{ action: 'Allow' }] }),
        gnp('a', { order: 1, ingress: [{ action: 'Deny' }] }),
      ],
      answer: 'deny: a spec.ingress[0]',
    },
    {
      title: 'Log goes on',
      objects: [gnp('g', { ingress: [{ action: 'Log' }, { action: 'Allow' }] })],
      answer: 'allow: g spec.ingress[1]',
    },
    {
      title: 'Pass in the default tier: the profile allows',
      objects: [gnp('g', { ingress: [{ action: 'Pass' }] })],
      answer: 'allow: end',
    },
    {
      title: 'before NetworkPolicy (order 1000)',
      objects: [deny, gnp('g', { order: 999, ingress: [{ action: 'Allow' }] })],
      answer: 'allow: g spec.ingress[0]',
    },
    {
      title: 'after NetworkPolicy: it still may allow, isolation is at the end of the tier',
      objects: [deny, gnp('g', { order: 1001, ingress: [{ action: 'Allow' }] })],
      answer: 'allow: g spec.ingress[0]',
    },
    {
      title: 'after NetworkPolicy that allows',
      objects: [allow, gnp('g', { order: 1001, ingress: [{ action: 'Deny' }] })],
      answer: 'allow: allow spec.ingress[0]',
    },
    {
      title: 'a tier before the default one',
      objects: [tier('sec', 100), gnp('sec.g', { tier: 'sec', ingress: [{ action: 'Deny' }] }), allow],
      answer: 'deny: sec.g spec.ingress[0]',
    },
    {
      title: 'end of a tier is deny',
      objects: [tier('sec', 100), gnp('sec.g', { tier: 'sec' }), allow],
      answer: 'deny: end of sec',
    },
    {
      title: 'end of a tier with defaultAction Pass',
      objects: [tier('sec', 100, 'Pass'), gnp('sec.g', { tier: 'sec' }), allow],
      answer: 'allow: allow spec.ingress[0]',
    },
    {
      title: 'Pass to the next tier',
      objects: [tier('sec', 100), gnp('sec.g', { tier: 'sec', ingress: [{ action: 'Pass' }] }), deny],
      answer: 'deny: end of default',
    },
    {
      title: 'Allow in a tier ends it',
      objects: [tier('sec', 100), gnp('sec.g', { tier: 'sec', ingress: [{ action: 'Allow' }] }), deny],
      answer: 'allow: sec.g spec.ingress[0]',
    },
    {
      title: 'a tier after the default one',
      objects: [tier('last', 2_000_000), gnp('last.g', { tier: 'last' }), allow],
      answer: 'allow: allow spec.ingress[0]',
    },
    {
      title: 'tiers by order, not by name',
      objects: [
        tier('a', 200),
        tier('b', 100),
        gnp('a.g', { tier: 'a', ingress: [{ action: 'Allow' }] }),
        gnp('b.g', { tier: 'b', ingress: [{ action: 'Deny' }] }),
      ],
      answer: 'deny: b.g spec.ingress[0]',
    },
    {
      title: 'admin policies have Calico’s tier 1000',
      objects: [
        tier('sec', 1001),
        gnp('sec.g', { tier: 'sec', ingress: [{ action: 'Deny' }] }),
        admin('a', 1, 'Allow'),
      ],
      answer: 'allow: a spec.ingress[0].from[0]',
    },
    {
      title: 'doNotTrack is for host endpoints',
      objects: [gnp('g', { doNotTrack: true, applyOnForward: true, ingress: [{ action: 'Deny' }] })],
      answer: 'allow: not-selected',
    },
    {
      title: 'staged policies are not enforced',
      objects: [calico('StagedGlobalNetworkPolicy', 's', { ingress: [{ action: 'Deny' }] })],
      answer: 'allow: not-selected',
    },
    {
      title: 'namespaced: selectors stay in the namespace',
      objects: [
        calico(
          'NetworkPolicy',
          'n',
          { types: ['Ingress'], ingress: [{ action: 'Allow', source: { selector: 'all()' } }] },
          'x',
        ),
      ],
      answer: 'deny: end of default',
    },
    {
      title: 'namespaced with namespaceSelector',
      objects: [
        calico(
          'NetworkPolicy',
          'n',
          { types: ['Ingress'], ingress: [{ action: 'Allow', source: { namespaceSelector: "ns == 'y'" } }] },
          'x',
        ),
      ],
      answer: 'allow: n spec.ingress[0]',
    },
    {
      title: 'namespaceSelector by the namespace’s name',
      objects: [
        gnp('g', { ingress: [{ action: 'Deny', source: { namespaceSelector: "projectcalico.org/name == 'y'" } }] }),
      ],
      answer: 'deny: g spec.ingress[0]',
    },
    {
      title: 'namespaced, nets alone are not confined',
      objects: [
        calico(
          'NetworkPolicy',
          'n',
          { types: ['Ingress'], ingress: [{ action: 'Allow', source: { nets: ['10.244.2.0/24'] } }] },
          'x',
        ),
      ],
      answer: 'allow: n spec.ingress[0]',
    },
    {
      title: 'namespaced, notSelector confines to the namespace',
      objects: [
        calico(
          'NetworkPolicy',
          'n',
          { types: ['Ingress'], ingress: [{ action: 'Allow', source: { notSelector: "pod == 'c'" } }] },
          'x',
        ),
      ],
      answer: 'deny: end of default',
    },
    {
      title: 'service account by name',
      objects: [gnp('g', { ingress: [{ action: 'Deny', source: { serviceAccounts: { names: ['default'] } } }] })],
      answer: 'deny: g spec.ingress[0]',
    },
    {
      title: 'service account by labels that are not in the snapshot',
      objects: [gnp('g', { ingress: [{ action: 'Allow', source: { serviceAccounts: { selector: "role == 'x'" } } }] })],
      answer: 'unknown: undecided',
    },
    {
      title: 'a source port that is not known',
      objects: [gnp('g', { ingress: [{ action: 'Allow', protocol: 'TCP', source: { ports: [1234] } }] })],
      answer: 'unknown: undecided',
    },
    {
      title: 'notPorts',
      objects: [gnp('g', { ingress: [{ action: 'Allow', protocol: 'TCP', destination: { notPorts: ['80:90'] } }] })],
      answer: 'deny: end of default',
    },
    {
      title: 'a protocol by number',
      objects: [gnp('g', { ingress: [{ action: 'Allow', protocol: 6 }] })],
      answer: 'allow: g spec.ingress[0]',
    },
    {
      title: 'notProtocol',
      objects: [gnp('g', { ingress: [{ action: 'Allow', notProtocol: 'TCP' }] })],
      answer: 'deny: end of default',
    },
    {
      title: 'ICMP rules do not match TCP',
      objects: [gnp('g', { ingress: [{ action: 'Allow', protocol: 'ICMP', icmp: { type: 8 } }] })],
      answer: 'deny: end of default',
    },
    {
      title: 'the copy that the CRD holds is the same policy',
      objects: [
        gnp('g', { ingress: [{ action: 'Allow' }] }),
        { ...gnp('default.g', { ingress: [{ action: 'Deny' }] }), apiVersion: 'crd.projectcalico.org/v1' },
      ],
      answer: 'allow: g spec.ingress[0]',
    },
  ])('$title', ({ objects, answer }) => {
    expect(ask(objects)).toBe(answer);
  });

  it.each<{ title: string; objects: readonly KubernetesObject[]; code: string }>([
    {
      title: 'a bad prefix',
      objects: [policyOf('x', 'p', { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/40' } }] }] })],
      code: 'POLICY_MALFORMED',
    },
    { title: 'a bad selector', objects: [gnp('g', { selector: 'app = x' })], code: 'POLICY_MALFORMED' },
    { title: 'a bad shape', objects: [policyOf('x', 'p', { podSelector: 7 })], code: 'POLICY_MALFORMED' },
    {
      title: 'no spec',
      objects: [{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'p', namespace: 'x' } }],
      code: 'POLICY_MALFORMED',
    },
    {
      title: 'a language not known here',
      objects: [{ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'p', namespace: 'x' } }],
      code: 'POLICY_KIND_UNSUPPORTED',
    },
    {
      title: 'Antrea’s policy of the same kind',
      objects: [{ apiVersion: 'crd.antrea.io/v1beta1', kind: 'ClusterNetworkPolicy', metadata: { name: 'p' } }],
      code: 'POLICY_KIND_UNSUPPORTED',
    },
  ])('what is not evaluated leaves the answer open: $title', ({ objects, code }) => {
    expect(new PolicyIndex(clusterOf([...conformanceObjects(), ...objects])).problems).toMatchObject([{ code }]);
    expect(ask(objects)).toBe('unknown: undecided');
  });

  it('is open only where the policy that is not evaluated could have a say', () => {
    const elsewhere = policyOf('z', 'p', { podSelector: 7 });

    expect(ask([elsewhere, deny])).toBe('deny: end of default');
  });

  it('names a tier that is not there, and asks it last', () => {
    const objects = [gnp('lost.g', { tier: 'lost', ingress: [{ action: 'Deny' }] }), admin('a', 1, 'Allow')];

    expect(new PolicyIndex(clusterOf([...conformanceObjects(), ...objects])).problems).toMatchObject([
      { code: 'TIER_MISSING', policy: { name: 'lost.g' } },
    ]);
    expect(ask(objects)).toBe('allow: a spec.ingress[0].from[0]');
  });

  it('asks the service’s endpoints where a rule names a service', () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'x', name: 'web' },
      spec: { clusterIP: '10.96.0.9', ports: [{ port: 80 }] },
    };
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { namespace: 'x', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      ports: [{ port: 80, protocol: 'TCP' }],
      endpoints: [{ addresses: ['10.244.1.10'] }],
    };
    const rule = { action: 'Allow', destination: { services: { name: 'web', namespace: 'x' } } };
    const index = new PolicyIndex(
      clusterOf([
        ...conformanceObjects(),
        service,
        slice,
        calico('NetworkPolicy', 'n', { types: ['Egress'], egress: [rule] }, 'y'),
        daemonSetOf('kube-system', 'calico-node', [{ name: 'calico-node' }]),
      ]),
    );
    const source = at(index, '10.244.2.10');
    const egress = (ip: string, port: number) =>
      index.egress({ source, destination: at(index, ip), protocol: 'tcp', port }).decision;

    expect([egress('10.244.1.10', 80), egress('10.244.1.10', 81), egress('10.244.1.11', 80)]).toEqual([
      'allow',
      'deny',
      'deny',
    ]);
  });
});
