import { parseIp, suspect, type KubernetesObject } from '#libs/model';
import { clusterOf, conformanceObjects, daemonSetOf, policyOf } from '../../../test/policy/sketch-cluster.js';
import { policyFindings, policySkipped, type WalkFact } from './findings.js';
import { PolicyIndex } from './policy-index.js';

const CALICO = daemonSetOf('kube-system', 'calico-node', [{ name: 'calico-node' }]);
const FLANNEL = daemonSetOf('kube-flannel', 'kube-flannel-ds', [{ name: 'kube-flannel' }]);
const CILIUM = daemonSetOf('kube-system', 'cilium', [{ name: 'cilium-agent' }]);
const DENY = policyOf('x', 'deny', {
  podSelector: { matchLabels: { pod: 'a' } },
  policyTypes: ['Ingress'],
  ingress: [{ ports: [{ port: 81 }] }],
});
const ALLOW = policyOf('x', 'allow', { podSelector: {}, ingress: [{}] });

function end(index: PolicyIndex, text: string) {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`${text} is not an address`);
  return index.endAt(ip);
}

function ask(objects: readonly KubernetesObject[], fact: WalkFact = 'unknown', from = '10.244.2.10') {
  const index = new PolicyIndex(clusterOf([...conformanceObjects(), ...objects]));
  const flow = { source: end(index, from), destination: end(index, '10.244.1.10'), protocol: 'tcp', port: 80 };
  const verdict = index.verdict(flow);
  return { findings: policyFindings(index, flow, verdict, { ingress: { fact } }), skipped: policySkipped(verdict) };
}

