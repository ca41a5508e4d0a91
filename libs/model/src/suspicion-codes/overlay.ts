import { codesOf } from './entry.js';

const code = codesOf('OVERLAY');

/** Tunnels between nodes. */
export const OVERLAY_CODES = {
  TUNNEL_DEVICE_MISSING: code('critical', {
    message:
      'The tunnel device {interface} is not there {at} ({text}): tunnel packets are neither sent nor taken out of their wrapping.',
    cause: 'The CNI agent of the node does not run or could not make it, or somebody deleted it.',
    check: [
      'ip -d link show {interface}  # run it {at}',
      'kubectl -n kube-system get pods -o wide  # the CNI agent of the node',
    ],
    remedy: 'Restart the CNI agent {at}: it makes the device anew.',
  }),
  VNI_MISMATCH: code('critical', {
    message:
      'VXLAN network numbers differ at {subject}: {actual} is used, {expected} is wanted ({text}); a packet with another number than its device is dropped at the end of the tunnel.',
    cause:
      'The VNI was changed in the configuration or on one node only, or a forwarding entry of the sender names another one.',
    check: ['ip -d link show type vxlan  # run it at both nodes: vxlan id', 'bridge fdb show dev {interface}  # vni'],
    remedy:
      'Make both ends use the number of the configuration: delete the VXLAN device {at} and restart the CNI agent there; on the sender look for `vni` in `bridge fdb show`.',
  }),
  TUNNEL_PORT_BLOCKED: code('critical', {
    message: 'Tunnel packets to UDP port {port} do not reach {subject}: a firewall on the way drops them.',
    cause:
      'VXLAN uses UDP 4789 or 8472 between nodes, IPIP is IP protocol 4; host firewalls and security groups often forget them.',
    check: ['tcpdump -ni any udp port {port}  # run it at both nodes'],
    remedy: 'Allow UDP port {port} between all nodes.',
  }),
  TUNNEL_PORT_MISMATCH: code('critical', {
    message:
      'VXLAN ports differ at {subject}: UDP port {actual} is used, {expected} is wanted ({text}); a packet to another port than its device has is not taken out of the tunnel.',
    cause:
      'The VXLAN port was changed in the configuration or on one node only (flannel 8472, Calico 4789), or a forwarding entry of the sender names another one.',
    check: ['ip -d link show type vxlan  # run it at both nodes: dstport', 'bridge fdb show dev {interface}  # port'],
    remedy:
      'Make both ends use the port of the configuration: delete the VXLAN device {at} and restart the CNI agent there; on the sender look for `port` in `bridge fdb show`.',
  }),
  TUNNEL_LOCAL_WRONG: code('critical', {
    message: '{subject} sends tunnel packets from {actual}, the other nodes expect {expected} ({text}).',
    cause: 'The node got another address after the device was made, or the CNI agent chose the wrong interface.',
    check: ['ip -d link show {interface}  # run it {at}: local', 'ip addr'],
    remedy: '{at}: delete the device and restart the CNI agent, so that it is made with {expected}.',
  }),
  TUNNEL_REMOTE_WRONG: code('critical', {
    message: '{subject} sends tunnel packets to {actual}, they belong to {expected} ({text}).',
    cause: 'The route into the tunnel or the device names the wrong other end.',
    check: ['ip -d link show {interface}; ip route show dev {interface}  # run it {at}'],
    remedy: 'Restart the CNI agent {at}: it writes the route into the tunnel again.',
  }),
  POD_CIDR_CONFLICT: code('critical', {
    message:
      '{destination} is the pod network of more than one node ({owners}): packets for pods of one go to the other.',
    cause: 'A node was added with the pod network of another one, or networks of nodes were edited by hand.',
    check: ['kubectl get nodes -o custom-columns=NAME:.metadata.name,CIDR:.spec.podCIDR'],
    remedy: 'Delete one of the nodes and let it join again, so that it gets a network of its own.',
  }),
  IPAM_BLOCK_MISMATCH: code('critical', {
    message:
      'The address block {destination} belongs to node {actual}, and {expected} keeps a route or claim for it[: {text}]: packets to pods in it are lost.',
    cause: 'The block moved from one node to the other, and an agent or a record kept the old owner.',
    check: ['calicoctl ipam show --show-blocks', 'ip route | grep {destination}  # run it on node {expected}'],
    remedy: 'Restart calico-node on {expected}; if that does not help: calicoctl ipam check',
  }),
} as const;
