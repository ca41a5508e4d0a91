import { addFlannelRules } from '../cluster/flannel-iptables.js';
import { configMap } from '../cluster/object-metadata.js';
import { macOf, vethOf } from '../cluster/names.js';
import { gatewayOf, mtuText, nodeOf, podsOf, type ClusterSpec, type NodeSpec } from '../cluster/spec.js';
import { netnsName } from '../netns/lab-namespaces.js';
import { vtepAddress, vtepMac } from './vtep.js';
import type { CniWiring, NodeWiring } from './wiring.js';

const VTEP = 'flannel.1';
const VNI = 1;
const VXLAN_PORT = 8472;

export const FLANNEL_HOST_GW = flannel('host-gw');
export const FLANNEL_VXLAN = flannel('vxlan');

type Backend = 'host-gw' | 'vxlan';

function flannel(backend: Backend): CniWiring {
  const mtuOf = (cluster: ClusterSpec) => mtuText(cluster, backend === 'vxlan');
  return {
    name: `flannel-${backend}`,
    node: (node, cluster) => {
      const gateway = gatewayOf(node.podCidr);
      const mtu = mtuOf(cluster);
      const { before, after, bridge } = backend === 'vxlan' ? overlay(node, cluster) : routes(node, cluster);
      return {
        ip: [
          `link add cni0 address ${macOf('0e:fe', gateway)}${mtu} type bridge`,
          `address add ${gateway}/24 brd + dev cni0`,
          'link set cni0 up',
          ...before,
        ],
        ipLater: [
          ...podsOf(node, cluster).flatMap((pod) => {
            const veth = vethOf(pod);
            return [
              `link set ${veth} master cni0${mtu}`,
              `link set ${veth} type bridge_slave hairpin on`,
              `link set ${veth} up`,
            ];
          }),
          ...after,
        ],
        bridge,
      };
    },
    pod: (pod, cluster) => {
      const gateway = gatewayOf(nodeOf(pod.node, cluster).podCidr);
      const mac = macOf('0a:58', pod.address);
      const mtu = mtuOf(cluster);
      return [
        `link add eth0 address ${mac}${mtu} type veth peer name ${vethOf(pod)}${mtu} netns ${netnsName(pod.node)}`,
        `address add ${pod.address}/24 brd + dev eth0`,
        'link set eth0 up',
        `route add default via ${gateway} dev eth0`,
        `route add ${cluster.podNetwork} via ${gateway} dev eth0`,
      ];
    },
    addRules: (rules, node, cluster, addProxyRules) => {
      addProxyRules();
      addFlannelRules(rules, cluster.podNetwork, node.podCidr);
    },
    nodeAnnotations: (node) => {
      const flannelDomain = 'flannel.alpha.coreos.com';
      const data = backend === 'vxlan' ? JSON.stringify({ VNI, VtepMAC: vtepMac(node) }) : 'null';
      return {
        [`${flannelDomain}/backend-data`]: data,
        [`${flannelDomain}/backend-type`]: backend,
        [`${flannelDomain}/kube-subnet-manager`]: 'true',
        [`${flannelDomain}/public-ip`]: node.address,
      };
    },
    daemon: {
      namespace: 'kube-flannel',
      name: 'kube-flannel-ds',
      label: { app: 'flannel', tier: 'node' },
      // As in kube-flannel.yml of the project.
      command: ['/opt/bin/flanneld', '--ip-masq', '--kube-subnet-mgr'],
    },
    objects: (cluster) => [flannelConfig(cluster, backend)],
  };
}

interface ToOtherNodes {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly bridge: NonNullable<NodeWiring['bridge']>;
}

function routes(node: NodeSpec, { nodes }: ClusterSpec): ToOtherNodes {
  const others = nodes.filter((other) => other !== node);
  return {
    before: others.map((other) => `route add ${other.podCidr} via ${other.address} dev eth0`),
    after: [],
    bridge: [],
  };
}

function overlay(node: NodeSpec, cluster: ClusterSpec): ToOtherNodes {
  const others = cluster.nodes.filter((other) => other !== node);
  return {
    before: [
      `link add ${VTEP} address ${vtepMac(node)}${mtuText(cluster, true)} type vxlan id ${VNI} local ${node.address} dev eth0 dstport ${VXLAN_PORT} nolearning`,
      `address add ${vtepAddress(node)}/32 dev ${VTEP}`,
      `link set ${VTEP} up`,
      ...others.flatMap((other) => [
        `neigh add ${vtepAddress(other)} lladdr ${vtepMac(other)} dev ${VTEP} nud permanent`,
        `route add ${other.podCidr} via ${vtepAddress(other)} dev ${VTEP} onlink`,
      ]),
    ],
    after: [],
    bridge: others.map((other) => `fdb add ${vtepMac(other)} dev ${VTEP} dst ${other.address} self permanent`),
  };
}

function flannelConfig({ podNetwork }: ClusterSpec, backend: Backend) {
  const cni = {
    name: 'cbr0',
    cniVersion: '0.3.1',
    plugins: [
      { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  const network = { Network: podNetwork, EnableNFTables: false, Backend: { Type: backend } };
  return configMap('kube-flannel', 'kube-flannel-cfg', {
    'cni-conf.json': `${JSON.stringify(cni, null, 2)}\n`,
    'net-conf.json': `${JSON.stringify(network, null, 2)}\n`,
  });
}
