import { ClusterIndex } from '#libs/cluster';
import { suspect, type KubernetesObject } from '#libs/model';
import type { Finding } from '#libs/provider-kit';
import { ip } from '../../../../test/fixtures/packets.js';
import {
  configMap,
  nodeObject,
  serviceObject,
  sketchSnapshot,
  sliceObject,
} from '../../../../test/fixtures/snapshot-sketch.js';
import { KubeProxy } from '../kube-proxy.js';
import { portFinding, targetPortFinding, typeFindings } from './service-findings.js';

const NODE = nodeObject('node1', '10.10.0.11', '10.244.1.0/24');
const SELECTOR = { selector: { app: 'web', tier: 'front' } };

function pod(
  name: string,
  labels: Readonly<Record<string, string>>,
  more: Readonly<Record<string, unknown>> = {},
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: { nodeName: 'node1', containers: [{ ports: [{ name: 'web', containerPort: 8080 }] }] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '10.244.1.2' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      ...more,
    },
  };
}

const WEB = { app: 'web', tier: 'front' };
const endpoint = (more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  addresses: ['10.244.1.2'],
  nodeName: 'node1',
  targetRef: { kind: 'Pod', name: 'web-0' },
  ...more,
});

function findings(objects: readonly KubernetesObject[], source = '10.244.1.9', dst = '10.96.0.10'): Finding[] {
  const proxy = new KubeProxy(new ClusterIndex(sketchSnapshot([NODE, ...objects])));
  const entry = proxy.find(ip(dst), 80, 'TCP');
  if (entry === undefined) throw new Error(`${dst} is no entry`);
  const kind = source.startsWith('10.244.') ? 'pod' : 'outside';
  return proxy.findings('node1', entry, { kind, ip: ip(source) });
}

const evidenceOf = (found: readonly Finding[]): string =>
  found.flatMap(({ evidence }) => evidence.map(({ locator, text }) => `${locator} ${text}`)).join('; ');

const service = (spec: Readonly<Record<string, unknown>> = SELECTOR): KubernetesObject =>
  serviceObject('web', ['10.96.0.10'], spec);

describe('serviceFindings', () => {
  it.each([
    {
      title: 'nothing for a service that is well',
      objects: [service(), pod('web-0', WEB), sliceObject('web', [endpoint()])],
      codes: [],
      says: '',
    },
    {
      title: 'that the selector matches nothing, and which label is near',
      objects: [service(), pod('web-0', { app: 'web', tier: 'fornt' }), sliceObject('web', [])],
      codes: ['NO_ENDPOINTS', 'SELECTOR_MATCHES_NOTHING'],
      says: 'pod web-0 has tier=fornt',
    },
    {
      title: 'that the selected pods give no endpoint, and why',
      objects: [service(), pod('web-0', WEB, { phase: 'Pending', podIPs: [] }), sliceObject('web', [])],
      codes: ['NO_ENDPOINTS'],
      says: 'web-0: it has no address',
    },
    {
      title: 'that a service without selector has no slice',
      objects: [service({}), pod('web-0', WEB)],
      codes: ['NO_ENDPOINTS'],
      says: 'no endpoint slice',
    },
    {
      title: 'that no endpoint is ready, and what the pod says',
      objects: [
        service(),
        pod('web-0', WEB, { conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }] }),
        sliceObject('web', [endpoint({ conditions: { ready: false } })]),
      ],
      codes: ['NO_READY_ENDPOINTS'],
      says: '10.244.1.2:8080 (not ready: ContainersNotReady)',
    },
    {
      title: 'that no pod has the named port',
      objects: [
        service({ ...SELECTOR, ports: [{ name: 'http', port: 80, targetPort: 'http' }] }),
        pod('web-0', WEB),
        { ...sliceObject('web', [endpoint()]), ports: null },
      ],
      codes: ['NAMED_PORT_UNRESOLVED'],
      says: 'the pods declare web 8080/TCP',
    },
    {
      title: 'that the endpoints have the other protocol',
      objects: [
        service(),
        {
          ...sliceObject('web', [endpoint({ targetRef: null })]),
          ports: [{ name: 'http', port: 8080, protocol: 'UDP' }],
        },
      ],
      codes: ['PROTOCOL_MISMATCH'],
      says: '8080/UDP',
    },
    {
      title: 'that the endpoints are of the other family',
      objects: [service(), sliceObject('web', [{ addresses: ['fd00::2'] }])],
      codes: ['FAMILY_MISMATCH'],
      says: 'endpoints of IPv6 only; asked for IPv4',
    },
    {
      title: 'that no endpoint is on the node, and where they are',
      objects: [
        service({ internalTrafficPolicy: 'Local' }),
        sliceObject('web', [{ addresses: ['10.244.2.2'], nodeName: 'node2' }]),
      ],
      codes: ['INTERNAL_POLICY_LOCAL_NO_ENDPOINT'],
      says: '10.244.2.2:8080 on node2',
    },
    {
      title: 'that clients are kept',
      objects: [
        service({ ...SELECTOR, sessionAffinity: 'ClientIP' }),
        pod('web-0', WEB),
        sliceObject('web', [endpoint()]),
      ],
      codes: ['SESSION_AFFINITY'],
      says: '10800 seconds',
    },
    {
      title: 'that an endpoint stands for a pod that is gone',
      objects: [service(), pod('web-1', WEB), sliceObject('web', [endpoint()])],
      codes: ['ENDPOINT_WITHOUT_POD'],
      says: 'stands for pod default/web-0, which is not there',
    },
    {
      title: 'that an endpoint stands for a pod with another address',
      objects: [service(), pod('web-0', WEB), sliceObject('web', [endpoint({ addresses: ['10.244.1.77'] })])],
      codes: ['ENDPOINT_WITHOUT_POD'],
      says: 'which has 10.244.1.2',
    },
    {
      title: 'nothing of pods that were not collected',
      objects: [service(), sliceObject('web', [endpoint()])],
      codes: [],
      says: '',
    },
  ])('say $title', ({ objects, codes, says }) => {
    const found = findings(objects);

    expect(found.map(({ code }) => code)).toEqual(codes);
    expect(evidenceOf(found)).toContain(says);
    for (const one of found) expect(suspect({ ...one, blocking: true }).message).not.toContain('?');
  });

  it.each([
    { spec: { externalTrafficPolicy: 'Local' }, code: 'EXTERNAL_POLICY_LOCAL_NO_ENDPOINT' },
    { spec: { loadBalancerSourceRanges: ['192.0.2.0/24'] }, code: 'SOURCE_RANGE_DENIED' },
  ])('say $code to somebody outside', ({ spec, code }) => {
    const balanced = {
      ...service({ type: 'LoadBalancer', ...spec }),
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.2' }] } },
    };
    const found = findings(
      [balanced, sliceObject('web', [{ addresses: ['10.244.2.2'], nodeName: 'node2' }])],
      '203.0.113.9',
      '198.51.100.2',
    );

    expect(found.map((one) => one.code)).toEqual([code]);
  });
});

