import { build, cniCluster, type BreakableCluster, type CniKind } from '../../../../test/fixtures/cni-cluster.js';
import { configMap, nodeObject } from '../../../../test/fixtures/snapshot-sketch.js';
import { describeCniPluginContract, inspectAll } from '../../../../test/support/describe-cni-plugin.js';
import { flannel } from './flannel.js';

describeCniPluginContract(flannel, ['flannel-host-gw', 'flannel-vxlan']);

interface Case {
  readonly title: string;
  readonly kind?: CniKind;
  readonly broken: (cluster: BreakableCluster) => void;
  /** Code and place, in this order, and nothing else. */
  readonly found: readonly string[];
}

const VTEP = 'flannel.1';
const info = (cluster: BreakableCluster): Record<string, unknown> => {
  const found = cluster.node1.link(VTEP).linkinfo;
  return (found as { info_data: Record<string, unknown> }).info_data;
};

const CASES: readonly Case[] = [
  // Devices
  { title: 'the uplink is down', broken: ({ node1 }) => node1.down('eth0'), found: ['IFACE_DOWN node1/eth0'] },
  {
    title: 'the uplink has no carrier',
    broken: ({ node1 }) => (node1.link('eth0').flags = ['NO-CARRIER', 'BROADCAST', 'UP']),
    found: ['CARRIER_DOWN node1/eth0'],
  },
  {
    title: 'lo is down',
    broken: ({ node1 }) => (node1.link('lo').flags = ['LOOPBACK']),
    found: ['IFACE_DOWN node1/lo'],
  },
  { title: 'the bridge is down', broken: ({ node1 }) => node1.down('cni0'), found: ['IFACE_DOWN node1/cni0'] },
  {
    title: 'the bridge is not there',
    broken: ({ node1 }) => {
      node1.down('cni0');
      node1.link('cni0').ifname = 'br-old';
    },
    found: ['IFACE_MISSING node1/cni0'],
  },
  {
    title: 'no ARP on the uplink',
    broken: ({ node1 }) => (node1.link('eth0').flags = ['NOARP', 'UP', 'LOWER_UP']),
    found: ['ARP_OFF node1/eth0'],
  },
  // Addresses
  {
    title: 'the node has lost its address',
    broken: ({ node1 }) => node1.flush('eth0'),
    found: ['ADDRESS_MISSING node1/eth0'],
  },
  {
    title: 'the bridge has lost its address',
    broken: ({ node1 }) => node1.flush('cni0'),
    found: ['ADDRESS_MISSING node1/cni0'],
  },
  {
    title: 'the bridge has the network of another node',
    broken: ({ node1 }) => node1.addresses.set('cni0', ['10.244.9.1/24']),
    found: ['ADDRESS_MISSING node1/cni0'],
  },
  {
    title: 'the bridge has too wide a prefix',
    broken: ({ node1 }) => node1.addresses.set('cni0', ['10.244.1.1/16']),
    found: ['PREFIX_TOO_WIDE node1/cni0'],
  },
  {
    title: 'the node has a prefix that swallows the pods, and no other node has',
    broken: ({ node1 }) => node1.addresses.set('eth0', ['10.10.0.11/8']),
    found: ['PREFIX_TOO_WIDE node1/eth0'],
  },
  {
    title: 'all nodes have a prefix that swallows the pods: it is meant so',
    broken: ({ node1, node2 }) => {
      node1.addresses.set('eth0', ['10.10.0.11/8']);
      node2.addresses.set('eth0', ['10.10.0.12/8']);
    },
    found: [],
  },
  {
    title: 'the node has its address alone',
    broken: ({ node1 }) => {
      node1.addresses.set('eth0', ['10.10.0.11/32']);
      node1.dropRoute('10.10.0.0/24');
    },
    found: ['ADDRESS_MISSING node1/eth0'],
  },
  { title: 'the pod has no address', broken: ({ pod1 }) => pod1.flush('eth0'), found: ['ADDRESS_MISSING pod1/eth0'] },
  {
    title: 'the pod has another address',
    broken: ({ pod1 }) => pod1.addresses.set('eth0', ['10.244.1.77/24']),
    found: ['POD_IP_MISMATCH pod1'],
  },
  {
    title: 'the pod has too wide a prefix',
    broken: ({ pod1 }) => pod1.addresses.set('eth0', ['10.244.1.2/16']),
    found: ['PREFIX_TOO_WIDE pod1/eth0'],
  },
  {
    title: 'the node has the address of another node as well',
    broken: ({ node1 }) => node1.addresses.set('lo', ['127.0.0.1/8', '10.10.0.12/32']),
    found: ['ADDRESS_DUPLICATE node1/lo'],
  },
  {
    title: 'the pod has the address of another pod as well',
    broken: ({ pod1 }) => pod1.addresses.set('lo', ['127.0.0.1/8', '10.244.2.2/32']),
    found: ['ADDRESS_DUPLICATE pod1/lo'],
  },
  // MTU
  {
    title: 'the pod’s end is smaller',
    broken: ({ pod1 }) => (pod1.link('eth0').mtu = 576),
    found: ['MTU_MISMATCH pod1/eth0'],
  },
  {
    title: 'the node’s end is smaller',
    broken: ({ node1 }) => (node1.link('veth1').mtu = 600),
    found: ['MTU_MISMATCH node1/veth1'],
  },
  {
    title: 'the uplink is smaller than the pods',
    broken: ({ node1 }) => (node1.link('eth0').mtu = 1200),
    found: ['MTU_MISMATCH node1/eth0', 'MTU_MISMATCH pod1/eth0'],
  },
  {
    title: 'the tunnel is larger than the uplink allows',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.link('eth0').mtu = 1200),
    found: [`MTU_OVERLAY_TOO_BIG node1/${VTEP}`],
  },
  {
    title: 'pod and veth are larger than the tunnel',
    kind: 'flannel-vxlan',
    broken: ({ node1, pod1 }) => {
      node1.link('veth1').mtu = 1500;
      pod1.link('eth0').mtu = 1500;
    },
    found: ['MTU_OVERLAY_TOO_BIG pod1/eth0'],
  },
  {
    title: 'a route has a small MTU',
    broken: ({ node1 }) => (node1.route('10.244.2.0/24').metrics = [{ mtu: 700 }]),
    found: ['MTU_MISMATCH node1/eth0'],
  },
  // Routes
  {
    title: 'no route to the other node',
    broken: ({ node1 }) => node1.dropRoute('10.244.2.0/24'),
    found: ['POD_CIDR_ROUTE_MISSING node1'],
  },
  {
    title: 'a route by another node',
    broken: ({ node1 }) => (node1.route('10.244.2.0/24').gateway = '10.10.0.13'),
    found: ['ROUTE_WRONG_GATEWAY node1'],
  },
  {
    title: 'one of two next hops is wrong',
    broken: ({ node1 }) => {
      node1.dropRoute('10.244.2.0/24');
      const hop = (gateway: string) => ({ gateway, dev: 'eth0', weight: 1, flags: [] });
      node1.routes.push({ dst: '10.244.2.0/24', nexthops: [hop('10.10.0.12'), hop('10.10.0.99')] });
    },
    found: ['ROUTE_WRONG_GATEWAY node1'],
  },
  {
    title: 'a host route in front of the right one',
    broken: ({ node1 }) => node1.routes.push({ dst: '10.244.2.2', gateway: '10.10.0.13', dev: 'eth0' }),
    found: ['ROUTE_SHADOWED node1'],
  },
  {
    title: 'a policy rule that leads past main',
    broken: ({ node1 }) => node1.rules.push({ priority: 100, src: 'all', dst: '10.244.2.0', dstlen: 24, goto: 32767 }),
    found: ['RULE_DIVERTS node1'],
  },
  {
    title: 'no policy rule for main',
    broken: ({ node1 }) => (node1.rules = node1.rules.filter(({ priority }) => priority !== 32766)),
    found: ['RULE_MISSING node1', 'RULE_MISSING node1'],
  },
  {
    title: 'no route to the own pods',
    broken: ({ node1 }) => node1.dropRoute('10.244.1.0/24'),
    found: ['POD_ROUTE_MISSING node1'],
  },
  {
    title: 'the node has taken the pod’s address',
    broken: ({ node1 }) =>
      node1.routes.push({ type: 'local', dst: '10.244.1.2', dev: 'lo', table: 'local', scope: 'host' }),
    found: ['LOCAL_ADDRESS_HIJACK node1'],
  },
  { title: 'the pod has no default route', broken: ({ pod1 }) => pod1.dropRoute('default'), found: ['NO_ROUTE pod1'] },
  {
    title: 'the pod’s gateway is nobody',
    broken: ({ pod1 }) => (pod1.route('default').gateway = '10.244.1.99'),
    found: ['ROUTE_WRONG_GATEWAY pod1'],
  },
  // The pod's link
  { title: 'the pod’s end is down', broken: ({ pod1 }) => pod1.down('eth0'), found: ['IFACE_DOWN pod1/eth0'] },
  {
    title: 'the node’s end is down, and so the pod has no carrier',
    broken: ({ node1, pod1 }) => {
      node1.down('veth1');
      pod1.link('eth0').flags = ['NO-CARRIER', 'BROADCAST', 'UP'];
    },
    found: ['IFACE_DOWN node1/veth1'],
  },
  {
    title: 'the node’s end is not there',
    broken: ({ node1 }) => (node1.links = node1.links.filter(({ ifname }) => ifname !== 'veth1')),
    found: ['VETH_PEER_MISSING pod1/eth0'],
  },
  {
    title: 'the node’s end belongs to another pod',
    broken: ({ node1 }) => (node1.link('veth1').link_index = 7),
    found: ['VETH_PEER_MISMATCH pod1/eth0'],
  },
  {
    title: 'the node’s end is on no bridge',
    broken: ({ node1 }) => delete node1.link('veth1').master,
    found: ['NO_MASTER node1/veth1'],
  },
  {
    title: 'the node’s end is on another bridge',
    broken: ({ node1 }) => (node1.link('veth1').master = 'br9'),
    found: ['WRONG_MASTER node1/veth1'],
  },
  {
    title: 'the port does not forward',
    broken: ({ node1 }) => (node1.ports = [{ ifname: 'veth1', state: 'learning', hairpin: true }]),
    found: ['BRIDGE_PORT_BLOCKED node1/veth1'],
  },
  {
    title: 'the port is isolated',
    broken: ({ node1 }) => (node1.ports = [{ ifname: 'veth1', state: 'forwarding', hairpin: true, isolated: true }]),
    found: ['BRIDGE_PORT_BLOCKED node1/veth1'],
  },
  {
    title: 'the port does not reflect',
    broken: ({ node1 }) => (node1.ports = [{ ifname: 'veth1', state: 'forwarding', hairpin: false }]),
    found: ['HAIRPIN_OFF node1/veth1'],
  },
  {
    title: 'the bridge has the pod’s MAC address',
    broken: ({ node1 }) => (node1.link('cni0').address = '0a:00:00:00:00:02'),
    found: ['ADDRESS_DUPLICATE node1/cni0'],
  },
  {
    title: 'the pod’s MAC address is pinned to another port',
    broken: ({ node1 }) =>
      node1.fdb.push({ mac: '0a:00:00:00:00:02', ifname: 'veth9', master: 'cni0', flags: ['sticky'], state: 'static' }),
    found: ['FDB_WRONG_PORT node1/cni0'],
  },
  {
    title: 'the node has a permanent wrong MAC for the pod',
    broken: ({ node1 }) =>
      node1.neighbours.push({ dst: '10.244.1.2', dev: 'cni0', lladdr: '02:00:00:00:00:99', state: ['PERMANENT'] }),
    found: ['NEIGH_WRONG_MAC node1/cni0'],
  },
  {
    title: 'the pod has a permanent wrong MAC for its gateway',
    broken: ({ pod1 }) =>
      pod1.neighbours.push({ dst: '10.244.1.1', dev: 'eth0', lladdr: '02:00:00:00:00:99', state: ['PERMANENT'] }),
    found: ['NEIGH_WRONG_MAC pod1/eth0'],
  },
  {
    title: 'entries that were learned do not bind',
    broken: ({ node1 }) =>
      node1.neighbours.push({ dst: '10.244.1.2', dev: 'cni0', lladdr: '02:00:00:00:00:99', state: ['STALE'] }),
    found: [],
  },
  // The tunnel
  {
    title: 'no tunnel device',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => {
      node1.flush(VTEP);
      node1.links = node1.links.filter(({ ifname }) => ifname !== VTEP);
    },
    found: [`TUNNEL_DEVICE_MISSING node1/${VTEP}`],
  },
  {
    title: 'a device of another kind',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.link(VTEP).linkinfo = { info_kind: 'dummy' }),
    found: [`TUNNEL_DEVICE_MISSING node1/${VTEP}`],
  },
  {
    title: 'the tunnel is down',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => node1.down(VTEP),
    found: [`IFACE_DOWN node1/${VTEP}`],
  },
  {
    title: 'the tunnel has no address',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => node1.flush(VTEP),
    found: [`ADDRESS_MISSING node1/${VTEP}`],
  },
  {
    title: 'another VNI',
    kind: 'flannel-vxlan',
    broken: (cluster) => (info(cluster).id = 77),
    found: [`VNI_MISMATCH node1/${VTEP}`],
  },
  {
    title: 'another port',
    kind: 'flannel-vxlan',
    broken: (cluster) => (info(cluster).port = 9999),
    found: [`TUNNEL_PORT_MISMATCH node1/${VTEP}`],
  },
  {
    title: 'another local address',
    kind: 'flannel-vxlan',
    broken: (cluster) => (info(cluster).local = '10.10.0.88'),
    found: [`TUNNEL_LOCAL_WRONG node1/${VTEP}`],
  },
  {
    title: 'no local address: the route gives one',
    kind: 'flannel-vxlan',
    broken: (cluster) => delete info(cluster).local,
    found: [],
  },
  {
    title: 'no neighbour',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.neighbours = []),
    found: [`NEIGH_MISSING node1/${VTEP}`],
  },
  {
    title: 'a neighbour with another MAC',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.neighbours[0]!.lladdr = '66:00:00:00:00:99'),
    found: [`NEIGH_WRONG_MAC node1/${VTEP}`],
  },
  {
    title: 'no forwarding entry',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.fdb = []),
    found: [`FDB_MISSING node1/${VTEP}`],
  },
  {
    title: 'the entry for all other MACs will do',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.fdb[0]!.mac = '00:00:00:00:00:00'),
    found: [],
  },
  {
    title: 'an entry that leads elsewhere',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.fdb[0]!.dst = '10.10.0.13'),
    found: [`FDB_WRONG_VTEP node1/${VTEP}`],
  },
  {
    title: 'an entry with another port',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.fdb[0]!.port = 9999),
    found: [`TUNNEL_PORT_MISMATCH node1/${VTEP}`],
  },
  {
    title: 'an entry with another VNI',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.fdb[0]!.vni = 77),
    found: [`VNI_MISMATCH node1/${VTEP}`],
  },
  {
    title: 'the device has another MAC than it told the others',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.link(VTEP).address = '66:00:00:00:00:99'),
    found: [`MAC_MISMATCH node1/${VTEP}`],
  },
  {
    title: 'the route leads into the tunnel, but to another node',
    kind: 'flannel-vxlan',
    broken: ({ node1 }) => (node1.route('10.244.2.0/24').gateway = '10.244.3.0'),
    found: ['ROUTE_WRONG_GATEWAY node1'],
  },
  // Sysctls
  {
    title: 'the node does not forward',
    broken: ({ node1 }) => {
      for (const key of Object.keys(node1.sysctls)) if (key.includes('forward')) node1.sysctls[key] = 0;
    },
    found: ['IP_FORWARD_OFF node1'],
  },
  {
    title: 'one device does not forward',
    broken: ({ node1 }) => (node1.sysctls['net.ipv4.conf.cni0.forwarding'] = 0),
    found: ['IFACE_FORWARDING_OFF node1/cni0'],
  },
  {
    title: 'bridged packets do not pass iptables',
    broken: ({ node1 }) => (node1.sysctls['net.bridge.bridge-nf-call-iptables'] = 0),
    found: ['BRIDGE_NF_CALL_OFF node1/cni0'],
  },
  // Masquerade
  { title: 'no masquerade', broken: ({ node1 }) => (node1.iptables = ''), found: ['MASQUERADE_MISSING node1'] },
  {
    title: 'pods are masqueraded on the way to pods',
    broken: ({ node1 }) => (node1.iptables = node1.iptables.replace(/-A FLANNEL-POSTRTG -s \S+ -d .*\n/, '')),
    found: ['MASQUERADE_UNEXPECTED node1'],
  },
  {
    title: 'rules of another hand that masquerade are as good',
    broken: ({ node1 }) =>
      (node1.iptables = '*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING ! -d 10.0.0.0/8 -j MASQUERADE\nCOMMIT\n'),
    found: [],
  },
  // The cluster
  {
    title: 'two nodes have one network',
    broken: (cluster) => cluster.objects.push(nodeObject('node3', '10.10.0.13', '10.244.2.0/25')),
    found: ['POD_CIDR_CONFLICT node2'],
  },
];

