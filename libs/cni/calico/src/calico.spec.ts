import type { KubernetesObject } from '#libs/model';
import { build, cniCluster, type BreakableCluster, type CniKind } from '../../../../test/fixtures/cni-cluster.js';
import { ip } from '../../../../test/fixtures/packets.js';
import { nodeObject, podObject } from '../../../../test/fixtures/snapshot-sketch.js';
import { describeCniPluginContract, inspectAll } from '../../../../test/support/describe-cni-plugin.js';
import { flannel } from '#libs/cni/flannel';
import { calico } from './calico.js';

describeCniPluginContract(calico, ['calico-bgp', 'calico-ipip', 'calico-vxlan']);

interface Case {
  readonly title: string;
  readonly kind?: CniKind;
  readonly broken: (cluster: BreakableCluster) => void;
  /** Code and place, in this order, and nothing else. */
  readonly found: readonly string[];
}

const VTEP = 'vxlan.calico';
const TO_NODE2 = '10.244.2.0/24';
const info = (cluster: BreakableCluster): Record<string, unknown> => {
  const found = cluster.node1.link(VTEP).linkinfo;
  return (found as { info_data: Record<string, unknown> }).info_data;
};

const spec = (cluster: BreakableCluster, kind: string, name: string): Record<string, unknown> => {
  const found = cluster.objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`a spec asks for ${kind} ${name}`);
  return found.spec as Record<string, unknown>;
};
const resource = (kind: string, name: string, more: object): KubernetesObject => ({
  apiVersion: 'crd.projectcalico.org/v1',
  kind,
  metadata: { name },
  spec: more,
});