describe('typeFindings', () => {
  it.each([
    {
      title: 'ExternalName',
      spec: { type: 'ExternalName', externalName: 'db.example' },
      codes: ['EXTERNAL_NAME_SERVICE'],
    },
    { title: 'headless', spec: { clusterIPs: ['None'] }, codes: ['HEADLESS_SERVICE'] },
    { title: 'a balancer that has no address yet', spec: { type: 'LoadBalancer' }, codes: ['LOAD_BALANCER_PENDING'] },
    { title: 'a plain one', spec: {}, codes: [] },
  ])('$title', ({ spec, codes }) => {
    const [found] = new ClusterIndex(sketchSnapshot([service(spec)])).services.values();
    if (found === undefined) throw new Error('the service is there');

    expect(typeFindings(found).map(({ code }) => code)).toEqual(codes);
  });

  it('a balancer known by name is not pending', () => {
    const named = {
      ...service({ type: 'LoadBalancer' }),
      status: { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } },
    };
    const [found] = new ClusterIndex(sketchSnapshot([named])).services.values();
    if (found === undefined) throw new Error('the service is there');

    expect(typeFindings(found)).toEqual([]);
  });
});

describe('portFinding', () => {
  const kubeadm = configMap('kube-system', 'kubeadm-config', {
    ClusterConfiguration: 'networking:\n  serviceSubnet: 10.96.0.0/12\n',
  });
  const cluster = new ClusterIndex(
    sketchSnapshot([
      NODE,
      kubeadm,
      service({ type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080 }] }),
    ]),
  );

  it.each([
    { dst: '10.96.0.10', port: 81, protocol: 'TCP', code: 'SERVICE_PORT_UNDEFINED' },
    { dst: '10.96.0.10', port: 80, protocol: 'UDP', code: 'PROTOCOL_MISMATCH' },
    { dst: '10.96.0.10', port: 80, protocol: 'TCP', code: undefined },
    { dst: '10.96.0.11', port: 80, protocol: 'TCP', code: 'SERVICE_NOT_FOUND' },
    { dst: '10.10.0.11', port: 30081, protocol: 'TCP', code: 'NODE_PORT_CLOSED' },
    { dst: '10.10.0.11', port: 30080, protocol: 'UDP', code: 'NODE_PORT_CLOSED' },
    { dst: '10.10.0.11', port: 30080, protocol: 'TCP', code: undefined },
    { dst: '10.10.0.11', port: 9100, protocol: 'TCP', code: undefined },
    { dst: '8.8.8.8', port: 80, protocol: 'TCP', code: undefined },
  ])('$dst:$port/$protocol is $code', ({ dst, port, protocol, code }) => {
    expect(portFinding(cluster, ip(dst), port, protocol)?.code).toBe(code);
  });
});

describe('targetPortFinding', () => {
  it('shows what the service says beside what the pod declares', () => {
    const proxy = new KubeProxy(new ClusterIndex(sketchSnapshot([NODE, service(), pod('web-0', WEB)])));
    const entry = proxy.find(ip('10.96.0.10'), 80, 'TCP');
    if (entry === undefined) throw new Error('the entry is there');
    const found = targetPortFinding(new ClusterIndex(sketchSnapshot([pod('web-0', WEB)])), entry, {
      ip: ip('10.244.1.2'),
      port: 80,
    });

    expect(evidenceOf([found])).toBe(
      'Service/default/web:spec.ports port 80/TCP -> targetPort 8080; Pod/default:spec.containers.ports web-0: web 8080/TCP',
    );
  });
});
