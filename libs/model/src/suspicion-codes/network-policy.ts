import { codesOf } from './entry.js';

const code = codesOf('NETPOL');

/** Network policies. */
export const NETPOL_CODES = {
  POLICY_DENIED_INGRESS: code('critical', {
    message: 'Network policy does not let the packet into {subject}: {policies}.',
    cause:
      'A pod that a policy selects for ingress takes only what one of its policies allows; here none of them allows this source and port.',
    check: ['kubectl -n {namespace} get networkpolicies', 'kubectl -n {namespace} describe networkpolicy NAME'],
    remedy:
      'Allow {source} on this port in the ingress of one of these policies: kubectl -n {namespace} edit networkpolicy NAME',
  }),
  POLICY_DENIED_EGRESS: code('critical', {
    message: 'Network policy does not let the packet out of {subject}: {policies}.',
    cause:
      'A pod that a policy selects for egress may send only what one of its policies allows; here none of them allows this destination and port.',
    check: ['kubectl -n {namespace} get networkpolicies', 'kubectl -n {namespace} describe networkpolicy NAME'],
    remedy:
      'Allow {destination} on this port in the egress of one of these policies: kubectl -n {namespace} edit networkpolicy NAME',
  }),
  POLICY_NOT_ENFORCED: code('warning', {
    message:
      'Network policies select {subject}[ ({policies})], and nothing in this cluster enforces them: everything is allowed.',
    cause: 'The CNI plugin has no policy engine (flannel, plain bridge), and no other is installed.',
    check: [
      'kubectl get networkpolicies -A',
      'kubectl -n kube-system get pods  # is there a policy engine: Calico, Cilium, kube-router?',
    ],
    remedy:
      'Install a policy engine (Calico for policies only works beside flannel), or remove policies that only pretend to protect.',
  }),
  POLICY_NOT_PROGRAMMED: code('warning', {
    message:
      'A network policy of {subject} denies this packet, and its node lets it pass[: {policies}]: the rules are not programmed there.',
    cause: 'The policy agent of the node is behind: it does not run, or cannot reach the API server.',
    check: [
      'kubectl -n kube-system get pods -o wide  # the policy agent of the node',
      'iptables-save | grep -c cali  # run it on the node',
    ],
    remedy: 'Restart the policy agent on the node of {subject}: it writes its rules anew.',
  }),
  POLICY_STALE: code('warning', {
    message:
      'No network policy denies this packet, and the node of {subject} drops it all the same: what its policy agent has programmed is out of date[, in {rule}: {text}]',
    cause: 'The policy agent of the node is behind: it does not run, or cannot reach the API server.',
    check: ['kubectl -n kube-system get pods -o wide  # the policy agent of the node'],
    remedy: 'Restart the policy agent on the node of {subject}: it removes what is no longer wanted.',
  }),
  POLICY_BLOCKS_DNS: code('warning', {
    message: 'Network policy keeps {subject} from DNS (port 53)[: {policies}]: it can reach addresses and no names.',
    cause: 'An egress policy selects the pod and does not allow the cluster DNS.',
    check: [
      'kubectl -n {namespace} get networkpolicies',
      'kubectl -n {namespace} exec {name} -- nslookup kubernetes.default',
    ],
    remedy: 'Allow egress to UDP and TCP port 53 of kube-dns in namespace kube-system.',
  }),
  CALICO_POLICY_DENIED: code('critical', {
    message: 'Calico policy denies the packet at {subject}: {policies}.',
    cause:
      'In order of tiers and of `order`, the first rule that matches denies; or policies of a tier select the endpoint and none decides.',
    check: [
      'calicoctl get networkpolicy -A; calicoctl get globalnetworkpolicy',
      'iptables-save | grep cali-tw-  # run it on the node',
    ],
    remedy:
      'Allow this traffic in a Calico policy that comes before it (smaller order), or change the rule that denies it.',
  }),
  ADMIN_POLICY_DENIED: code('critical', {
    message: 'An admin network policy denies the packet at {subject}: {policies}.',
    cause: 'AdminNetworkPolicies come before network policies of namespaces, BaselineAdminNetworkPolicy after them.',
    check: [
      'kubectl get adminnetworkpolicies,baselineadminnetworkpolicies',
      'kubectl describe adminnetworkpolicy NAME',
    ],
    remedy:
      'Ask the cluster administrator for an Allow or Pass rule of smaller priority; only a baseline can be overruled by a NetworkPolicy.',
  }),
} as const;