const CASES: readonly Case[] = [
  // Between the nodes
  {
    title: 'no route to a block',
    broken: ({ node1 }) => node1.dropRoute(TO_NODE2),
    found: ['POD_CIDR_ROUTE_MISSING node1'],
  },
  {
    title: 'a block by another node',
    broken: ({ node1 }) => (node1.route(TO_NODE2).gateway = '10.10.0.13'),
    found: ['ROUTE_WRONG_GATEWAY node1'],
  },
  {
    title: 'a block on the own segment',
    broken: ({ node1 }) => {
      delete node1.route(TO_NODE2).gateway;
      node1.route(TO_NODE2).dev = 'cali1';
    },
    found: ['ROUTE_WRONG_DEVICE node1'],
  },
  {
    title: 'BGP routes where IP-in-IP is wanted',
    kind: 'calico-ipip',
    broken: ({ node1 }) => (node1.route(TO_NODE2).dev = 'eth0'),
    found: ['ROUTE_WRONG_DEVICE node1'],
  },
  {
    title: 'a blackhole',
    broken: ({ node1 }) => {
      node1.dropRoute(TO_NODE2);
      node1.routes.push({ type: 'blackhole', dst: TO_NODE2 });
    },
    found: ['ROUTE_BLACKHOLE node1'],
  },
  {
    title: 'the agent’s own blackhole for a block of another node',
    broken: ({ node1 }) => {
      node1.dropRoute(TO_NODE2);
      node1.routes.push({ type: 'blackhole', dst: TO_NODE2, protocol: 'bird' });
    },
    found: ['IPAM_BLOCK_MISMATCH node1'],
  },
  {
    title: 'without the mesh the switches of the racks know the way',
    broken: (cluster) => {
      cluster.objects.push(resource('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }));
      cluster.node1.route(TO_NODE2).gateway = '10.10.0.1';
      cluster.node2.dropRoute('10.244.1.0/24');
    },
    found: [],
  },
  {
    title: 'a node of another segment is behind a router',
    broken: (cluster) => {
      const annotations = { 'projectcalico.org/IPv4Address': '10.20.0.13/24' };
      cluster.objects.push(
        nodeObject('node3', '10.20.0.13', '10.244.3.0/24', annotations),
        resource('BlockAffinity', 'node3-block', { cidr: '10.244.3.0/24', node: 'node3', state: 'confirmed' }),
      );
      for (const node of [cluster.node1, cluster.node2])
        node.routes.push({ dst: '10.244.3.0/24', gateway: '10.10.0.1', dev: 'eth0', protocol: 'bird' });
    },
    found: [],
  },
  {
    title: 'CrossSubnet within one segment is plain routing',
    broken: (cluster) => (spec(cluster, 'IPPool', 'default').vxlanMode = 'CrossSubnet'),
    found: [],
  },
  {
    title: 'two nodes have one block',
    broken: (cluster) =>
      cluster.objects.push(
        nodeObject('node3', '10.10.0.13', '10.244.3.0/24'),
        resource('BlockAffinity', 'third', { cidr: '10.244.2.0/24', node: 'node3', state: 'confirmed' }),
      ),
    found: ['POD_CIDR_CONFLICT node2'],
  },
  {
    title: 'affinity and block name different nodes',
    broken: (cluster) => (spec(cluster, 'IPAMBlock', 'block-of-node2').affinity = 'host:node1'),
    found: ['IPAM_BLOCK_MISMATCH node1', 'IPAM_BLOCK_MISMATCH node2'],
  },
  // The tunnels
  {
    title: 'IP-in-IP is down',
    kind: 'calico-ipip',
    broken: ({ node1 }) => node1.down('tunl0'),
    found: ['IFACE_DOWN node1/tunl0'],
  },
  {
    title: 'IP-in-IP has no address',
    kind: 'calico-ipip',
    broken: ({ node1 }) => node1.flush('tunl0'),
    found: ['ADDRESS_MISSING node1/tunl0'],
  },
  {
    title: 'IP-in-IP is too large for the uplink',
    kind: 'calico-ipip',
    broken: ({ node1, pod1 }) => {
      for (const dump of [node1.link('tunl0'), node1.link('cali1'), pod1.link('eth0')]) dump.mtu = 1490;
    },
    found: ['MTU_OVERLAY_TOO_BIG node1/tunl0'],
  },
  {
    title: 'IP-in-IP is not there',
    kind: 'calico-ipip',
    broken: ({ node1 }) => {
      node1.flush('tunl0');
      node1.links = node1.links.filter(({ ifname }) => ifname !== 'tunl0');
    },
    found: ['TUNNEL_DEVICE_MISSING node1/tunl0'],
  },
  {
    title: 'VXLAN is down',
    kind: 'calico-vxlan',
    broken: ({ node1 }) => node1.down(VTEP),
    found: [`IFACE_DOWN node1/${VTEP}`],
  },
  {
    title: 'another VNI',
    kind: 'calico-vxlan',
    broken: (cluster) => (info(cluster).id = 77),
    found: [`VNI_MISMATCH node1/${VTEP}`],
  },
  {
    title: 'the port that FelixConfiguration wants',
    kind: 'calico-vxlan',
    broken: (cluster) => {
      cluster.objects.push(resource('FelixConfiguration', 'default', { vxlanPort: 8472 }));
      info(cluster).port = 8472;
    },
    found: [`TUNNEL_PORT_MISMATCH node2/${VTEP}`],
  },
  {
    title: 'another local address',
    kind: 'calico-vxlan',
    broken: (cluster) => (info(cluster).local = '10.10.0.1'),
    found: [`TUNNEL_LOCAL_WRONG node1/${VTEP}`],
  },
  {
    title: 'no neighbour',
    kind: 'calico-vxlan',
    broken: ({ node1 }) => (node1.neighbours = []),
    found: [`NEIGH_MISSING node1/${VTEP}`],
  },
  {
    title: 'the other node’s device has another MAC than is known here',
    kind: 'calico-vxlan',
    broken: ({ node1 }) => (node1.neighbours[0]!.lladdr = '66:00:00:00:00:99'),
    found: [`NEIGH_WRONG_MAC node1/${VTEP}`],
  },
  {
    title: 'no forwarding entry',
    kind: 'calico-vxlan',
    broken: ({ node1 }) => (node1.fdb = []),
    found: [`FDB_MISSING node1/${VTEP}`],
  },
  {
    title: 'an entry that leads elsewhere',
    kind: 'calico-vxlan',
    broken: ({ node1 }) => (node1.fdb[0]!.dst = '10.10.0.13'),
    found: [`FDB_WRONG_VTEP node1/${VTEP}`],
  },
  // Rules and sets of Felix
  {
    title: 'no chains of Felix',
    broken: ({ node1 }) => (node1.iptables = ''),
    found: ['CHAIN_MISSING node1', 'MASQUERADE_MISSING node1'],
  },
  {
    title: 'the rule for what leaves is gone',
    broken: ({ node1 }) => (node1.iptables = node1.iptables.replace(/-A cali-nat-outgoing .*\n/, '')),
    found: ['MASQUERADE_MISSING node1'],
  },
  {
    title: 'a pool without natOutgoing needs none',
    broken: (cluster) => {
      spec(cluster, 'IPPool', 'default').natOutgoing = false;
      for (const node of [cluster.node1, cluster.node2]) {
        node.iptables = node.iptables.replace(/-A cali-nat-outgoing .*\n/, '');
        node.ipsets = node.ipsets.replaceAll(/.*cali40masq.*\n/g, '');
      }
    },
    found: [],
  },
  {
    title: 'the set of pools does not have the pool, so pods are masqueraded to each other',
    broken: ({ node1 }) => (node1.ipsets = node1.ipsets.replace('add cali40all-ipam-pools 10.244.0.0/16\n', '')),
    found: ['MASQUERADE_UNEXPECTED node1', 'IPSET_STALE node1'],
  },
  {
    title: 'the other node is not in the set of VXLAN peers',
    kind: 'calico-vxlan',
    broken: ({ node1 }) => (node1.ipsets = node1.ipsets.replace('add cali40all-vxlan-net 10.10.0.12\n', '')),
    found: ['IPSET_STALE node1'],
  },
  {
    title: 'in eBPF mode there are no rules to look at',
    broken: (cluster) => {
      cluster.objects.push(resource('FelixConfiguration', 'default', { bpfEnabled: true }));
      cluster.node1.iptables = '';
    },
    found: [],
  },
  // Pods
  {
    title: 'no proxy ARP',
    broken: ({ node1 }) => (node1.sysctls['net.ipv4.conf.cali1.proxy_arp'] = 0),
    found: ['PROXY_ARP_OFF node1/cali1'],
  },
  {
    title: 'no forwarding from the pod',
    broken: ({ node1 }) => (node1.sysctls['net.ipv4.conf.cali1.forwarding'] = 0),
    found: ['IFACE_FORWARDING_OFF node1/cali1'],
  },
  {
    title: 'any gateway is answered for',
    broken: ({ pod1 }) => (pod1.route('default').gateway = '169.254.1.9'),
    found: [],
  },
  {
    title: 'no route to the pod',
    broken: ({ node1 }) => node1.dropRoute('10.244.1.2'),
    found: ['POD_ROUTE_MISSING node1'],
  },
  {
    title: 'the route of another pod',
    broken: ({ node1 }) => (node1.route('10.244.1.2').dev = 'cali9'),
    found: ['POD_ROUTE_MISSING node1'],
  },
  {
    title: 'too wide a prefix',
    broken: ({ pod1 }) => pod1.addresses.set('eth0', ['10.244.1.2/16']),
    found: ['PREFIX_TOO_WIDE pod1/eth0'],
  },
  {
    title: 'the node’s end is on a bridge',
    broken: ({ node1 }) => {
      node1.addLink('br9', { mtu: 1500, linkinfo: { info_kind: 'bridge' } });
      node1.link('cali1').master = 'br9';
    },
    found: ['WRONG_MASTER node1/cali1'],
  },
  {
    title: 'larger than the tunnel',
    kind: 'calico-vxlan',
    broken: ({ node1, pod1 }) => {
      node1.link('cali1').mtu = 1500;
      pod1.link('eth0').mtu = 1500;
    },
    found: ['MTU_OVERLAY_TOO_BIG pod1/eth0'],
  },
];

describe('what Calico promises', () => {
  it.each(CASES)('$title', ({ kind = 'calico-bgp', broken, found }) => {
    const cluster = cniCluster(kind);
    broken(cluster);

    const findings = inspectAll(calico, build(cluster));

    const places = findings.map(({ code, subject: { name, interface: dev } }) => {
      return `${code} ${name}${dev === undefined ? '' : `/${dev}`}`;
    });
    expect(places).toEqual(found);
  });
});

describe('a VXLAN device with another MAC address', () => {
  it('is to blame itself where all other nodes know it by one address', () => {
    const cluster = cniCluster('calico-vxlan');
    cluster.objects.push(
      nodeObject('node3', '10.10.0.13', '10.244.3.0/24', {
        'projectcalico.org/IPv4Address': '10.10.0.13/24',
        'projectcalico.org/IPv4VXLANTunnelAddr': '10.244.3.0',
      }),
    );
    cluster.node1.link(VTEP).address = '66:00:00:00:00:99';
    const built = build(cluster);
    // node3 knows node1 as node2 does.
    const nodes = (name: string) => built.node(name === 'node3' ? 'node2' : name);
    const network = calico.forCluster(built.cluster);
    const codes = (name: string) =>
      network
        .inspectNode(built.node(name)!, nodes)
        .filter(({ code }) => code.includes('MAC'))
        .map(({ code, subject, details }) => `${code} ${subject.name} ${String(details?.mac)}`);

    expect(codes('node1')).toEqual(['MAC_MISMATCH node1 66:00:00:00:00:01']);
    expect(codes('node2')).toEqual([]);
  });
});

describe('routeFinding', () => {
  it('knows a pod that has an address of the block of another node', () => {
    const cluster = cniCluster('calico-bgp');
    cluster.objects.push(podObject('borrowed', 'node2', ['10.244.1.50']));
    const { cluster: index, node } = build(cluster);
    const network = calico.forCluster(index);
    const from = (name: string) => node(name)!;

    // node1 has its own block's blackhole, and needs a host route to node2.
    expect(network.routeFinding(from('node1'), ip('10.244.1.50'))?.code).toBe('IPAM_BLOCK_MISMATCH');
    expect(network.intendedNextHop('node1', ip('10.244.1.50'))).toEqual({ kind: 'node', name: 'node2' });
  });

  it('has nothing to say of an address that no pod has, of its own block, or of none', () => {
    const { cluster, node } = build(cniCluster('calico-bgp'));
    const network = calico.forCluster(cluster);

    expect(network.routeFinding(node('node1')!, ip('10.244.1.99'))).toBeUndefined();
    expect(network.routeFinding(node('node1')!, ip('8.8.8.8'))).toBeUndefined();
  });

  it('takes workload interfaces of any configured prefix', () => {
    const cluster = cniCluster('calico-bgp');
    cluster.node1.link('cali1').ifname = 'azv1';
    cluster.node1.route('10.244.1.2').dev = 'azv1';
    // Where the pod was not collected, its interface is known by its name only.
    cluster.pod1.without.add('ip-link.json');
    const { cluster: before, node } = build(cluster);
    expect(calico.forCluster(before).routeFinding(node('node1')!, ip('10.244.1.2'))?.code).toBe('ROUTE_WRONG_DEVICE');

    cluster.objects.push(resource('FelixConfiguration', 'default', { interfacePrefix: 'cali,azv' }));
    const { cluster: after, node: again } = build(cluster);
    expect(calico.forCluster(after).routeFinding(again('node1')!, ip('10.244.1.2'))).toBeUndefined();
  });
});

describe('detect', () => {
  it('hides pods from what lies in no pool, where natOutgoing says so', () => {
    const hides = (isOn: boolean, dst: string): boolean | undefined => {
      const cluster = cniCluster('calico-bgp');
      spec(cluster, 'IPPool', 'default').natOutgoing = isOn;
      const built = build(cluster);
      const [pod] = [...built.cluster.pods.values()].flatMap(({ ips }) => ips);
      return pod === undefined ? undefined : calico.forCluster(built.cluster).masquerades?.(pod, ip(dst));
    };

    expect(hides(true, '203.0.113.10')).toBe(true);
    expect(hides(true, '10.244.2.2')).toBe(false);
    expect(hides(false, '203.0.113.10')).toBe(false);
  });

  it('is not Calico where it only enforces policies, nor what is left of it', () => {
    const canal = cniCluster('flannel-vxlan');
    canal.objects.push({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { namespace: 'kube-system', name: 'calico-node' },
      spec: {
        template: {
          spec: { containers: [{ name: 'calico-node', env: [{ name: 'CALICO_NETWORKING_BACKEND', value: 'none' }] }] },
        },
      },
    });
    const left = cniCluster('kindnet');
    left.objects.push(resource('IPPool', 'default', { cidr: '10.244.0.0/16' }));

    expect(calico.detect(build(canal).cluster).detected).toBe(false);
    expect(flannel.detect(build(canal).cluster).detected).toBe(true);
    expect(calico.detect(build(left).cluster)).toEqual({ detected: false, reasons: [] });
  });
});