describe('policyFindings', () => {
  it('names the policies that select the pod, shows their rules, and writes the rule that is missing', () => {
    const [finding] = ask([DENY, CALICO]).findings;

    expect(finding).toMatchObject({
      code: 'POLICY_DENIED_INGRESS',
      subject: { kind: 'pod', namespace: 'x', name: 'a', node: 'node1' },
      evidence: [
        {
          kind: 'object',
          at: { kind: 'networkpolicy', namespace: 'x', name: 'deny' },
          locator: 'NetworkPolicy/x/deny:spec.ingress',
          text: '[{"ports":[{"port":81}]}]',
        },
      ],
      details: {
        policies: 'NetworkPolicy/x/deny (selects it, no rule allows this)',
        source: 'pod y/a (10.244.2.10)',
        destination: 'pod x/a (10.244.1.10)',
      },
      remedy:
        'Add to spec.ingress (kubectl edit networkpolicy -n x deny): {"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"y"}},"podSelector":{"matchLabels":{"pod":"a"}}}],"ports":[{"protocol":"TCP","port":80}]}',
    });
    // The words are the model's; no hole of theirs may stay empty.
    const message = finding === undefined ? '' : suspect({ ...finding, blocking: true }).message;
    expect(message).toContain('pod x/a');
    expect(message).toContain('NetworkPolicy/x/deny (selects it, no rule allows this)');
    expect(message).not.toMatch(/<\w+>/);
  });

  it('suggests a rule that works: with it the connection is allowed', () => {
    const remedy = ask([DENY, CALICO]).findings[0]?.remedy ?? '';
    const rule: unknown = JSON.parse(remedy.slice(remedy.indexOf('{')));
    const changed = policyOf('x', 'deny', {
      podSelector: { matchLabels: { pod: 'a' } },
      policyTypes: ['Ingress'],
      ingress: [rule],
    });

    expect(ask([changed, CALICO]).findings).toEqual([]);
  });

  it.each<{ title: string; objects: readonly KubernetesObject[]; fact: WalkFact; codes: readonly string[] }>([
    {
      title: 'denied and dropped',
      objects: [DENY, CALICO],
      fact: 'dropped-by-policy',
      codes: ['POLICY_DENIED_INGRESS'],
    },
    {
      title: 'denied and not seen by the walk',
      objects: [DENY, CALICO],
      fact: 'unknown',
      codes: ['POLICY_DENIED_INGRESS'],
    },
    {
      title: 'denied, enforced, and yet it passes',
      objects: [DENY, CALICO],
      fact: 'passed',
      codes: ['POLICY_NOT_PROGRAMMED'],
    },
    {
      title: 'denied by an engine that the walk cannot see',
      objects: [DENY, CILIUM],
      fact: 'passed',
      codes: ['POLICY_DENIED_INGRESS'],
    },
    { title: 'denied and nobody enforces', objects: [DENY, FLANNEL], fact: 'passed', codes: ['POLICY_NOT_ENFORCED'] },
    {
      title: 'denied, and nothing known of who enforces, and it passes',
      objects: [DENY],
      fact: 'passed',
      codes: ['POLICY_NOT_ENFORCED'],
    },
    {
      title: 'denied, and nothing known of who enforces',
      objects: [DENY],
      fact: 'unknown',
      codes: ['POLICY_DENIED_INGRESS'],
    },
    { title: 'allowed and passing', objects: [ALLOW, CALICO], fact: 'passed', codes: [] },
    {
      title: 'allowed and dropped by a policy’s rule',
      objects: [ALLOW, CALICO],
      fact: 'dropped-by-policy',
      codes: ['POLICY_STALE'],
    },
    {
      title: 'no policy and dropped by a policy’s rule',
      objects: [CALICO],
      fact: 'dropped-by-policy',
      codes: ['POLICY_STALE'],
    },
  ])('$title', ({ objects, fact, codes }) => {
    expect(ask(objects, fact).findings.map(({ code }) => code)).toEqual(codes);
  });

  it('puts the rule that dropped it first when it is stale', () => {
    const index = new PolicyIndex(clusterOf([...conformanceObjects(), CALICO, ALLOW]));
    const flow = {
      source: end(index, '10.244.2.10'),
      destination: end(index, '10.244.1.10'),
      protocol: 'tcp',
      port: 80,
    };
    const evidence = {
      kind: 'rule',
      at: { kind: 'node', name: 'node1' },
      locator: 'filter/cali-tw-cali1/9',
      text: '-j DROP',
    } as const;

    const findings = policyFindings(index, flow, index.verdict(flow), {
      ingress: { fact: 'dropped-by-policy', evidence },
    });

    expect(findings).toMatchObject([
      { code: 'POLICY_STALE', evidence: [evidence, { locator: 'NetworkPolicy/x/allow:spec.ingress[0]' }] },
    ]);
  });

  it('tells whose language denies', () => {
    const gnp = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'GlobalNetworkPolicy',
      metadata: { name: 'g' },
      spec: { types: ['Ingress'], ingress: [{ action: 'Allow', protocol: 'UDP' }, { action: 'Deny' }] },
    };
    const admin = {
      apiVersion: 'policy.networking.k8s.io/v1alpha1',
      kind: 'AdminNetworkPolicy',
      metadata: { name: 'a' },
      spec: { priority: 1, subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] },
    };

    expect(ask([gnp, CALICO]).findings).toMatchObject([
      {
        code: 'CALICO_POLICY_DENIED',
        evidence: [{ locator: 'projectcalico.org/GlobalNetworkPolicy/g:spec.ingress[1]', text: '{"action":"Deny"}' }],
        remedy: expect.stringContaining('spec.ingress[1] of projectcalico.org/GlobalNetworkPolicy/g'),
      },
    ]);
    expect(ask([admin, CALICO]).findings).toMatchObject([
      {
        code: 'ADMIN_POLICY_DENIED',
        evidence: [{ locator: 'AdminNetworkPolicy/a:spec.ingress[0].from[0]', text: '{"namespaces":{}}' }],
      },
    ]);
  });

  it('says what it could not decide, and makes no finding of it', () => {
    const unreadable = policyOf('x', 'p', { podSelector: 7 });

    const { findings, skipped } = ask([unreadable, CALICO]);

    expect(findings).toEqual([]);
    expect(skipped).toMatchObject([
      {
        code: 'POLICY_UNDECIDED',
        at: { namespace: 'x', name: 'a' },
        reason: expect.stringContaining('NetworkPolicy/x/p'),
      },
    ]);
  });
});
