import { ClusterIndex } from '#libs/cluster';
import type { KubernetesObject } from '#libs/model';
import { sketchNamespace, type NamespaceSketch } from '../../../../test/fixtures/namespace-sketch.js';
import { ip } from '../../../../test/fixtures/packets.js';
import { configMap, nodeObject, podObject, sketchSnapshot } from '../../../../test/fixtures/snapshot-sketch.js';
import { flannelConfig } from './flannel-config.js';
import { flannel } from './flannel.js';

const OBJECTS = [
  nodeObject('node1', '10.10.0.11', '10.244.1.0/24', { 'flannel.alpha.coreos.com/public-ip': '10.10.0.11' }),
  nodeObject('node2', '10.10.0.12', '10.244.2.0/24', { 'flannel.alpha.coreos.com/public-ip': '10.10.0.12' }),
  podObject('web-1', 'node2', ['10.244.2.2']),
  podObject('moved', 'node1', ['10.244.2.9']),
  podObject('web-0', 'node1', ['10.244.1.9']),
];
const netConf = (backend: unknown, namespace = 'kube-flannel'): KubernetesObject =>
  configMap(namespace, 'kube-flannel-cfg', {
    'net-conf.json': JSON.stringify({ Network: '10.244.0.0/16', Backend: backend }),
  });
const cluster = (...more: readonly KubernetesObject[]): ClusterIndex =>
  new ClusterIndex(sketchSnapshot([...OBJECTS, ...more]));

describe('flannelConfig', () => {
  it.each([
    { title: 'host-gw', more: [netConf({ Type: 'host-gw' })], config: { backend: 'host-gw' } },
    {
      title: 'vxlan',
      more: [netConf({ Type: 'vxlan', VNI: 4096, DirectRouting: true })],
      config: { backend: 'vxlan', vni: 4096, directRouting: true },
    },
    {
      title: 'the old namespace',
      more: [netConf({ Type: 'vxlan' }, 'kube-system')],
      config: { backend: 'vxlan', vni: 1, directRouting: false },
    },
    { title: 'alloc', more: [netConf({ Type: 'alloc' })], config: { backend: 'alloc' } },
    { title: 'ali-vpc', more: [netConf({ Type: 'ali-vpc' })], config: { backend: 'alloc' } },
    { title: 'another back end', more: [netConf({ Type: 'udp' })], config: { backend: 'other' } },
    {
      title: 'the annotation of a node',
      more: [nodeObject('node3', '10.10.0.13', '10.244.3.0/24', { 'flannel.alpha.coreos.com/backend-type': 'vxlan' })],
      config: { backend: 'vxlan' },
    },
    {
      title: 'no JSON',
      more: [configMap('kube-flannel', 'kube-flannel-cfg', { 'net-conf.json': '{' })],
      config: { backend: 'host-gw' },
    },
  ])('$title', ({ more, config }) => {
    expect(flannelConfig(cluster(...more))).toMatchObject(config);
  });
});

describe('detect', () => {
  it.each([
    { title: 'annotations', objects: OBJECTS, detected: true },
    { title: 'its ConfigMap', objects: [netConf({})], detected: true },
    {
      title: 'its DaemonSet',
      objects: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'kube-flannel-ds', namespace: 'x' } }],
      detected: true,
    },
    { title: 'nothing of it', objects: [nodeObject('n', '10.0.0.1', '10.244.0.0/24')], detected: false },
  ])('by $title: $detected', ({ objects, detected }) => {
    const found = flannel.detect(new ClusterIndex(sketchSnapshot(objects)));

    expect(found.detected).toBe(detected);
    expect(found.reasons.length > 0).toBe(detected);
  });
});

const LINKS: NamespaceSketch['links'] = [
  { name: 'eth0', addresses: ['10.10.0.11/24'] },
  { name: 'cni0', addresses: ['10.244.1.1/24'], kind: 'bridge' },
  { name: 'flannel.1', addresses: ['10.244.1.0/32'], kind: 'vxlan' },
];
const DEFAULT = { dst: 'default', gateway: '10.10.0.1', dev: 'eth0' };
const node1 = (...routes: readonly Record<string, unknown>[]) =>
  sketchNamespace({ name: 'node1', links: LINKS, routes: [DEFAULT, ...routes] });
const toNode2 = (gateway: string, dev = 'eth0') => ({ dst: '10.244.2.0/24', gateway, dev });

