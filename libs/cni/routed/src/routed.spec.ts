import { build, cniCluster, type BreakableCluster } from '../../../../test/fixtures/cni-cluster.js';
import { ip } from '../../../../test/fixtures/packets.js';
import { configMap } from '../../../../test/fixtures/snapshot-sketch.js';
import { describeCniPluginContract, inspectAll } from '../../../../test/support/describe-cni-plugin.js';
import { routed } from './routed.js';

describeCniPluginContract(routed, ['kindnet']);

interface Case {
  readonly title: string;
  readonly broken: (cluster: BreakableCluster) => void;
  /** Code and place, in this order, and nothing else. */
  readonly found: readonly string[];
}

const TO_NODE2 = '10.244.2.0/24';

const CASES: readonly Case[] = [
  {
    title: 'no route to the other node',
    broken: ({ node1 }) => node1.dropRoute(TO_NODE2),
    found: ['POD_CIDR_ROUTE_MISSING node1'],
  },
  {
    title: 'a route by another node',
    broken: ({ node1 }) => (node1.route(TO_NODE2).gateway = '10.10.0.13'),
    found: ['ROUTE_WRONG_GATEWAY node1'],
  },
  { title: 'the uplink is down', broken: ({ node1 }) => node1.down('eth0'), found: ['IFACE_DOWN node1/eth0'] },
  {
    title: 'the node has lost its address',
    broken: ({ node1 }) => node1.flush('eth0'),
    found: ['ADDRESS_MISSING node1/eth0'],
  },
  {
    title: 'no route to the pod',
    broken: ({ node1 }) => node1.dropRoute('10.244.1.2'),
    found: ['POD_ROUTE_MISSING node1'],
  },
  {
    title: 'the route of another pod',
    broken: ({ node1 }) => {
      node1.addLink('veth9', { mtu: 1500 });
      node1.route('10.244.1.2').dev = 'veth9';
    },
    found: ['ROUTE_WRONG_DEVICE node1'],
  },
  {
    title: 'the pod’s gateway is nobody',
    broken: ({ pod1 }) => (pod1.route('default').gateway = '10.244.1.99'),
    found: ['ROUTE_WRONG_GATEWAY pod1'],
  },
  {
    title: 'the node’s end is smaller',
    broken: ({ node1 }) => (node1.link('veth1').mtu = 600),
    found: ['MTU_MISMATCH node1/veth1'],
  },
  { title: 'no masquerade', broken: ({ node1 }) => (node1.iptables = ''), found: ['MASQUERADE_MISSING node1'] },
  {
    title: 'pods are masqueraded on the way to pods',
    broken: ({ node1 }) => (node1.iptables = node1.iptables.replace(/-A KIND-MASQ-AGENT -d .*\n/, '')),
    found: ['MASQUERADE_UNEXPECTED node1'],
  },
];

describe('what a routed network promises', () => {
  it.each(CASES)('$title', ({ broken, found }) => {
    const cluster = cniCluster('kindnet');
    broken(cluster);

    const findings = inspectAll(routed, build(cluster));

    const places = findings.map(({ code, subject: { name, interface: dev } }) => {
      return `${code} ${name}${dev === undefined ? '' : `/${dev}`}`;
    });
    expect(places).toEqual(found);
  });

  it('asks for masquerade of kindnet only', () => {
    const cluster = withoutAgent();
    cluster.node1.iptables = '';

    expect(inspectAll(routed, build(cluster))).toEqual([]);
  });
});

describe('detect', () => {
  it.each([
    { title: 'kindnet', cluster: cniCluster('kindnet'), reason: 'DaemonSet kube-system/kindnet' },
    {
      title: 'nodes that look so',
      cluster: withoutAgent(),
      reason: 'node1 routes 10.244.2.0/24 via 10.10.0.12 (node2)',
    },
    {
      title: 'Cilium with native routing',
      cluster: cilium({ 'routing-mode': 'native' }),
      reason: 'DaemonSet kube-system/cilium',
    },
  ])('$title', ({ cluster, reason }) => {
    const { detected, reasons } = routed.detect(build(cluster).cluster);

    expect(detected).toBe(true);
    expect(reasons[0]).toBe(reason);
  });

  it.each([
    { title: 'Cilium’s tunnels', cluster: cilium({ 'routing-mode': 'tunnel' }) },
    { title: 'Calico', cluster: cniCluster('calico-bgp') },
    { title: 'nodes without routes', cluster: withoutRoutes(withoutAgent()) },
  ])('not $title', ({ cluster }) => {
    expect(routed.detect(build(cluster).cluster)).toEqual({ detected: false, reasons: [] });
  });

  it('leaves pods to the network outside where the cloud has made the routes', () => {
    const cluster = withoutRoutes(withoutAgent());
    cluster.objects = cluster.objects.map((object) => ({
      ...object,
      ...(object.kind === 'Node' ? { status: cloudStatus(object.status) } : {}),
    }));
    const built = build(cluster);

    expect(routed.detect(built.cluster)).toMatchObject({
      detected: true,
      reasons: ['condition NetworkUnavailable of node node1: RouteCreated'],
    });
    const network = routed.forCluster(built.cluster);
    expect(network.podRoutesInUnderlay).toBe(true);
    expect(network.routeFinding(built.node('node1')!, ip('10.244.2.2'))).toBeUndefined();
  });
});

function withoutAgent(): BreakableCluster {
  const cluster = cniCluster('kindnet');
  cluster.objects = cluster.objects.filter(({ kind }) => kind !== 'DaemonSet');
  return cluster;
}

function withoutRoutes(cluster: BreakableCluster): BreakableCluster {
  cluster.node1.dropRoute(TO_NODE2);
  cluster.node2.dropRoute('10.244.1.0/24');
  return cluster;
}

function cilium(config: Record<string, string>): BreakableCluster {
  const cluster = withoutAgent();
  const template = { spec: { containers: [] } };
  cluster.objects.push(
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { namespace: 'kube-system', name: 'cilium' },
      spec: { template },
    },
    configMap('kube-system', 'cilium-config', config),
  );
  return cluster;
}

function cloudStatus(status: unknown): object {
  return {
    ...(status as object),
    conditions: [{ type: 'NetworkUnavailable', status: 'False', reason: 'RouteCreated' }],
  };
}