describe('what flannel promises', () => {
  it.each(CASES)('$title', ({ kind = 'flannel-host-gw', broken, found }) => {
    const cluster = cniCluster(kind);
    broken(cluster);

    const findings = inspectAll(flannel, build(cluster));

    expect(findings.map(({ code, subject }) => `${code} ${subject.name}${place(subject.interface)}`)).toEqual(found);
  });

  it('asks for masquerade only where flanneld is told to, or does so on another node', () => {
    const cluster = cniCluster('flannel-host-gw');
    cluster.node1.iptables = '';
    cluster.objects = cluster.objects.filter(({ kind }) => kind !== 'DaemonSet');
    const ofOne = inspectAll(flannel, build(cluster));
    cluster.node2.iptables = '';

    expect(ofOne.map(({ code, evidence }) => `${code}: ${evidence[1]?.text}`)).toEqual([
      "MASQUERADE_MISSING: node node2 has flanneld's chain of masquerade rules",
    ]);
    expect(inspectAll(flannel, build(cluster))).toEqual([]);
  });

  it('takes names and numbers from the configuration', () => {
    const cluster = cniCluster('flannel-vxlan');
    cluster.objects = cluster.objects.filter(({ metadata }) => metadata.name !== 'kube-flannel-cfg');
    cluster.objects.push(
      configMap('kube-flannel', 'kube-flannel-cfg', {
        'net-conf.json': JSON.stringify({ Network: '10.244.0.0/16', Backend: { Type: 'vxlan', Port: 4789 } }),
      }),
    );

    expect(inspectAll(flannel, build(cluster)).map(({ code }) => code)).toEqual([
      'TUNNEL_PORT_MISMATCH',
      'TUNNEL_PORT_MISMATCH',
    ]);
  });

  it('says whom a finding concerns', () => {
    const cluster = cniCluster('flannel-vxlan');
    cluster.node1.fdb = [];

    const [finding] = inspectAll(flannel, build(cluster));

    expect(finding).toMatchObject({ concerns: { length: 24 }, details: { mac: '66:00:00:00:00:02', owner: 'node2' } });
    expect(finding?.remedy).toBe('bridge fdb replace 66:00:00:00:00:02 dev flannel.1 dst 10.10.0.12 self permanent');
  });

  it('does not expect routes to nodes that flannel has not reached', () => {
    const cluster = cniCluster('flannel-host-gw');
    cluster.objects.push(nodeObject('virtual', '10.10.0.99', '10.244.9.0/24'));

    expect(inspectAll(flannel, build(cluster))).toEqual([]);
  });
});

function place(name: string | undefined): string {
  return name === undefined ? '' : `/${name}`;
}
