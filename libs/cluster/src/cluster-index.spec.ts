import { formatCidr, formatIp } from '#libs/model';
import * as fc from 'fast-check';
import { sketchDump } from '../../../test/fixtures/namespace-sketch.js';
import { ip } from '../../../test/fixtures/packets.js';
import {
  configMap,
  nodeObject,
  podObject,
  serviceObject,
  sketchSnapshot,
  sliceObject,
} from '../../../test/fixtures/snapshot-sketch.js';
import { ClusterIndex, dumpKey } from './cluster-index.js';

const OBJECTS = [
  nodeObject('node1', '10.10.0.11', '10.244.1.0/24'),
  nodeObject('node2', '10.10.0.12', '10.244.2.0/24'),
  podObject('web-0', 'node1', ['10.244.1.2', 'fd00::2']),
  podObject('old', 'node1', ['10.244.1.2'], { phase: 'Succeeded' }),
  podObject('proxy', 'node1', ['10.10.0.11'], { hostNetwork: true }),
  serviceObject('web', ['10.96.0.10'], { externalIPs: ['203.0.113.5'] }),
  serviceObject('headless', ['None']),
  sliceObject('web', [{ addresses: ['10.244.1.2'] }, { addresses: ['10.244.2.2'], conditions: { ready: false } }]),
];

describe('ClusterIndex', () => {
  const index = new ClusterIndex(sketchSnapshot(OBJECTS));

  it('finds pods by address, but not those that finished or share the address of their node', () => {
    expect(index.podsAt(ip('10.244.1.2')).map(({ name }) => name)).toEqual(['web-0']);
    expect(index.podsAt(ip('fd00::2')).map(({ name }) => name)).toEqual(['web-0']);
    expect(index.podsAt(ip('10.10.0.11'))).toEqual([]);
  });

  it('finds nodes by any address, and the node that a pod address belongs to', () => {
    expect(index.nodeAt(ip('10.10.0.12'))?.name).toBe('node2');
    expect(index.nodeOfPodAddress(ip('10.244.2.200'))?.name).toBe('node2');
    expect(index.nodeOfPodAddress(ip('10.244.9.1'))).toBeUndefined();
  });

  it('finds services by every address that kube-proxy takes, and never by "None"', () => {
    expect(index.servicesAt(ip('10.96.0.10')).map(({ name }) => name)).toEqual(['web']);
    expect(index.servicesAt(ip('203.0.113.5')).map(({ name }) => name)).toEqual(['web']);
    expect(index.services.get('default/headless')).toMatchObject({ headless: true, clusterIps: [] });
  });

  it('keeps the endpoints of a service, ready ones and others', () => {
    const service = index.services.get('default/web');
    if (service === undefined) throw new Error('the service is there');

    expect(index.slices(service).flatMap(({ endpoints }) => endpoints.map(({ ready }) => ready))).toEqual([
      true,
      false,
    ]);
  });

  it('does not depend on the order in which objects were collected', () => {
    const show = (one: ClusterIndex): unknown => [
      [...one.pods.keys()].toSorted(),
      [...one.services.keys()].toSorted(),
      one.podCidrs.map(formatCidr).toSorted(),
      one.podsAt(ip('10.244.1.2')).map(({ name }) => name),
      one.nodeOfPodAddress(ip('10.244.1.9'))?.name,
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(OBJECTS, { minLength: OBJECTS.length }), (objects) => {
        expect(show(new ClusterIndex(sketchSnapshot(objects)))).toEqual(show(index));
      }),
      { numRuns: 50 },
    );
  });

  it('leaves out an object of a shape that it does not know, and keeps the rest', () => {
    const strange = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', namespace: 'default' },
      spec: { hostNetwork: 'yes' },
    };
    const one = new ClusterIndex(sketchSnapshot([strange, ...OBJECTS]));

    expect(one.pods.has('default/x')).toBe(false);
    expect(one.pods.has('default/web-0')).toBe(true);
  });

  it('tells "not collected" from "there are none"', () => {
    expect(new ClusterIndex(sketchSnapshot(undefined)).objectsCollected).toBe(false);
    expect(new ClusterIndex(sketchSnapshot([])).objectsCollected).toBe(true);
  });
});