describe('routeFinding', () => {
  const hostGw = flannel.forCluster(cluster(netConf({ Type: 'host-gw' })));
  const vxlan = flannel.forCluster(cluster(netConf({ Type: 'vxlan' })));
  const alloc = flannel.forCluster(cluster(netConf({ Type: 'alloc' })));
  const remote = ip('10.244.2.2');

  it.each([
    { title: 'host-gw: via the other node', network: hostGw, ns: node1(toNode2('10.10.0.12')), code: undefined },
    { title: 'host-gw: no route', network: hostGw, ns: node1(), code: 'POD_CIDR_ROUTE_MISSING' },
    {
      title: 'host-gw: via another host',
      network: hostGw,
      ns: node1(toNode2('10.10.0.99')),
      code: 'ROUTE_WRONG_GATEWAY',
    },
    {
      title: 'host-gw: a wide route to elsewhere',
      network: hostGw,
      ns: node1({ dst: '10.244.0.0/16', dev: 'cni0' }),
      code: 'ROUTE_WRONG_DEVICE',
    },
    {
      title: 'host-gw: only a default route, that happens to lead there',
      network: hostGw,
      ns: sketchNamespace({ name: 'node1', links: LINKS, routes: [{ ...DEFAULT, gateway: '10.10.0.12' }] }),
      code: 'POD_CIDR_ROUTE_MISSING',
    },
    {
      title: 'host-gw: blackhole',
      network: hostGw,
      ns: node1({ type: 'blackhole', dst: '10.244.2.0/24' }),
      code: 'ROUTE_BLACKHOLE',
    },
    {
      title: 'vxlan: into the tunnel',
      network: vxlan,
      ns: node1({ ...toNode2('10.244.2.0', 'flannel.1'), flags: ['onlink'] }),
      code: undefined,
    },
    { title: 'vxlan: direct routing', network: vxlan, ns: node1(toNode2('10.10.0.12')), code: undefined },
    { title: 'vxlan: no route', network: vxlan, ns: node1(), code: 'POD_CIDR_ROUTE_MISSING' },
    { title: 'alloc: the network outside knows', network: alloc, ns: node1(), code: undefined },
  ])('$title: $code', ({ network, ns, code }) => {
    expect(network.routeFinding(ns, remote)?.code).toBe(code);
  });

  it('shows the route that is missing and the one that is used', () => {
    const finding = hostGw.routeFinding(node1(), remote);

    expect(finding?.subject).toEqual({ kind: 'node', name: 'node1' });
    expect(finding?.evidence.map(({ locator, text }) => [locator, text])).toEqual([
      ['main/10.244.2.0/24', 'missing: 10.244.2.0/24 via 10.10.0.12 dev eth0'],
      ['main/0.0.0.0/0', 'default via 10.10.0.1 dev eth0'],
    ]);
  });

  it('misses the bridge’s route to the own pods, and nothing for addresses that are no pod’s', () => {
    const bare = sketchNamespace({
      name: 'node1',
      links: LINKS.filter(({ name }) => name === 'eth0'),
      routes: [DEFAULT],
    });

    expect(hostGw.routeFinding(bare, ip('10.244.2.9'))).toMatchObject({ code: 'POD_CIDR_ROUTE_MISSING' });
    expect(hostGw.routeFinding(bare, ip('10.244.1.9'))?.code).toBe('POD_ROUTE_MISSING');
    expect(hostGw.routeFinding(node1(), ip('10.244.1.2'))).toBeUndefined();
    // The bridge's own address is not a pod that was taken away.
    expect(hostGw.routeFinding(node1(), ip('10.244.1.1'))).toBeUndefined();
    expect(hostGw.routeFinding(bare, ip('8.8.8.8'))).toBeUndefined();
  });

  it('says nothing when routes were not collected', () => {
    const blind = sketchNamespace({ name: 'node1', without: ['ip-route.json'] });

    expect(hostGw.routeFinding(blind, remote)).toBeUndefined();
  });
});

describe('intendedNextHop', () => {
  const network = flannel.forCluster(cluster());

  it.each([
    { from: 'node1', to: '10.244.2.2', hop: { kind: 'node', name: 'node2' } },
    { from: 'node2', to: '10.244.2.2', hop: { kind: 'pod', namespace: 'default', name: 'web-1' } },
    { from: 'node1', to: '10.244.2.77', hop: { kind: 'node', name: 'node2' } },
    { from: 'node2', to: '10.244.2.77', hop: undefined },
    // Where the object says another node than the prefix, the object knows.
    { from: 'node2', to: '10.244.2.9', hop: { kind: 'node', name: 'node1' } },
    { from: 'node1', to: '8.8.8.8', hop: undefined },
  ])('from $from to $to', ({ from, to, hop }) => {
    expect(network.intendedNextHop(from, ip(to))).toEqual(hop);
  });
});
