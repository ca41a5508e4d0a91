import { addCalicoRules, calicoSets, printSets, type CalicoNode } from '../cluster/calico-iptables.js';
import { calicoNftables } from '../cluster/calico-nftables.js';
import { configMap, metadata } from '../cluster/object-metadata.js';
import { macOf, vethOf } from '../cluster/names.js';
import { mtuText, podsOf, type ClusterSpec, type NodeSpec } from '../cluster/spec.js';
import { netnsName } from '../netns/lab-namespaces.js';
import { vtepAddress, vtepMac } from './vtep.js';
import type { CniWiring } from './wiring.js';

const VTEP = 'vxlan.calico';
const VNI = 4096;
/** Every workload interface has it. */
const CALI_MAC = 'ee:ee:ee:ee:ee:ee';
/** Nobody has it: the node answers for it by proxy ARP. */
const GATEWAY = '169.254.1.1';

export const CALICO_BGP = calico(false);
export const CALICO_VXLAN = calico(true);

function calico(vxlan: boolean): CniWiring {
  const mtuOf = (cluster: ClusterSpec) => mtuText(cluster, vxlan);
  return {
    name: vxlan ? 'calico-vxlan' : 'calico-bgp',
    node: (node, cluster) => {
      const protocol = vxlan ? '80' : 'bird';
      const others = cluster.nodes.filter((other) => other !== node);
      const pods = podsOf(node, cluster);
      const mtu = mtuOf(cluster);
      return {
        ip: [
          ...(vxlan
            ? vtep(node, cluster)
            : others.map((to) => `route add ${to.podCidr} via ${to.address} dev eth0 proto bird`)),
          `route add blackhole ${node.podCidr} proto ${protocol}`,
        ],
        ipLater: pods.flatMap((pod) => [
          `link set ${vethOf(pod, 'cali')} address ${CALI_MAC}${mtu} up`,
          `route add ${pod.address}/32 dev ${vethOf(pod, 'cali')} scope link`,
        ]),
        bridge: vxlan
          ? others.map((other) => `fdb add ${vtepMac(other)} dev ${VTEP} dst ${other.address} self permanent`)
          : [],
        sysctlsLater: Object.fromEntries(pods.flatMap((pod) => workloadSysctls(vethOf(pod, 'cali')))),
        ...(cluster.calicoInNftables === true
          ? {}
          : { ipset: printSets(calicoSets(calicoNode(node, cluster, vxlan))) }),
      };
    },
    pod: (pod, cluster) => [
      `link add eth0 address ${macOf('7a:14', pod.address)}${mtuOf(cluster)} type veth peer name ${vethOf(pod, 'cali')}${mtuOf(cluster)} netns ${netnsName(pod.node)}`,
      `address add ${pod.address}/32 dev eth0`,
      'link set eth0 up',
      `route add ${GATEWAY}/32 dev eth0 scope link`,
      `route add default via ${GATEWAY} dev eth0`,
    ],
    addRules: (rules, node, cluster, addProxyRules) =>
      addCalicoRules(rules, calicoNode(node, cluster, vxlan), addProxyRules),
    nftables: (rules, node, cluster) => [calicoNftables(rules, calicoSets(calicoNode(node, cluster, vxlan)))],
    nodeAnnotations: (node) => ({
      'projectcalico.org/IPv4Address': `${node.address}/24`,
      ...(vxlan ? { 'projectcalico.org/IPv4VXLANTunnelAddr': vtepAddress(node) } : {}),
    }),
    daemon: {
      namespace: 'kube-system',
      name: 'calico-node',
      label: { 'k8s-app': 'calico-node' },
      env: ({ podNetwork }) => ({
        CALICO_IPV4POOL_CIDR: podNetwork,
        CALICO_IPV4POOL_IPIP: 'Never',
        CALICO_IPV4POOL_VXLAN: vxlan ? 'Always' : 'Never',
        FELIX_DEFAULTENDPOINTTOHOSTACTION: 'ACCEPT',
      }),
    },
    objects: (cluster) => objects(cluster, vxlan),
  };
}

function calicoNode(node: NodeSpec, cluster: ClusterSpec, vxlan: boolean): CalicoNode {
  const pods = podsOf(node, cluster).map((pod) => ({ pod, iface: vethOf(pod, 'cali') }));
  return { cluster, node, pods, vxlan };
}

function vtep(node: NodeSpec, cluster: ClusterSpec): readonly string[] {
  const others = cluster.nodes.filter((other) => other !== node);
  return [
    `link add ${VTEP} address ${vtepMac(node)}${mtuText(cluster, true)} type vxlan id ${VNI} local ${node.address} dev eth0 dstport 4789 nolearning`,
    `address add ${vtepAddress(node)}/32 dev ${VTEP}`,
    `link set ${VTEP} up`,
    ...others.flatMap((other) => [
      `neigh add ${vtepAddress(other)} lladdr ${vtepMac(other)} dev ${VTEP} nud permanent`,
      `route add ${other.podCidr} via ${vtepAddress(other)} dev ${VTEP} onlink proto 80`,
    ]),
  ];
}

/** What the CNI plugin sets on the node's end of a workload. */
function workloadSysctls(iface: string): readonly (readonly [string, number])[] {
  return [
    [`net.ipv4.conf.${iface}.proxy_arp`, 1],
    [`net.ipv4.conf.${iface}.rp_filter`, 1],
    [`net.ipv4.conf.${iface}.route_localnet`, 1],
    [`net.ipv4.neigh.${iface}.proxy_delay`, 0],
  ];
}

function objects({ podNetwork, nodes, calicoInNftables }: ClusterSpec, vxlan: boolean) {
  const apiVersion = 'crd.projectcalico.org/v1';
  const resource = (kind: string, name: string, spec: object) => ({
    apiVersion,
    kind,
    metadata: metadata(kind, undefined, name),
    spec,
  });
  return [
    configMap('kube-system', 'calico-config', {
      calico_backend: vxlan ? 'vxlan' : 'bird',
      typha_service_name: 'none',
      veth_mtu: '0',
    }),
    resource('IPPool', 'default-ipv4-ippool', {
      allowedUses: ['Workload', 'Tunnel'],
      blockSize: 26,
      cidr: podNetwork,
      ipipMode: 'Never',
      natOutgoing: true,
      nodeSelector: 'all()',
      vxlanMode: vxlan ? 'Always' : 'Never',
    }),
    ...nodes.map(({ name, podCidr }) =>
      resource('BlockAffinity', `${name}-${podCidr.replace(/[./]/g, '-')}`, {
        cidr: podCidr,
        deleted: 'false',
        node: name,
        state: 'confirmed',
        type: 'host',
      }),
    ),
    resource('FelixConfiguration', 'default', {
      bpfEnabled: false,
      ipipEnabled: false,
      vxlanEnabled: vxlan,
      ...(calicoInNftables === true ? { nftablesMode: 'Enabled' } : {}),
      logSeverityScreen: 'Info',
    }),
  ];
}
