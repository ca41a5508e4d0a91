import { codesOf } from './entry.js';

const code = codesOf('ANALYSIS');

/** What could not be looked at, or is not modelled. These never blame the network. */
export const ANALYSIS_CODES = {
  NODE_NOT_COLLECTED: code('info', {
    message: 'The state of {subject} is not in the snapshot[: {reason}], so what it does with the packet is not known.',
    cause: 'The collector could not run on the node, or the node was left out.',
    check: ['hopscope snapshot show DIR', 'kubectl get node {name}'],
    remedy: 'Collect the node and ask again.',
  }),
  NETNS_NOT_COLLECTED: code('info', {
    message:
      'The network namespace of {subject} is not in the snapshot[: {reason}], so what it does with the packet is not known.',
    cause: 'The pod had ended, the collector could not enter its namespace, or a file of the dump is missing.',
    check: ['hopscope snapshot show DIR'],
    remedy: 'Collect it and ask again.',
  }),
  SNAPSHOT_STALE: code('info', {
    message: 'The snapshot is old[: {text}]; the cluster may have changed since.',
    cause: 'The answer is about the time at which the snapshot was taken.',
    check: ['hopscope snapshot show DIR  # takenAt'],
    remedy: 'Take a new snapshot and ask again.',
  }),
  CNI_UNKNOWN: code('info', {
    message: 'The CNI plugin of this cluster is not known, so nothing is checked that it should have set up.',
    cause:
      'No plugin that Hopscope knows was detected. The walk of the packet does not need it; the checks of expectations do.',
    check: ['ls /etc/cni/net.d  # on a node', 'kubectl -n kube-system get daemonsets'],
    remedy: 'Name it with --network-plugin if it is one of the known ones.',
  }),
  FEATURE_UNSUPPORTED: code('info', {
    message: '{subject} uses {feature}, which is not modelled: what it does with the packet is not known[: {text}].',
    cause: 'The kernel has more features than the simulator.',
    check: ['Look by hand at what it does with the packet {at}.'],
    remedy: 'Nothing to change. The answer is undetermined where it depends on this.',
  }),
  TRACE_TOO_LONG: code('info', {
    message: 'The packet takes more than {limit} hops; the rest was not followed.',
    cause: 'A very long way, or very many branches.',
    check: ['traceroute -n DESTINATION'],
    remedy: 'Ask for one backend or one node at a time.',
  }),
  INFRA_NOT_CHECKED: code('info', {
    message: 'Nothing is known of the network between {from} and {to}; it is taken to carry the packet.',
    cause: 'No provider describes the network between the nodes, so security groups and routes there were not checked.',
    check: ['ping -c 3 ADDRESS-OF-THE-OTHER-NODE  # on one of the nodes'],
    remedy: 'Describe the network in underlay.json, or use the provider of the cloud.',
  }),
  INFRA_LOOKUP_FAILED: code('info', {
    message: 'The network between {from} and {to} could not be looked up: {reason}.',
    cause: 'The cloud API did not answer, or refused.',
    check: ['Look at the permissions and limits of the credentials.'],
    remedy: 'Correct what the reason says, and ask again.',
  }),
  LISTENER_NOT_COLLECTED: code('info', {
    message: 'What listens at {destination} is not known, because the sockets there were not collected.',
    cause: 'The destination is outside of the snapshot, or its file ss-listen.txt is missing.',
    check: ['ss -lntup  # at the destination'],
    remedy: 'Collect the destination and ask again.',
  }),
} as const;
