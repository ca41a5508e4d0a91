import { parseIp, type KubernetesObject } from '#libs/model';
import { clusterOf, conformanceObjects, daemonSetOf } from '../../../../test/policy/sketch-cluster.js';
import { PolicyIndex } from '../policy-index.js';

type Spec = Readonly<Record<string, unknown>>;
const calico = (
  kind: string,
  name: string,
  spec: Spec,
  labels: Readonly<Record<string, string>> = {},
): KubernetesObject => ({
  apiVersion: 'projectcalico.org/v3',
  kind,
  metadata: { name, labels },
  spec,
});
const hep = (spec: Spec = {}) =>
  calico(
    'HostEndpoint',
    'node1-all',
    { node: 'node1', interfaceName: '*', expectedIPs: ['172.18.0.2'], ...spec },
    { host: 'one' },
  );
const gnp = (name: string, spec: Spec) =>
  calico('GlobalNetworkPolicy', name, { selector: "host == 'one'", types: ['Ingress', 'Egress'], ...spec });
const CALICO = daemonSetOf('kube-system', 'calico-node', [{ name: 'calico-node' }]);
const OPEN = { profiles: ['projectcalico-default-allow'] };

function ask(objects: readonly KubernetesObject[], from: string, to: string, port = 80, protocol = 'tcp') {
  const index = new PolicyIndex(clusterOf([...conformanceObjects(), CALICO, ...objects]));
  const end = (text: string) => {
    const ip = parseIp(text);
    if (ip === undefined) throw new Error(`${text} is not an address`);
    return index.endAt(ip);
  };
  return index.verdict({ source: end(from), destination: end(to), protocol, port });
}

const NODE = '172.18.0.2';
const POD_ON_NODE2 = '10.244.2.11';
const POD_ON_NODE1 = '10.244.1.10';

