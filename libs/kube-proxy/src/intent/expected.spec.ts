import { ClusterIndex } from '#libs/cluster';
import type { KubernetesObject } from '#libs/model';
import { ip } from '../../../../test/fixtures/packets.js';
import { nodeObject, serviceObject, sketchSnapshot, sliceObject } from '../../../../test/fixtures/snapshot-sketch.js';
import { KubeProxy } from '../kube-proxy.js';
import { backendText } from './endpoints.js';
import type { Asker, Expected } from './expected.js';
import { entriesOf } from './service-entry.js';

const NODES = [
  zoned(nodeObject('node1', '10.10.0.11', '10.244.1.0/24'), 'a'),
  zoned(nodeObject('node2', '10.10.0.12', '10.244.2.0/24'), 'b'),
];
const [ONE, TWO, THREE] = ['10.244.1.2', '10.244.2.2', '10.244.2.3'] as const;
const POD: Asker = { kind: 'pod', ip: ip('10.244.1.9') };
const OUTSIDE: Asker = { kind: 'outside', ip: ip('203.0.113.9') };

const NONE: Readonly<Record<string, string>> = {};
const OTHER_PROXY: Readonly<Record<string, string>> = { 'service.kubernetes.io/service-proxy-name': 'cilium' };

function zoned(node: KubernetesObject, zone: string): KubernetesObject {
  return { ...node, metadata: { ...node.metadata, labels: { 'topology.kubernetes.io/zone': zone } } };
}

function on(address: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { addresses: [address], nodeName: address.startsWith('10.244.1.') ? 'node1' : 'node2', ...more };
}

function ask(
  spec: Readonly<Record<string, unknown>>,
  slices: readonly KubernetesObject[],
  asker: Asker = POD,
  dst = '10.96.0.10',
): Expected {
  const service = {
    ...serviceObject('web', ['10.96.0.10'], { type: 'LoadBalancer', externalIPs: ['198.51.100.1'], ...spec }),
    status: { loadBalancer: { ingress: [{ ip: '198.51.100.2' }] } },
  };
  const cluster = new ClusterIndex(sketchSnapshot([...NODES, service, ...slices]));
  const proxy = new KubeProxy(cluster);
  const entry = proxy.find(ip(dst), dst.startsWith('10.10.') ? 30080 : 80, 'TCP');
  if (entry === undefined) throw new Error(`${dst} is no entry`);
  return proxy.expected('node1', entry, asker);
}

const shown = ({ outcome, endpoints, empty }: Expected): unknown[] => [
  outcome,
  ...(empty === undefined ? [] : [empty]),
  ...endpoints.map(backendText),
];
const slice = (...endpoints: readonly Readonly<Record<string, unknown>>[]): KubernetesObject[] => [
  sliceObject('web', endpoints),
];
const ready = (is: boolean, more: Readonly<Record<string, boolean>> = {}) => ({ conditions: { ready: is, ...more } });
const ending = ready(false, { serving: true, terminating: true });

