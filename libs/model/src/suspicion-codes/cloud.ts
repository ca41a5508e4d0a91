import { codesOf } from './entry.js';

const code = codesOf('CLOUD');

/** The network of the cloud provider, and whatever else lies between nodes. */
export const CLOUD_CODES = {
  SECURITY_GROUP_DENY: code('critical', {
    message: 'Security group {locator} denies the packet at {subject}: {text}',
    cause: 'No rule of the security groups of the instance allows it, or one denies it.',
    check: ['Look at the security groups of the instance in the console of the provider.'],
    remedy:
      'Allow this traffic in the security group: between nodes at least the pod and node networks, and the tunnel port.',
  }),
  NETWORK_ACL_DENY: code('critical', {
    message: 'Network ACL {locator} denies the packet at {subject}: {text}',
    cause: 'The ACL of the subnet has no state: both directions need a rule, also for ephemeral ports.',
    check: ['Look at the network ACL of the subnet in the console of the provider.'],
    remedy: 'Allow this traffic in the network ACL, in both directions.',
  }),
  CLOUD_NO_ROUTE: code('critical', {
    message:
      'The packet to {destination} leaves the nodes, and the network outside has no route to it ({text}): it is lost there.',
    cause:
      'Nothing outside the nodes knows the address: a node sent a pod or service packet to its default gateway, or an entry of the route table is missing.',
    check: ['ip route get {destination}  # on the node that sent it out', 'Look at the route table of the network.'],
    remedy:
      'If the node should have kept it (a tunnel, a route to another node), correct the route there; else add {destination} to the route table of the network.',
  }),
  CLOUD_WRONG_NEXT_HOP: code('critical', {
    message:
      'The route table of the network sends packets to {destination} to {actual}; they belong to {expected}[: {text}].',
    cause: 'The entry is stale: the pod network moved to another node or instance.',
    check: ['Look at the route table of the network in the console of the provider.'],
    remedy:
      'Set the next hop of {destination} to {expected}, or restart the route controller (cloud controller manager).',
  }),
  CLOUD_ROUTE_UNAVAILABLE: code('critical', {
    message: 'The entry of the route table for {destination} is not available[: {text}], so packets to it are dropped.',
    cause: 'Its next hop was deleted or stopped, or the entry is still being made.',
    check: ['Look at the state of the entry in the console of the provider.'],
    remedy: 'Make the entry again with a next hop that runs.',
  }),
  INSTANCE_NOT_FOUND: code('critical', {
    message: '{subject} has no instance in the cloud account that was asked[: {text}].',
    cause: 'The instance was deleted, is in another region or account, or the node has a wrong providerID.',
    check: ['kubectl get node {name} -o jsonpath={.spec.providerID}'],
    remedy: 'Delete the node object if the instance is gone; else correct providerID, region or account.',
  }),
  INSTANCE_NOT_RUNNING: code('critical', {
    message: 'The instance of {subject} is {state}: nothing reaches it.',
    cause: 'It was stopped, or the provider takes it down.',
    check: ['kubectl get node {name}', 'Look at the instance in the console of the provider.'],
    remedy: 'Start the instance of {subject}, or drain and replace the node.',
  }),
  SOURCE_DEST_CHECK: code('critical', {
    message:
      'The cloud drops packets at {subject} that are neither from nor to its own address, and pod packets are such[: {text}].',
    cause: 'The source/destination check of the network interface is on; routed pods need it off.',
    check: ['Look at the network interface of the instance in the console of the provider.'],
    remedy: 'Switch the source/destination check of the instance of {subject} off.',
  }),
  NAT_NO_ENTRY: code('critical', {
    message:
      'The NAT gateway {subject} has no SNAT entry for {source}[: {text}]: its packets do not leave to the internet.',
    cause: 'The entry covers another subnet, or was never made.',
    check: ['Look at the SNAT entries of the NAT gateway in the console of the provider.'],
    remedy: 'Add an SNAT entry for the network of {source} to the NAT gateway.',
  }),
  NAT_GATEWAY_UNAVAILABLE: code('critical', {
    message: 'The NAT gateway {subject} is {state}: nothing leaves through it.',
    cause: 'It is being made or deleted, or was locked (an unpaid bill).',
    check: ['Look at the NAT gateway in the console of the provider.'],
    remedy: 'Bring the NAT gateway back, or route through another one.',
  }),
  NO_PUBLIC_ADDRESS: code('critical', {
    message:
      '{subject} has no public address and no NAT gateway in front, so it cannot talk to the internet[: {text}].',
    cause: 'The route leads to the internet gateway directly, and that needs a public address.',
    check: ['Look at the addresses of the instance in the console of the provider.'],
    remedy: 'Give {subject} a public address, or route its subnet through a NAT gateway.',
  }),
  GATEWAY_NOT_ROUTED: code('critical', {
    message: 'No entry of the route table of {subject} leads to the gateway {gateway}[: {text}].',
    cause: 'The subnet has a route table without that entry.',
    check: ['Look at the route table of the subnet in the console of the provider.'],
    remedy: 'Add an entry (0.0.0.0/0 for the internet) with {gateway} as next hop to the route table of the subnet.',
  }),
  LB_NOT_FOUND: code('critical', {
    message: 'No load balancer has the address {destination}[: {text}].',
    cause:
      'The load balancer was deleted, and the status of the Service still shows its address; or it is of another account or region.',
    check: ['kubectl get services -A | grep {destination}'],
    remedy:
      'Let the cloud controller manager make it again (delete and create the Service), or correct account and region.',
  }),
  LB_NOT_ACTIVE: code('critical', {
    message: 'The load balancer {subject} is {state}: it forwards nothing.',
    cause: 'It was stopped, is being made, or was locked (an unpaid bill).',
    check: ['Look at the load balancer in the console of the provider.'],
    remedy: 'Start the load balancer {subject}.',
  }),
  LB_LISTENER_MISSING: code('critical', {
    message: 'The load balancer {subject} has no listener on port {port}: it refuses the connection.',
    cause: 'The port was added to the Service and the controller has not made the listener, or somebody deleted it.',
    check: ['kubectl describe service NAME  # Events', 'Look at the listeners of the load balancer.'],
    remedy: 'See the events of the Service for why the listener was not made; add it by hand if need be.',
  }),
  LB_LISTENER_STOPPED: code('critical', {
    message: 'The listener of the load balancer {subject} on port {port} is {state}: it forwards nothing.',
    cause: 'Somebody stopped it, or its configuration was refused.',
    check: ['Look at the listeners of the load balancer.'],
    remedy: 'Start the listener on port {port}.',
  }),
  LB_BACKEND_MISSING: code('critical', {
    message: '{backend} is no backend of the load balancer {subject}[: {text}]: it sends nothing there.',
    cause: 'The node was excluded by a label, is not ready, or the controller is behind.',
    check: [
      'kubectl get nodes -l node.kubernetes.io/exclude-from-external-load-balancers',
      'kubectl describe service NAME  # Events',
    ],
    remedy: 'Remove what excludes the node, and let the cloud controller manager sync the backends.',
  }),
  LB_BACKEND_UNHEALTHY: code('critical', {
    message: 'The load balancer {subject} finds {backend} unhealthy and sends nothing there[: {text}].',
    cause:
      'Its health check does not reach the node port: a security group, or externalTrafficPolicy Local without endpoint on the node.',
    check: [
      'curl -v http://NODE:HEALTH-CHECK-NODE-PORT/healthz',
      'kubectl get service NAME -o jsonpath={.spec.healthCheckNodePort}',
    ],
    remedy: 'Let the health check of the load balancer reach {backend} (security group), or run an endpoint there.',
  }),
  LB_ACL_DENY: code('critical', {
    message: 'The access list of the load balancer {subject} denies {source}[: {text}].',
    cause: 'The list does not contain the client, or denies it.',
    check: [
      'kubectl get service NAME -o yaml  # loadBalancerSourceRanges and annotations',
      'Look at the access list of the listener.',
    ],
    remedy: 'Add {source} to the access list.',
  }),
  LB_LOOPBACK: code('critical', {
    message: 'A backend of the load balancer {subject} cannot reach itself through it[: {text}].',
    cause:
      'A load balancer of layer 4 keeps the source address, so the backend gets a packet from itself and drops it.',
    check: ['kubectl get service NAME -o jsonpath={.status.loadBalancer.ingress}'],
    remedy:
      'Use the cluster IP inside the cluster; or let kube-proxy take the address (ipMode VIP, externalTrafficPolicy Cluster).',
  }),
  ENDS_BEYOND_MODEL: code('info', {
    message: 'What lies beyond {destination} is not known here: the packet leaves what the snapshot describes.',
    cause: 'The other end is outside of the cluster and of the cloud account that was asked.',
    check: ['traceroute -n {destination}'],
    remedy: 'Nothing to change here. Ask the other side, or describe the network outside in underlay.json.',
  }),
} as const;
