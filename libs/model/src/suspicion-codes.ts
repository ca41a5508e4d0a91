/** From harmless to fatal; `fatal` is what stops the packet. */
export type Level = 'info' | 'warning' | 'critical' | 'fatal';

export type Layer =
  | 'ENDPOINT'
  | 'LINK'
  | 'MTU'
  | 'ROUTE'
  | 'NEIGH'
  | 'SYSCTL'
  | 'NETFILTER'
  | 'SERVICE'
  | 'KUBEPROXY'
  | 'CONNTRACK'
  | 'NETPOL'
  | 'OVERLAY'
  | 'CLOUD'
  | 'ANALYSIS';

interface CodeEntry {
  readonly layer: Layer;
  /** The level when the finding does not stop the packet; a blocking one is always `fatal`. */
  readonly level: Level;
  readonly message: string;
  readonly remedy: string;
}

function entry(layer: Layer, level: Level, message: string, remedy: string): CodeEntry {
  return { layer, level, message, remedy };
}

/**
 * Every code there is. Append-only: a code never changes its meaning, texts may be improved.
 * `{holes}` are filled from the facts of the finding.
 */
export const SUSPICION_CODES = {
  // ENDPOINT
  SRC_NOT_FOUND: entry(
    'ENDPOINT',
    'critical',
    '{reference} names no object of this snapshot, so there is no place to send from.',
    'Check the name, or take a newer snapshot.',
  ),
  DST_NOT_FOUND: entry(
    'ENDPOINT',
    'critical',
    '{reference} names no object of this snapshot, so there is no address to send to.',
    'Check the name, or take a newer snapshot.',
  ),
  IP_AMBIGUOUS: entry(
    'ENDPOINT',
    'warning',
    '{ip} belongs to more than one object: {owners}.',
    'Find out which one should own it; the others may hold a stale address.',
  ),
  POD_NOT_RUNNING: entry(
    'ENDPOINT',
    'critical',
    '{subject} is {phase}, not Running.',
    'Look at `kubectl describe` of the pod.',
  ),
  POD_TERMINATING: entry('ENDPOINT', 'warning', '{subject} is being deleted.', 'Wait for its replacement.'),
  POD_NO_IP: entry(
    'ENDPOINT',
    'critical',
    '{subject} has no IP address.',
    'Look at the events of the pod: the CNI plugin has not set it up.',
  ),
  POD_NOT_READY: entry('ENDPOINT', 'warning', '{subject} is not ready.', 'Look at its readiness probe.'),
  NO_LISTENER: entry(
    'ENDPOINT',
    'critical',
    'Nothing listens on {protocol} port {port} in {subject}.',
    'Start the server, or use the port that it listens on ({listeners}).',
  ),
  LISTENER_LOOPBACK_ONLY: entry(
    'ENDPOINT',
    'critical',
    '{subject} listens on {protocol} port {port} only at {listeners}.',
    'Make the server listen on 0.0.0.0 or on the address that is asked for.',
  ),
  LISTENER_WRONG_FAMILY: entry(
    'ENDPOINT',
    'critical',
    '{subject} listens on {protocol} port {port} for the other address family only ({listeners}).',
    'Make the server listen on both families.',
  ),
  LISTENER_BOUND_TO_DEVICE: entry(
    'ENDPOINT',
    'critical',
    'The listener on {protocol} port {port} in {subject} is bound to another interface ({listeners}).',
    'Remove the bind to the device.',
  ),
  LISTENER_BACKLOG_FULL: entry(
    'ENDPOINT',
    'critical',
    'The accept queue of the listener on port {port} in {subject} is full ({queue}).',
    'The server does not accept fast enough: look at its load, raise the backlog.',
  ),
  POD_IP_MISMATCH: entry(
    'ENDPOINT',
    'critical',
    '{subject} has {ip} in its status, which is not an address of its network namespace.',
    'Recreate the pod; if it comes back, look at the CNI plugin.',
  ),
  SAME_ENDPOINT_HAIRPIN: entry('ENDPOINT', 'info', 'Source and destination are the same endpoint.', ''),
  NODE_NOT_READY: entry(
    'ENDPOINT',
    'warning',
    '{subject} is not ready: {reason}.',
    'Look at its kubelet: `kubectl describe node`.',
  ),
  ADDRESS_UNKNOWN: entry(
    'ENDPOINT',
    'warning',
    '{ip} is in the {network}, and no object of this snapshot has it.',
    'Check the address, or take a newer snapshot.',
  ),

  // LINK
  IFACE_MISSING: entry(
    'LINK',
    'critical',
    '{subject} is not there.',
    'Recreate the interface, or the pod that it belongs to.',
  ),
  IFACE_DOWN: entry('LINK', 'critical', '{subject} is administratively down.', 'ip link set {interface} up'),
  CARRIER_DOWN: entry('LINK', 'critical', '{subject} has no carrier.', 'Look at the other end of the link.'),
  NO_MASTER: entry(
    'LINK',
    'critical',
    '{subject} is not attached to a bridge.',
    'ip link set {interface} master {bridge}',
  ),
  WRONG_MASTER: entry(
    'LINK',
    'critical',
    '{subject} is attached to {actual}, not to {bridge}.',
    'ip link set {interface} master {bridge}',
  ),
  VETH_PEER_MISSING: entry(
    'LINK',
    'critical',
    'The other end of {subject} is not in the snapshot of its node.',
    'Recreate the pod; its interface pair is broken.',
  ),
  VETH_PEER_MISMATCH: entry(
    'LINK',
    'critical',
    'The other end of {subject} is not where it should be.',
    'Recreate the pod.',
  ),
  BRIDGE_PORT_BLOCKED: entry(
    'LINK',
    'critical',
    'Bridge port {subject} is in state {state}.',
    'bridge link set dev {interface} state 3',
  ),
  HAIRPIN_OFF: entry(
    'LINK',
    'critical',
    'Bridge port {subject} may not send a frame back out of itself (hairpin off).',
    'bridge link set dev {interface} hairpin on',
  ),
  VLAN_FILTERED: entry(
    'LINK',
    'critical',
    '{subject} does not carry VLAN {vlan}.',
    'bridge vlan add dev {interface} vid {vlan}',
  ),
  ADDRESS_MISSING: entry(
    'LINK',
    'critical',
    '{subject} lacks the address {address}.',
    'ip addr add {address} dev {interface}',
  ),
  ADDRESS_DUPLICATE: entry(
    'LINK',
    'critical',
    '{address} is configured in more than one place: {owners}.',
    'Remove it where it does not belong.',
  ),
  PREFIX_TOO_WIDE: entry(
    'LINK',
    'critical',
    '{subject} has {address}, so it looks for other networks on its own segment.',
    'Give the address its right prefix length.',
  ),
  ARP_OFF: entry('LINK', 'critical', '{subject} does not use ARP.', 'ip link set {interface} arp on'),
  MAC_MISMATCH: entry(
    'LINK',
    'critical',
    'Frames for {subject} carry a MAC address that it does not have ({mac}).',
    'Remove the wrong neighbour entry.',
  ),
  TC_DROP: entry(
    'LINK',
    'critical',
    'A traffic control filter on {subject} drops the packet.',
    'tc filter show dev {interface}',
  ),
  DROPS_HIGH: entry('LINK', 'warning', '{subject} drops packets ({count}).', 'Look at the queue and the driver.'),

  // MTU
  MTU_MISMATCH: entry(
    'MTU',
    'warning',
    '{subject} has MTU {actual}, expected {expected}.',
    'ip link set {interface} mtu {expected}',
  ),
  MTU_OVERLAY_TOO_BIG: entry(
    'MTU',
    'warning',
    'The tunnel behind {subject} leaves no room for packets of {actual} bytes.',
    'Lower the MTU of the pods to {expected}.',
  ),
  PMTU_BLACKHOLE: entry(
    'MTU',
    'critical',
    'Packets over {mtu} bytes are lost at {subject} and the sender is not told.',
    'Let ICMP fragmentation-needed pass, or lower the MTU.',
  ),
  MSS_CLAMP_MISSING: entry('MTU', 'info', 'No rule clamps the TCP MSS on {subject}.', ''),

  // ROUTE
  NO_ROUTE: entry('ROUTE', 'critical', '{subject} has no route to {destination}.', 'Add the missing route.'),
  ROUTE_BLACKHOLE: entry(
    'ROUTE',
    'critical',
    'A blackhole route of {subject} swallows packets to {destination}.',
    'Remove the route {locator}.',
  ),
  ROUTE_UNREACHABLE: entry(
    'ROUTE',
    'critical',
    'An unreachable route of {subject} refuses packets to {destination}.',
    'Remove the route {locator}.',
  ),
  ROUTE_PROHIBIT: entry(
    'ROUTE',
    'critical',
    'A prohibit route of {subject} refuses packets to {destination}.',
    'Remove the route {locator}.',
  ),
  ROUTE_WRONG_DEVICE: entry(
    'ROUTE',
    'critical',
    '{subject} sends packets to {destination} out of {actual}, expected {expected}.',
    'ip route replace {destination} dev {expected}',
  ),
  ROUTE_WRONG_GATEWAY: entry(
    'ROUTE',
    'critical',
    '{subject} sends packets to {destination} to {actual}, expected {expected}.',
    'ip route replace {destination} via {expected}',
  ),
  ROUTE_SHADOWED: entry(
    'ROUTE',
    'critical',
    'On {subject} a more specific route takes the packets to {destination}.',
    'Remove the route {locator}.',
  ),
  RULE_DIVERTS: entry(
    'ROUTE',
    'critical',
    'A policy rule of {subject} sends packets to {destination} to another table.',
    'Look at `ip rule`.',
  ),
  RULE_PROHIBIT: entry(
    'ROUTE',
    'critical',
    'A policy rule of {subject} refuses packets to {destination}.',
    'Remove the rule {locator}.',
  ),
  RULE_MISSING: entry('ROUTE', 'critical', '{subject} lacks the policy rule for table {table}.', 'ip rule add {rule}'),
  NEXTHOP_DEAD: entry(
    'ROUTE',
    'critical',
    'The next hop of the route to {destination} on {subject} is dead.',
    'Bring its interface up.',
  ),
  GATEWAY_UNREACHABLE: entry(
    'ROUTE',
    'critical',
    'The gateway {gateway} cannot be reached from {subject}.',
    'Look at the segment between them.',
  ),
  ROUTING_LOOP: entry(
    'ROUTE',
    'critical',
    'The packet to {destination} comes back to {subject}: a routing loop.',
    'Correct the routes of the places that it visits.',
  ),
  TTL_EXCEEDED: entry(
    'ROUTE',
    'critical',
    'The hop limit of the packet to {destination} ends at {subject}.',
    'Look for a routing loop.',
  ),
  ASYMMETRIC_ROUTE: entry('ROUTE', 'info', 'The answer leaves {subject} by another way than the request came.', ''),
  POD_CIDR_ROUTE_MISSING: entry(
    'ROUTE',
    'critical',
    '{subject} has no route to the pod network {destination} of node {owner}.',
    'ip route add {destination} via {gateway} dev {interface}',
  ),
  POD_ROUTE_MISSING: entry(
    'ROUTE',
    'critical',
    '{subject} has no route to its own pod {destination}.',
    'Restart the CNI agent of the node, or recreate the pod.',
  ),
  LOCAL_ROUTE_MISSING: entry(
    'ROUTE',
    'critical',
    '{subject} does not know {destination} as its own address.',
    'ip route add local {destination} dev {interface} table local',
  ),
  LOCAL_ADDRESS_HIJACK: entry(
    'ROUTE',
    'critical',
    '{subject} takes packets to {destination} for itself: the address is configured there.',
    'Remove the address.',
  ),
  WRONG_SOURCE_ADDRESS: entry('ROUTE', 'warning', '{subject} sends with source address {actual}.', ''),

  // NEIGH
  NEIGH_FAILED: entry(
    'NEIGH',
    'critical',
    '{subject} cannot resolve {destination}: nobody on the segment answers.',
    'See whether {destination} is up and on this segment.',
  ),
  NEIGH_INCOMPLETE: entry(
    'NEIGH',
    'critical',
    '{subject} has not resolved {destination}.',
    'See whether {destination} is up and on this segment.',
  ),
  NEIGH_WRONG_MAC: entry(
    'NEIGH',
    'critical',
    '{subject} has a wrong MAC address for {destination} ({mac}).',
    'ip neigh del {destination} dev {interface}',
  ),
  NEIGH_MISSING: entry(
    'NEIGH',
    'critical',
    '{subject} has no neighbour entry for {destination} and may not ask.',
    'Restart the CNI agent that writes the entry.',
  ),
  FDB_MISSING: entry(
    'NEIGH',
    'critical',
    '{subject} has no forwarding entry for {mac}.',
    'Restart the CNI agent that writes the entry.',
  ),
  FDB_WRONG_VTEP: entry(
    'NEIGH',
    'critical',
    'The forwarding entry of {subject} for {mac} leads to {actual}, expected {expected}.',
    'Restart the CNI agent that writes the entry.',
  ),
  FDB_WRONG_PORT: entry(
    'NEIGH',
    'critical',
    'The forwarding entry of {subject} for {mac} leads to port {actual}.',
    'bridge fdb del {mac} dev {actual} master',
  ),
  ARP_TABLE_FULL: entry(
    'NEIGH',
    'critical',
    'The neighbour table of {subject} is full.',
    'Raise net.ipv4.neigh.default.gc_thresh3.',
  ),

  // SYSCTL
  IP_FORWARD_OFF: entry('SYSCTL', 'critical', '{subject} does not forward packets.', 'sysctl -w {key}=1'),
  IFACE_FORWARDING_OFF: entry(
    'SYSCTL',
    'critical',
    '{subject} does not forward packets that come in there.',
    'sysctl -w {key}=1',
  ),
  RP_FILTER_DROP: entry(
    'SYSCTL',
    'critical',
    '{subject} drops the packet: the way back to {source} leads elsewhere (rp_filter {value}).',
    'sysctl -w {key}=2',
  ),
  MARTIAN_SOURCE: entry(
    'SYSCTL',
    'critical',
    '{subject} drops the packet: {source} is not a source that may come in there.',
    'Look for {source} as an address of this host.',
  ),
  ROUTE_LOCALNET_OFF: entry(
    'SYSCTL',
    'critical',
    '{subject} drops packets to or from 127.0.0.0/8.',
    'sysctl -w {key}=1',
  ),
  ARP_IGNORED: entry('SYSCTL', 'critical', '{subject} does not answer ARP for {destination}.', 'sysctl -w {key}=0'),
  PROXY_ARP_OFF: entry(
    'SYSCTL',
    'critical',
    '{subject} does not answer ARP for the gateway of its pod.',
    'sysctl -w {key}=1',
  ),
  BRIDGE_NF_CALL_OFF: entry(
    'SYSCTL',
    'critical',
    'Bridged packets of {subject} do not pass iptables, so the answer bypasses the translation.',
    'sysctl -w net.bridge.bridge-nf-call-iptables=1',
  ),

  // NETFILTER
  FILTER_DROP: entry(
    'NETFILTER',
    'critical',
    'Rule {locator} of {subject} drops the packet.',
    'Remove or narrow the rule: {command}',
  ),
  FILTER_REJECT: entry(
    'NETFILTER',
    'critical',
    'Rule {locator} of {subject} rejects the packet.',
    'Remove or narrow the rule: {command}',
  ),
  CHAIN_POLICY_DROP: entry(
    'NETFILTER',
    'critical',
    'No rule accepts the packet and the policy of {locator} of {subject} is DROP.',
    'Accept this traffic before the end of the chain.',
  ),
  CHAIN_MISSING: entry(
    'NETFILTER',
    'warning',
    '{subject} lacks the chain {chain}.',
    'Restart the component that writes it.',
  ),
  JUMP_UNRESOLVED: entry(
    'NETFILTER',
    'warning',
    'A rule of {subject} jumps to a chain that is not there ({locator}).',
    'Restart the component that writes it.',
  ),
  BACKENDS_MIXED: entry(
    'NETFILTER',
    'warning',
    '{subject} has rules in both iptables-legacy and iptables-nft.',
    'Move all of them to one back end.',
  ),
  FOREIGN_RULE: entry('NETFILTER', 'info', 'A rule on {subject} that nobody of the known components writes.', ''),
  MATCH_UNKNOWN: entry('NETFILTER', 'info', 'A match of {locator} on {subject} is not modelled.', ''),
  TARGET_UNKNOWN: entry('NETFILTER', 'info', 'The target of {locator} on {subject} is not modelled.', ''),
  MASQUERADE_MISSING: entry(
    'NETFILTER',
    'critical',
    'Packets from {source} leave {subject} without masquerade.',
    'Restart the component that writes the rule.',
  ),
  MASQUERADE_UNEXPECTED: entry('NETFILTER', 'warning', 'Packets from {source} are masqueraded on {subject}.', ''),
  IPSET_MISSING: entry(
    'NETFILTER',
    'critical',
    'The set {set} that a rule of {subject} asks is not there.',
    'Restart the component that writes it.',
  ),
  IPSET_STALE: entry(
    'NETFILTER',
    'warning',
    'The set {set} of {subject} is out of date.',
    'Restart the component that writes it.',
  ),
  MARK_CONFLICT: entry('NETFILTER', 'warning', 'Two components use the same mark bits on {subject}.', ''),
  NFT_DROP: entry(
    'NETFILTER',
    'critical',
    'Rule {locator} of {subject} drops the packet.',
    'Remove or narrow the rule.',
  ),

  // SERVICE
  SERVICE_NOT_FOUND: entry('SERVICE', 'critical', 'No service has the address {destination}.', 'Check the address.'),
  NO_ENDPOINTS: entry(
    'SERVICE',
    'critical',
    '{subject} has no endpoints.',
    'Start pods that its selector matches: {selector}',
  ),
  NO_READY_ENDPOINTS: entry(
    'SERVICE',
    'critical',
    '{subject} has endpoints, none of them is ready.',
    'Look at the readiness of {pods}.',
  ),
  SELECTOR_MATCHES_NOTHING: entry(
    'SERVICE',
    'critical',
    'The selector of {subject} matches no pod: {selector}.',
    'Correct the selector or the labels of the pods.',
  ),
  SERVICE_PORT_UNDEFINED: entry(
    'SERVICE',
    'critical',
    '{subject} has no {protocol} port {port}; it has {ports}.',
    'Use one of its ports.',
  ),
  TARGET_PORT_MISMATCH: entry(
    'SERVICE',
    'critical',
    '{subject} sends to port {port}, where nothing listens.',
    'Correct targetPort.',
  ),
  NAMED_PORT_UNRESOLVED: entry(
    'SERVICE',
    'critical',
    'No pod of {subject} has a port named {port}.',
    'Correct targetPort or the name of the container port.',
  ),
  PROTOCOL_MISMATCH: entry(
    'SERVICE',
    'critical',
    'Port {port} of {subject} is {actual}, asked for {protocol}.',
    'Use the right protocol.',
  ),
  FAMILY_MISMATCH: entry('SERVICE', 'critical', '{subject} has no address of this family.', ''),
  EXTERNAL_POLICY_LOCAL_NO_ENDPOINT: entry(
    'SERVICE',
    'critical',
    '{subject} has externalTrafficPolicy Local and no ready endpoint on node {node}.',
    'Send to a node with an endpoint.',
  ),
  INTERNAL_POLICY_LOCAL_NO_ENDPOINT: entry(
    'SERVICE',
    'critical',
    '{subject} has internalTrafficPolicy Local and no ready endpoint on node {node}.',
    'Run an endpoint on each node, or use Cluster.',
  ),
  SOURCE_RANGE_DENIED: entry(
    'SERVICE',
    'critical',
    'loadBalancerSourceRanges of {subject} does not contain {source}.',
    'Add the source to the ranges.',
  ),
  SESSION_AFFINITY: entry('SERVICE', 'info', '{subject} keeps a client on one backend.', ''),
  NODE_PORT_CLOSED: entry('SERVICE', 'critical', 'No service has the node port {port}.', ''),
  HEADLESS_SERVICE: entry('SERVICE', 'info', '{subject} is headless: its name gives the addresses of the pods.', ''),
  EXTERNAL_NAME_SERVICE: entry('SERVICE', 'info', '{subject} is a name for {name}.', ''),
  LOAD_BALANCER_PENDING: entry('SERVICE', 'warning', '{subject} has no load balancer address yet.', ''),
  HAIRPIN_MASQUERADE_MISSING: entry(
    'SERVICE',
    'critical',
    '{subject} sends a pod to itself without masquerade.',
    'Restart kube-proxy.',
  ),

  // KUBEPROXY
  PROXY_RULES_MISSING: entry(
    'KUBEPROXY',
    'critical',
    'kube-proxy on {node} has no rule for {subject}.',
    'Look at the logs of kube-proxy on {node}.',
  ),
  PROXY_STALE_ENDPOINT: entry(
    'KUBEPROXY',
    'critical',
    'kube-proxy on {node} still sends to {backend}, which is no endpoint of {subject}.',
    'Look at the logs of kube-proxy on {node}.',
  ),
  PROXY_ENDPOINT_MISSING: entry(
    'KUBEPROXY',
    'critical',
    'kube-proxy on {node} does not send to {backend}, an endpoint of {subject}.',
    'Look at the logs of kube-proxy on {node}.',
  ),
  PROXY_MODE_MISMATCH: entry(
    'KUBEPROXY',
    'warning',
    'kube-proxy of {subject} runs in mode {actual}, configured is {expected}.',
    '',
  ),
  PROXY_CLUSTER_CIDR_WRONG: entry(
    'KUBEPROXY',
    'warning',
    'clusterCIDR of kube-proxy ({actual}) is not the pod network ({expected}).',
    '',
  ),
  ENDPOINT_WITHOUT_POD: entry('KUBEPROXY', 'warning', '{backend} of {subject} belongs to no pod.', ''),
  IPVS_SERVICE_MISSING: entry(
    'KUBEPROXY',
    'critical',
    'ipvs on {node} has no virtual server for {subject}.',
    'Look at the logs of kube-proxy.',
  ),
  IPVS_SERVER_MISSING: entry(
    'KUBEPROXY',
    'critical',
    'ipvs on {node} does not send to {backend}.',
    'Look at the logs of kube-proxy.',
  ),
  IPVS_SERVER_EXTRA: entry(
    'KUBEPROXY',
    'critical',
    'ipvs on {node} still sends to {backend}.',
    'Look at the logs of kube-proxy.',
  ),
  IPVS_ADDRESS_MISSING: entry(
    'KUBEPROXY',
    'critical',
    'kube-ipvs0 of {node} lacks {address}.',
    'Look at the logs of kube-proxy.',
  ),
  PROXY_ENDPOINT_WEIGHT: entry(
    'KUBEPROXY',
    'warning',
    'kube-proxy on {node} gives {backend} of {subject} {actual} of the new connections, expected {expected}.',
    'Restart kube-proxy on {node}; it writes its rules anew.',
  ),
  PROXY_RULE_WRONG: entry(
    'KUBEPROXY',
    'critical',
    'Rule {locator} on {node} is not what kube-proxy writes for {subject}: {problem}.',
    'Restart kube-proxy on {node}; it writes its rules anew.',
  ),
  PROXY_STALE_SERVICE: entry(
    'KUBEPROXY',
    'warning',
    'kube-proxy on {node} still has rules for {destination}, which no service has.',
    'Look at the logs of kube-proxy on {node}.',
  ),
  PROXY_NOT_SYNCED: entry(
    'KUBEPROXY',
    'critical',
    'kube-proxy on {node} is out of date: {count} of {total} service ports are not programmed as the objects say.',
    'See that kube-proxy on {node} runs and reaches the API server.',
  ),
  SERVICE_CIDR_OVERLAP: entry(
    'KUBEPROXY',
    'critical',
    'The service network {actual} contains {destination} ({owner}); kube-proxy on {node} drops packets to it.',
    'Give the cluster a service network apart from its nodes and pods.',
  ),

  // CONNTRACK
  CONNTRACK_FULL: entry(
    'CONNTRACK',
    'critical',
    'The connection table of {subject} is full.',
    'Raise net.netfilter.nf_conntrack_max.',
  ),
  CONNTRACK_NEAR_FULL: entry(
    'CONNTRACK',
    'warning',
    'The connection table of {subject} is nearly full ({count} of {max}).',
    'Raise net.netfilter.nf_conntrack_max.',
  ),
  CONNTRACK_STALE_ENTRY: entry(
    'CONNTRACK',
    'critical',
    '{subject} still holds an old connection for these addresses and ports.',
    'conntrack -D',
  ),
  CONNTRACK_INVALID_DROP: entry(
    'CONNTRACK',
    'critical',
    '{subject} drops the packet because it never saw the start of the connection ({locator}).',
    'Let both directions take the same way.',
  ),
  CONNTRACK_NOTRACK: entry('CONNTRACK', 'info', 'The packet is not tracked on {subject}.', ''),

  // NETPOL
  POLICY_DENIED_INGRESS: entry(
    'NETPOL',
    'critical',
    'Network policy denies the way into {subject}: {policies}.',
    'Allow {source} in one of them.',
  ),
  POLICY_DENIED_EGRESS: entry(
    'NETPOL',
    'critical',
    'Network policy denies the way out of {subject}: {policies}.',
    'Allow {destination} in one of them.',
  ),
  POLICY_NOT_ENFORCED: entry('NETPOL', 'warning', 'Network policies select {subject} and nobody enforces them.', ''),
  POLICY_NOT_PROGRAMMED: entry('NETPOL', 'warning', 'A network policy of {subject} is not programmed on the node.', ''),
  POLICY_STALE: entry('NETPOL', 'warning', 'A network policy that is gone is still programmed for {subject}.', ''),
  POLICY_BLOCKS_DNS: entry('NETPOL', 'warning', 'A network policy keeps {subject} from DNS.', ''),
  CALICO_POLICY_DENIED: entry('NETPOL', 'critical', 'Calico policy denies: {policies}.', ''),
  ADMIN_POLICY_DENIED: entry('NETPOL', 'critical', 'Admin network policy denies: {policies}.', ''),

  // OVERLAY
  TUNNEL_DEVICE_MISSING: entry('OVERLAY', 'critical', '{subject} is not there.', 'Restart the CNI agent.'),
  VNI_MISMATCH: entry('OVERLAY', 'critical', '{subject} uses VNI {actual}, expected {expected}.', ''),
  TUNNEL_PORT_BLOCKED: entry('OVERLAY', 'critical', 'The tunnel port {port} does not reach {subject}.', ''),
  TUNNEL_PORT_MISMATCH: entry('OVERLAY', 'critical', '{subject} listens on port {expected} and gets {actual}.', ''),
  TUNNEL_LOCAL_WRONG: entry(
    'OVERLAY',
    'critical',
    '{subject} has the local address {actual}, expected {expected}.',
    '',
  ),
  TUNNEL_REMOTE_WRONG: entry('OVERLAY', 'critical', '{subject} sends to {actual}, expected {expected}.', ''),
  POD_CIDR_CONFLICT: entry(
    'OVERLAY',
    'critical',
    '{destination} is the pod network of more than one node: {owners}.',
    '',
  ),
  IPAM_BLOCK_MISMATCH: entry(
    'OVERLAY',
    'critical',
    'The address block {destination} belongs to {actual}, the route leads to {expected}.',
    '',
  ),

  // CLOUD
  SECURITY_GROUP_DENY: entry('CLOUD', 'critical', 'Security group rule {locator} denies the packet.', ''),
  NETWORK_ACL_DENY: entry('CLOUD', 'critical', 'Network ACL rule {locator} denies the packet.', ''),
  CLOUD_NO_ROUTE: entry(
    'CLOUD',
    'critical',
    'The network outside the nodes has no route to {destination}.',
    'Add an entry to {table}.',
  ),
  CLOUD_WRONG_NEXT_HOP: entry(
    'CLOUD',
    'critical',
    'The cloud network sends packets to {destination} to {actual}, expected {expected}.',
    '',
  ),
  CLOUD_ROUTE_UNAVAILABLE: entry('CLOUD', 'critical', 'The cloud route to {destination} is not available.', ''),
  INSTANCE_NOT_FOUND: entry('CLOUD', 'critical', '{subject} has no instance in the cloud.', ''),
  INSTANCE_NOT_RUNNING: entry('CLOUD', 'critical', 'The instance of {subject} is {state}.', ''),
  SOURCE_DEST_CHECK: entry(
    'CLOUD',
    'critical',
    'The cloud drops packets of {subject} that are not from or to itself.',
    '',
  ),
  NAT_NO_ENTRY: entry('CLOUD', 'critical', 'The NAT gateway has no entry for {source}.', ''),
  NAT_GATEWAY_UNAVAILABLE: entry('CLOUD', 'critical', 'The NAT gateway is {state}.', ''),
  NO_PUBLIC_ADDRESS: entry('CLOUD', 'critical', '{subject} has no public address.', ''),
  GATEWAY_NOT_ROUTED: entry('CLOUD', 'critical', 'No route leads to the gateway {gateway}.', ''),
  LB_NOT_FOUND: entry('CLOUD', 'critical', 'No load balancer has the address {destination}.', ''),
  LB_NOT_ACTIVE: entry('CLOUD', 'critical', 'The load balancer is {state}.', ''),
  LB_LISTENER_MISSING: entry('CLOUD', 'critical', 'The load balancer has no listener on port {port}.', ''),
  LB_LISTENER_STOPPED: entry('CLOUD', 'critical', 'The listener on port {port} is {state}.', ''),
  LB_BACKEND_MISSING: entry('CLOUD', 'critical', '{backend} is no backend of the load balancer.', ''),
  LB_BACKEND_UNHEALTHY: entry('CLOUD', 'critical', 'The load balancer finds {backend} unhealthy.', ''),
  LB_ACL_DENY: entry('CLOUD', 'critical', 'The access list of the load balancer denies {source}.', ''),
  LB_LOOPBACK: entry('CLOUD', 'critical', 'A backend of the load balancer cannot reach itself through it.', ''),
  ENDS_BEYOND_MODEL: entry('CLOUD', 'info', 'What lies beyond {destination} is not known here.', ''),

  // ANALYSIS
  NODE_NOT_COLLECTED: entry(
    'ANALYSIS',
    'info',
    'The state of {subject} is not in the snapshot: {reason}.',
    'Collect it and ask again.',
  ),
  NETNS_NOT_COLLECTED: entry(
    'ANALYSIS',
    'info',
    'The network namespace of {subject} is not in the snapshot.',
    'Collect it and ask again.',
  ),
  SNAPSHOT_STALE: entry('ANALYSIS', 'info', 'The snapshot is old.', 'Take a new one.'),
  CNI_UNKNOWN: entry(
    'ANALYSIS',
    'info',
    'The CNI plugin of this cluster is not known: no expectations are checked.',
    '',
  ),
  FEATURE_UNSUPPORTED: entry('ANALYSIS', 'info', '{feature} is not modelled.', ''),
  TRACE_TOO_LONG: entry('ANALYSIS', 'info', 'The packet takes more than {limit} hops.', ''),
  INFRA_NOT_CHECKED: entry('ANALYSIS', 'info', 'Nothing is known of the network between {from} and {to}.', ''),
  INFRA_LOOKUP_FAILED: entry(
    'ANALYSIS',
    'info',
    'The network between {from} and {to} could not be looked up: {reason}.',
    '',
  ),
  LISTENER_NOT_COLLECTED: entry('ANALYSIS', 'info', 'What listens at {destination} is not known.', ''),
} as const satisfies Record<string, CodeEntry>;

export type SuspicionCode = keyof typeof SUSPICION_CODES;

export function isSuspicionCode(text: string): text is SuspicionCode {
  return Object.hasOwn(SUSPICION_CODES, text);
}