describe('what a node may choose', () => {
  it.each([
    {
      title: 'every ready endpoint',
      slices: slice(on(ONE), on(TWO)),
      gets: ['backends', `${ONE}:8080`, `${TWO}:8080`],
    },
    {
      title: 'not one that is not ready',
      slices: slice(on(ONE), on(TWO, ready(false))),
      gets: ['backends', `${ONE}:8080`],
    },
    {
      title: 'an endpoint of two slices once',
      slices: [...slice(on(ONE)), ...slice(on(ONE))],
      gets: ['backends', `${ONE}:8080`],
    },
    {
      title: 'the ready one of two equal ones',
      slices: [...slice(on(ONE, ready(false))), ...slice(on(ONE))],
      gets: ['backends', `${ONE}:8080`],
    },
    {
      title: 'those that serve while they end, when none is ready',
      slices: slice(on(ONE, ready(false)), on(TWO, ending)),
      gets: ['backends', `${TWO}:8080`],
    },
    {
      title: 'not those that end, when one is ready',
      slices: slice(on(ONE), on(TWO, ending)),
      gets: ['backends', `${ONE}:8080`],
    },
    { title: 'nothing of none', slices: slice(), gets: ['rejected', 'no-endpoints'] },
    {
      title: 'nothing of those that are not ready',
      slices: slice(on(ONE, ready(false))),
      gets: ['rejected', 'no-endpoints'],
    },
    {
      title: 'the ones that a slice publishes as ready, whatever their pods are (publishNotReadyAddresses)',
      slices: slice(on(ONE, ready(true, { serving: false }))),
      gets: ['backends', `${ONE}:8080`],
    },
    {
      title: 'only the first address of an endpoint',
      slices: slice({ addresses: [ONE, '10.244.1.3'] }),
      gets: ['backends', `${ONE}:8080`],
    },
    {
      title: 'nothing of another family',
      slices: slice({ addresses: ['fd00::2'] }),
      gets: ['rejected', 'no-endpoints'],
    },
    {
      title: 'nothing of a slice that other proxies own',
      slices: slice(on(ONE)).map((one) => ({
        ...one,
        metadata: {
          ...one.metadata,
          labels: { 'kubernetes.io/service-name': 'web', ...OTHER_PROXY },
        },
      })),
      gets: ['rejected', 'no-endpoints'],
    },
    {
      title: 'each slice with its own port number',
      slices: [...slice(on(ONE)), ...slice(on(TWO)).map((one) => ({ ...one, ports: [{ name: 'http', port: 9090 }] }))],
      gets: ['backends', `${ONE}:8080`, `${TWO}:9090`],
    },
    {
      title: 'nothing where the port has another name',
      slices: slice(on(ONE)).map((one) => ({ ...one, ports: [{ name: 'other', port: 8080 }] })),
      gets: ['rejected', 'no-endpoints'],
    },
    {
      title: 'nothing where the port has another protocol',
      slices: slice(on(ONE)).map((one) => ({ ...one, ports: [{ name: 'http', port: 8080, protocol: 'UDP' }] })),
      gets: ['rejected', 'no-endpoints'],
    },
  ])('is $title', ({ slices, gets }) => {
    expect(shown(ask({}, slices))).toEqual(gets);
  });

  it.each([
    { title: 'all have one and some are for the zone', zones: ['a', 'b', 'b'], gets: [ONE] },
    { title: 'one has none', zones: ['a', 'b', undefined], gets: [ONE, TWO, THREE] },
    { title: 'none is for the zone', zones: ['b', 'b', 'b'], gets: [ONE, TWO, THREE] },
  ])(
    'follows zone hints only when all ready endpoints have one and the zone is among them: $title',
    ({ zones, gets }) => {
      const hinted = [ONE, TWO, THREE].map((address, at) =>
        on(address, zones[at] === undefined ? {} : { hints: { forZones: [{ name: zones[at] }] } }),
      );

      expect(shown(ask({}, slice(...hinted)))).toEqual(['backends', ...gets.map((one) => `${one}:8080`)]);
    },
  );

  it('looks at hints of ready endpoints only, and at node hints before zone hints', () => {
    const zone = { forZones: [{ name: 'a' }] };
    const slices = slice(
      on(ONE, { hints: { ...zone, forNodes: [{ name: 'node1' }] } }),
      on(TWO, { hints: { ...zone, forNodes: [{ name: 'node2' }] } }),
      on(THREE, ready(false)),
    );

    expect(shown(ask({}, slices))).toEqual(['backends', `${ONE}:8080`]);
  });
});

