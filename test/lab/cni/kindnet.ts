import { addKindnetRules } from '../cluster/kindnet-iptables.js';
import { macOf, vethOf } from '../cluster/names.js';
import { gatewayOf, mtuText, nodeOf, podsOf } from '../cluster/spec.js';
import { netnsName } from '../netns/lab-namespaces.js';
import type { CniWiring } from './wiring.js';

/** kindnetd with the CNI plugin `ptp`: no bridge, a host route for each pod, routes to the other nodes. */
export const KINDNET: CniWiring = {
  name: 'kindnet',
  node: (node, cluster) => ({
    ip: cluster.nodes
      .filter((other) => other !== node)
      .map((other) => `route add ${other.podCidr} via ${other.address} dev eth0`),
    ipLater: podsOf(node, cluster).flatMap((pod) => [
      `link set ${vethOf(pod)} up`,
      `address add ${gatewayOf(node.podCidr)}/32 dev ${vethOf(pod)}`,
      `route add ${pod.address}/32 dev ${vethOf(pod)} scope host`,
    ]),
  }),
  pod: (pod, cluster) => {
    const { podCidr } = nodeOf(pod.node, cluster);
    const gateway = gatewayOf(podCidr);
    const mac = macOf('0a:58', pod.address);
    const mtu = mtuText(cluster);
    return [
      `link add eth0 address ${mac}${mtu} type veth peer name ${vethOf(pod)}${mtu} netns ${netnsName(pod.node)}`,
      `address add ${pod.address}/24 brd + dev eth0`,
      'link set eth0 up',
      `route del ${podCidr} dev eth0`,
      `route add ${gateway}/32 dev eth0 scope link src ${pod.address}`,
      `route add ${podCidr} via ${gateway} dev eth0 src ${pod.address}`,
      `route add default via ${gateway} dev eth0`,
    ];
  },
  addRules: (rules, _node, cluster, addProxyRules) => {
    addProxyRules();
    addKindnetRules(rules, cluster.podNetwork);
  },
  nodeAnnotations: () => ({}),
  daemon: {
    namespace: 'kube-system',
    name: 'kindnet',
    label: { app: 'kindnet', 'k8s-app': 'kindnet', tier: 'node' },
    env: ({ podNetwork }) => ({ POD_SUBNET: podNetwork }),
  },
  objects: () => [],
};
