import { codesOf } from './entry.js';

const code = codesOf('KUBEPROXY');

const PODS = 'kubectl -n kube-system get pods -l k8s-app=kube-proxy --field-selector spec.nodeName={node}';
const LOGS = `kubectl -n kube-system logs $(${PODS} -o name)`;
const SLICES = 'kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}';

/** What kube-proxy has programmed, compared with what it should have. */
export const KUBEPROXY_CODES = {
  PROXY_RULES_MISSING: code('critical', {
    message:
      'kube-proxy on node {node} has no complete rules for {subject}: what is sent to it is not translated there and is lost or refused[: {text}].',
    cause: 'kube-proxy does not run on the node, cannot reach the API server, or somebody flushed its rules.',
    check: [
      'iptables-save -t nat | grep NAMESPACE/NAME; nft list table ip kube-proxy; ipvsadm -Ln  # run it on node {node}',
      PODS,
      LOGS,
    ],
    remedy:
      'Restart kube-proxy on node {node} (delete its pod in kube-system); if the rules do not come back, its log says why.',
  }),
  PROXY_STALE_ENDPOINT: code('critical', {
    message:
      'kube-proxy on node {node} still sends connections for {subject} to {backend}, which is no endpoint of it any more[: {text}].',
    cause:
      'kube-proxy is behind: it does not run, cannot reach the API server, or its rules were restored from an old copy.',
    check: [SLICES, LOGS],
    remedy: 'Restart kube-proxy on node {node} (delete its pod in kube-system): it writes its rules anew.',
  }),
  PROXY_ENDPOINT_MISSING: code('critical', {
    message: 'kube-proxy on node {node} does not send to {backend}, a ready endpoint of {subject}[: {text}].',
    cause: 'kube-proxy is behind, or one of its rules was deleted or changed.',
    check: [SLICES, LOGS],
    remedy: 'Restart kube-proxy on node {node} (delete its pod in kube-system): it writes its rules anew.',
  }),
  PROXY_MODE_MISMATCH: code('warning', {
    message: 'kube-proxy of {subject} has written rules in mode {actual}, it is configured for {expected}.',
    cause:
      'Its configuration was changed and it was not restarted, or it fell back because the kernel lacks what the mode needs.',
    check: ['kubectl -n kube-system get configmap kube-proxy -o yaml | grep mode', LOGS],
    remedy: 'Restart kube-proxy on node {node}; if it falls back again, its log says what the kernel lacks.',
  }),
  PROXY_CLUSTER_CIDR_WRONG: code('warning', {
    message:
      'kube-proxy on node {node} takes {actual} for the pod network, it is {expected}: pods outside of it are masqueraded and hide their addresses.',
    cause: 'clusterCIDR in its configuration is not the network that the CNI plugin gives out addresses from.',
    check: [
      'kubectl -n kube-system get configmap kube-proxy -o yaml | grep -i clusterCIDR',
      'kubectl get nodes -o jsonpath={..podCIDR}',
    ],
    remedy:
      'Set clusterCIDR of kube-proxy to {expected} (kubectl -n kube-system edit configmap kube-proxy), then restart it on all nodes.',
  }),
  ENDPOINT_WITHOUT_POD: code('warning', {
    message:
      '{backend} is an endpoint of {subject} and belongs to no pod of this snapshot: connections that are sent there fail.',
    cause: 'The endpoint was written by hand and is stale, or the endpoint slice controller is behind.',
    check: [SLICES + ' -o yaml', 'kubectl get pods -A -o wide | grep ADDRESS'],
    remedy:
      'Remove {backend} from the EndpointSlice when nobody has the address; for a Service with selector restart kube-controller-manager.',
  }),
  IPVS_SERVICE_MISSING: code('critical', {
    message:
      'ipvs on node {node} has no virtual server for {subject}[ ({text})]: what is sent to it is not translated there and is refused.',
    cause: 'kube-proxy does not run on the node or cannot reach the API server, or somebody ran `ipvsadm -C`.',
    check: ['ipvsadm -Ln  # run it on node {node}', PODS, LOGS],
    remedy: 'Restart kube-proxy on node {node} (delete its pod in kube-system): it writes the virtual servers anew.',
  }),
  IPVS_SERVER_MISSING: code('critical', {
    message: 'ipvs on node {node} does not send to {backend}[ of {service}] ({text}).',
    cause: 'kube-proxy is behind, or somebody removed the server or set its weight to 0.',
    check: ['ipvsadm -Ln  # run it on node {node}', LOGS],
    remedy: 'Restart kube-proxy on node {node} (delete its pod in kube-system): it writes the servers anew.',
  }),
  IPVS_SERVER_EXTRA: code('critical', {
    message: 'ipvs on node {node} still sends to {backend}, which is no endpoint of {subject}: {text}.',
    cause: 'kube-proxy is behind, or somebody added the server by hand.',
    check: ['ipvsadm -Ln  # run it on node {node}', SLICES],
    remedy:
      'Restart kube-proxy on node {node} (delete its pod in kube-system), or remove the server there: ipvsadm -d -t SERVICE:PORT -r {backend}',
  }),
  IPVS_ADDRESS_MISSING: code('critical', {
    message:
      'kube-ipvs0 of node {node} lacks {address} ({text}): the node does not take packets to this address for its own, so ipvs never sees them.',
    cause: 'kube-proxy binds every service address to kube-ipvs0; it is behind, or somebody removed the address.',
    check: ['ip addr show kube-ipvs0  # run it on node {node}'],
    remedy:
      'Restart kube-proxy on node {node} (delete its pod in kube-system), or there: ip addr add {address}/32 dev kube-ipvs0',
  }),
  PROXY_ENDPOINT_WEIGHT: code('warning', {
    message:
      'kube-proxy on node {node} gives {backend} of {subject} {actual} of the new connections, its fair share is {expected}: {text}',
    cause: 'A rule of the service was deleted, doubled or changed.',
    check: ['iptables-save -t nat | grep KUBE-SVC  # run it on node {node}: --probability'],
    remedy: 'Restart kube-proxy on node {node} (delete its pod in kube-system): it writes its rules anew.',
  }),
  PROXY_RULE_WRONG: code('critical', {
    message: 'On node {node}, {rule} is not what kube-proxy writes for {subject}: {problem}. The rule: {text}',
    cause: 'Somebody changed the rule, or kube-proxy wrote it for an older state of the objects.',
    check: ['iptables-save -t nat  # run it on node {node}', LOGS],
    remedy: 'Restart kube-proxy on node {node} (delete its pod in kube-system): it writes its rules anew.',
  }),
  PROXY_STALE_SERVICE: code('warning', {
    message: 'kube-proxy on node {node} still has rules for {destination}, which no Service has any more: {text}',
    cause: 'The Service was deleted and kube-proxy is behind, or the rules are left over from another mode.',
    check: ['kubectl get services -A -o wide', LOGS],
    remedy: 'Restart kube-proxy on node {node} (delete its pod in kube-system): it writes its rules anew.',
  }),
  PROXY_NOT_SYNCED: code('critical', {
    message:
      'kube-proxy on node {node} is out of date: {count} of {total} service ports are not programmed as the objects say.',
    cause:
      'kube-proxy does not run on the node, hangs, or cannot reach the API server; what it wrote last stays in force.',
    check: [PODS, LOGS, 'curl -s http://127.0.0.1:10249/metrics | grep sync_proxy_rules_last  # run it on node {node}'],
    remedy: 'Restart kube-proxy on node {node} (delete its pod in kube-system) and see that it reaches the API server.',
  }),
  SERVICE_CIDR_OVERLAP: code('critical', {
    message:
      'The service network {actual} contains {destination} ({owner}), and kube-proxy on node {node} drops packets to addresses in it that no Service has.',
    cause:
      'The networks of services, nodes and pods must not overlap; in nftables mode kube-proxy drops what is sent to service addresses that are not given out.',
    check: [
      'kubectl get servicecidrs',
      'kubectl get nodes -o wide',
      'nft list chain ip kube-proxy cluster-ips-check  # run it on node {node}',
    ],
    remedy:
      'Give the cluster a service network apart from its nodes and pods (a new ServiceCIDR, then remove the old one).',
  }),
} as const;