describe('podCidrs', () => {
  const kubeadm = configMap('kube-system', 'kubeadm-config', {
    ClusterConfiguration: 'networking:\n  podSubnet: 10.240.0.0/13,fd00::/48\n  serviceSubnet: 10.96.0.0/12\n',
  });
  const proxy = configMap('kube-system', 'kube-proxy', { 'config.conf': 'clusterCIDR: 10.244.0.0/16\n' });

  it.each([
    {
      title: 'what the user says',
      objects: [...OBJECTS, kubeadm, proxy],
      clusterCidr: ['10.0.0.0/8'],
      cidrs: ['10.0.0.0/8'],
    },
    {
      title: 'else kubeadm',
      objects: [...OBJECTS, kubeadm, proxy],
      clusterCidr: undefined,
      cidrs: ['10.240.0.0/13', 'fd00::/48'],
    },
    { title: 'else kube-proxy', objects: [...OBJECTS, proxy], clusterCidr: undefined, cidrs: ['10.244.0.0/16'] },
    { title: 'else the nodes', objects: OBJECTS, clusterCidr: [], cidrs: ['10.244.1.0/24', '10.244.2.0/24'] },
    {
      title: 'and not what is no YAML',
      objects: [configMap('kube-system', 'kubeadm-config', { ClusterConfiguration: '\t: [' }), ...OBJECTS],
      clusterCidr: undefined,
      cidrs: ['10.244.1.0/24', '10.244.2.0/24'],
    },
  ])('are $title', ({ objects, clusterCidr, cidrs }) => {
    const index = new ClusterIndex(sketchSnapshot(objects), { clusterCidr });

    expect(index.podCidrs.map(formatCidr)).toEqual(cidrs);
  });

  it('knows the service network from kubeadm, besides the services that are there', () => {
    const index = new ClusterIndex(sketchSnapshot([...OBJECTS, kubeadm]));

    expect(index.isServiceAddress(ip('10.111.0.1'))).toBe(true);
    expect(index.isServiceAddress(ip('203.0.113.5'))).toBe(true);
    expect(index.isServiceAddress(ip('10.244.1.2'))).toBe(false);
    expect(index.isPodAddress(ip('10.241.0.1'))).toBe(true);
  });
});

describe('dumpKey', () => {
  it.each([
    { dump: sketchDump({ name: 'node1' }), key: 'node/node1' },
    { dump: sketchDump({ kind: 'pod', namespace: 'default', name: 'web-0' }), key: 'pod/default/web-0' },
    { dump: sketchDump({ kind: 'external', name: 'ext' }), key: 'external/ext' },
  ])('$key', ({ dump, key }) => {
    expect(dumpKey(dump)).toBe(key);
    expect(new ClusterIndex(sketchSnapshot([], [dump])).dumps.get(key)).toBe(dump);
  });
});

describe('a load balancer address', () => {
  it.each([
    { ipMode: undefined, taken: true },
    { ipMode: 'VIP', taken: true },
    { ipMode: 'Proxy', taken: false },
  ])('with ipMode $ipMode is taken by kube-proxy: $taken', ({ ipMode, taken }) => {
    const service = {
      ...serviceObject('lb', ['10.96.0.20'], { type: 'LoadBalancer' }),
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.9', ...(ipMode === undefined ? {} : { ipMode }) }] } },
    };
    const index = new ClusterIndex(sketchSnapshot([service]));

    expect(index.servicesAt(ip('203.0.113.9')).map(({ clusterIps }) => clusterIps.map(formatIp))).toEqual(
      taken ? [['10.96.0.20']] : [],
    );
  });
});