describe('traffic policies', () => {
  const local = { externalTrafficPolicy: 'Local' };
  const away = slice(on(TWO), on(THREE));

  it.each([
    {
      title: 'internal Local with one here',
      spec: { internalTrafficPolicy: 'Local' },
      slices: slice(on(ONE), on(TWO)),
      asker: POD,
      dst: '10.96.0.10',
      gets: ['backends', `${ONE}:8080`],
    },
    {
      title: 'internal Local with none here',
      spec: { internalTrafficPolicy: 'Local' },
      slices: away,
      asker: POD,
      dst: '10.96.0.10',
      gets: ['dropped', 'no-local-endpoint-internal'],
    },
    {
      title: 'internal Local with none anywhere',
      spec: { internalTrafficPolicy: 'Local' },
      slices: slice(),
      asker: POD,
      dst: '10.96.0.10',
      gets: ['rejected', 'no-endpoints'],
    },
    {
      title: 'internal Local with one here that ends',
      spec: { internalTrafficPolicy: 'Local' },
      slices: slice(on(ONE, ending), on(TWO)),
      asker: POD,
      dst: '10.96.0.10',
      gets: ['backends', `${ONE}:8080`],
    },
    {
      title: 'external Local from outside',
      spec: local,
      slices: slice(on(ONE), on(TWO)),
      asker: OUTSIDE,
      dst: '198.51.100.2',
      gets: ['backends', `${ONE}:8080`],
    },
    {
      title: 'external Local from outside, none here',
      spec: local,
      slices: away,
      asker: OUTSIDE,
      dst: '198.51.100.1',
      gets: ['dropped', 'no-local-endpoint-external'],
    },
    {
      title: 'external Local from a pod is short-cut',
      spec: local,
      slices: away,
      asker: POD,
      dst: '198.51.100.2',
      gets: ['backends', `${TWO}:8080`, `${THREE}:8080`],
    },
    {
      title: 'external Local does not bind the cluster address',
      spec: local,
      slices: away,
      asker: POD,
      dst: '10.96.0.10',
      gets: ['backends', `${TWO}:8080`, `${THREE}:8080`],
    },
    {
      title: 'internal Local does not bind external addresses',
      spec: { internalTrafficPolicy: 'Local' },
      slices: away,
      asker: POD,
      dst: '198.51.100.2',
      gets: ['backends', `${TWO}:8080`, `${THREE}:8080`],
    },
  ])('$title', ({ spec, slices, asker, dst, gets }) => {
    expect(shown(ask(spec, slices, asker, dst))).toEqual(gets);
  });

  it.each([
    { dst: '198.51.100.2', source: '203.0.113.9', outcome: 'backends' },
    { dst: '198.51.100.2', source: '192.0.2.1', outcome: 'dropped' },
    { dst: '198.51.100.1', source: '192.0.2.1', outcome: 'backends' },
    { dst: '10.96.0.10', source: '192.0.2.1', outcome: 'backends' },
  ])('source ranges guard the balancer address only: $source to $dst', ({ dst, source, outcome }) => {
    const spec = { loadBalancerSourceRanges: ['203.0.113.0/24', 'fd00::/8'] };

    expect(ask(spec, away, { kind: 'outside', ip: ip(source) }, dst).outcome).toBe(outcome);
  });

  it('says how long a client is kept', () => {
    expect(ask({ sessionAffinity: 'ClientIP' }, away).affinitySeconds).toBe(10800);
    expect(
      ask({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }, away)
        .affinitySeconds,
    ).toBe(60);
    expect(ask({}, away).affinitySeconds).toBeUndefined();
  });
});

describe('entriesOf', () => {
  const status = {
    loadBalancer: { ingress: [{ ip: '198.51.100.2' }, { ip: '198.51.100.3', ipMode: 'Proxy' }, { hostname: 'lb' }] },
  };
  const entries = (
    spec: Readonly<Record<string, unknown>>,
    labels: Readonly<Record<string, string>> = {},
  ): string[] => {
    const object = serviceObject('web', ['10.96.0.10', 'fd00:96::10'], {
      type: 'LoadBalancer',
      externalIPs: ['198.51.100.1'],
      ports: [{ name: 'http', port: 80, nodePort: 30080 }],
      ...spec,
    });
    const cluster = new ClusterIndex(
      sketchSnapshot([...NODES, { ...object, metadata: { ...object.metadata, labels }, status }]),
    );
    const [service] = cluster.services.values();
    const [port] = service?.ports ?? [];
    if (service === undefined || port === undefined) throw new Error('the service is there');
    return entriesOf({ service, port }, cluster.nodes.get('node1')).map(
      (one) => `${one.kind} ${backendText({ ip: one.ip, port: one.dport })}`,
    );
  };

  it('are all addresses that kube-proxy takes, each with its port', () => {
    expect(entries({})).toEqual([
      'clusterIP 10.96.0.10:80',
      'clusterIP [fd00:96::10]:80',
      'externalIP 198.51.100.1:80',
      'loadBalancer 198.51.100.2:80',
      'nodePort 10.10.0.11:30080',
    ]);
  });

  it.each([
    { title: 'a headless service', spec: { clusterIPs: ['None'] }, labels: NONE },
    { title: 'a service of type ExternalName', spec: { type: 'ExternalName' }, labels: NONE },
    { title: 'a service of another proxy', spec: {}, labels: OTHER_PROXY },
    { title: 'a service without cluster IP', spec: { clusterIPs: [] }, labels: NONE },
  ])('are none of $title', ({ spec, labels }) => {
    expect(entries(spec, labels)).toEqual([]);
  });

  it('are none of a family without cluster IP', () => {
    expect(entries({ clusterIPs: ['fd00:96::10'] })).toEqual(['clusterIP [fd00:96::10]:80']);
  });
});