describe('host endpoints', () => {
  it.each<{ title: string; objects: readonly KubernetesObject[]; port?: number; decision: string }>([
    { title: 'a node without one is open', objects: [gnp('g', {})], decision: 'allow' },
    { title: 'without policy and profile it is shut', objects: [hep()], decision: 'deny' },
    { title: 'but for failsafe ports', objects: [hep()], port: 22, decision: 'allow' },
    { title: 'the default profile opens it', objects: [hep(OPEN)], decision: 'allow' },
    { title: 'a profile that is not in the snapshot', objects: [hep({ profiles: ['mine'] })], decision: 'unknown' },
    {
      title: 'a profile with rules',
      objects: [
        hep({ profiles: ['mine'] }),
        calico('Profile', 'mine', {
          ingress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: [80] } }, { action: 'Allow' }],
        }),
      ],
      decision: 'deny',
    },
    {
      title: 'a profile’s later rule',
      objects: [
        hep({ profiles: ['mine'] }),
        calico('Profile', 'mine', {
          ingress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: [81] } }, { action: 'Allow' }],
        }),
      ],
      decision: 'allow',
    },
    { title: 'a policy that selects it', objects: [hep(OPEN), gnp('g', {})], decision: 'deny' },
    {
      title: 'a policy that allows',
      objects: [hep(), gnp('g', { ingress: [{ action: 'Allow', source: { nets: ['10.244.0.0/16'] } }] })],
      decision: 'allow',
    },
    {
      title: 'a policy for other hosts',
      objects: [hep(OPEN), gnp('g', { selector: "host == 'two'" })],
      decision: 'allow',
    },
    {
      title: 'a preDNAT policy denies without an end of tier',
      objects: [
        hep(OPEN),
        gnp('g', {
          types: ['Ingress'],
          preDNAT: true,
          applyOnForward: true,
          ingress: [{ action: 'Deny', source: { nets: ['10.244.2.0/24'] } }],
        }),
      ],
      decision: 'deny',
    },
    {
      title: 'a preDNAT policy that does not match',
      objects: [
        hep(OPEN),
        gnp('g', {
          types: ['Ingress'],
          preDNAT: true,
          applyOnForward: true,
          ingress: [{ action: 'Deny', source: { nets: ['10.9.0.0/16'] } }],
        }),
      ],
      decision: 'allow',
    },
    {
      title: 'doNotTrack allows before all others',
      objects: [
        hep(),
        gnp('u', { doNotTrack: true, applyOnForward: true, ingress: [{ action: 'Allow' }] }),
        gnp('g', { ingress: [{ action: 'Deny' }] }),
      ],
      decision: 'allow',
    },
  ])('to the node itself: $title', ({ objects, port, decision }) => {
    expect(ask(objects, POD_ON_NODE2, NODE, port).ingress.decision).toBe(decision);
  });

  it.each<{ title: string; objects: readonly KubernetesObject[]; decisions: readonly string[] }>([
    {
      title: 'policies without applyOnForward do not look',
      objects: [hep(), gnp('g', { ingress: [{ action: 'Deny' }] })],
      decisions: [],
    },
    {
      title: 'applyOnForward does',
      objects: [hep(), gnp('g', { applyOnForward: true, ingress: [{ action: 'Deny' }] })],
      decisions: ['deny'],
    },
    {
      title: 'applyOnForward, nothing matches',
      objects: [hep(), gnp('g', { applyOnForward: true })],
      decisions: ['deny'],
    },
    {
      title: 'applyOnForward that allows',
      objects: [hep(), gnp('g', { applyOnForward: true, ingress: [{ action: 'Allow' }] })],
      decisions: [],
    },
    {
      title: 'on one device: who knows whether it is encapsulated there',
      objects: [hep({ interfaceName: 'eth0' }), gnp('g', { applyOnForward: true })],
      decisions: ['unknown'],
    },
  ])('through the node to a pod: $title', ({ objects, decisions }) => {
    const verdict = ask(objects, POD_ON_NODE2, POD_ON_NODE1);

    expect(verdict.hosts.map(({ decision }) => decision)).toEqual(decisions);
    expect(verdict.decision).toBe(decisions[0] ?? 'allow');
  });

  it('takes configured failsafe ports for the default ones', () => {
    const felix = {
      ...calico('FelixConfiguration', 'default', { failsafeInboundHostPorts: [{ protocol: 'tcp', port: 9000 }] }),
    };

    expect(ask([hep(), felix], POD_ON_NODE2, NODE, 22).ingress.decision).toBe('deny');
    expect(ask([hep(), felix], POD_ON_NODE2, NODE, 9000).ingress.decision).toBe('allow');
  });

  it('lets selectors in rules select host endpoints and network sets by their addresses', () => {
    const rule = (selector: string) => [{ action: 'Allow', destination: { selector } }];
    const set = calico('GlobalNetworkSet', 'dns', { nets: ['8.8.8.0/24'] }, { role: 'resolver' });
    const pods = (selector: string) =>
      calico('GlobalNetworkPolicy', 'p', { selector: "pod == 'b'", types: ['Egress'], egress: rule(selector) });

    expect(ask([hep(OPEN), pods("host == 'one'")], POD_ON_NODE2, NODE).egress.decision).toBe('allow');
    expect(ask([hep(OPEN), pods("host == 'two'")], POD_ON_NODE2, NODE).egress.decision).toBe('deny');
    expect(ask([set, pods("role == 'resolver'")], POD_ON_NODE2, '8.8.8.8').egress.decision).toBe('allow');
    expect(ask([set, pods("role == 'resolver'")], POD_ON_NODE2, '8.8.9.8').egress.decision).toBe('deny');
  });

  it('reads the labels that a CRD keeps in its annotation', () => {
    const stored = {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'GlobalNetworkSet',
      metadata: { name: 'dns', annotations: { 'projectcalico.org/metadata': '{"labels":{"role":"resolver"}}' } },
      spec: { nets: ['8.8.8.0/24'] },
    };
    const policy = calico('GlobalNetworkPolicy', 'p', {
      selector: "pod == 'b'",
      types: ['Egress'],
      egress: [{ action: 'Allow', destination: { selector: "role == 'resolver'" } }],
    });

    expect(ask([stored, policy], POD_ON_NODE2, '8.8.8.8').egress.decision).toBe('allow');
  });
});
