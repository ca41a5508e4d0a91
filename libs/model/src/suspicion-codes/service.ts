import { codesOf } from './entry.js';

const code = codesOf('SERVICE');

/** The Service as it is declared. */
export const SERVICE_CODES = {
  SERVICE_NOT_FOUND: code('critical', {
    message:
      '{destination} is in the service network, and no Service of this snapshot has it: no node knows where to send it.',
    cause:
      'The Service was deleted and somebody still uses its address (a stale DNS answer, a fixed address), or the address is mistyped.',
    check: ['kubectl get services -A | grep {destination}'],
    remedy: 'Use the address of a Service that exists; prefer its DNS name to its address.',
  }),
  NO_ENDPOINTS: code('critical', {
    message: '{subject} has no endpoints, so kube-proxy refuses or drops what is sent to it[, in {ruleAt}].',
    cause:
      'No pod matches its selector: scaled to zero, other labels, another namespace; or a Service without selector has no EndpointSlice.',
    check: [
      'kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}',
      'kubectl -n {namespace} get pods -l SELECTOR',
    ],
    remedy: 'Run pods in namespace {namespace} that match its selector: {selector}',
  }),
  NO_READY_ENDPOINTS: code('critical', {
    message:
      '{subject} has endpoints, none of them is ready ({text}), so kube-proxy refuses or drops what is sent to it[, in {ruleAt}].',
    cause: 'Its pods run and their readiness probes fail, or they are all being deleted.',
    check: [
      'kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name} -o yaml  # conditions',
      'kubectl -n {namespace} get pods -o wide',
    ],
    remedy: 'Make the pods of {subject} ready: kubectl -n {namespace} describe pods -l {selector}',
  }),
  SELECTOR_MATCHES_NOTHING: code('critical', {
    message: 'The selector of {subject} matches no pod: {selector}.',
    cause: 'The labels of the pods and the selector of the Service differ, or the pods are in another namespace.',
    check: ['kubectl -n {namespace} get pods --show-labels', 'kubectl -n {namespace} get pods -l {selector}'],
    remedy: 'Correct spec.selector of {subject}, or the labels of the pods: kubectl -n {namespace} edit service {name}',
  }),
  SERVICE_PORT_UNDEFINED: code('critical', {
    message:
      '{subject} has no {protocol} port {port}, so kube-proxy has no rule for it and the packet goes nowhere; it has {ports}.',
    cause: 'The client asks for the port of the container instead of the port of the Service, or the port was removed.',
    check: ['kubectl -n {namespace} get service {name}'],
    remedy:
      'Ask for one of its ports ({ports}), or add {port} to spec.ports: kubectl -n {namespace} edit service {name}',
  }),
  TARGET_PORT_MISMATCH: code('critical', {
    message: '{subject} sends to port {port} of its pods, where nothing listens.',
    cause: 'targetPort of the Service and the port that the server listens on differ.',
    check: ['kubectl -n {namespace} get service {name} -o jsonpath={.spec.ports}', 'ss -lnt  # in one of its pods'],
    remedy: 'Set targetPort to the port that the pods listen on: kubectl -n {namespace} edit service {name}',
  }),
  NAMED_PORT_UNRESOLVED: code('critical', {
    message: '{subject} has no port named {port}[ ({text})].',
    cause:
      'A port may be asked for by name only of a Service, and targetPort by name only where a container port has it.',
    check: [
      'kubectl -n NAMESPACE get service NAME -o jsonpath={.spec.ports}',
      'kubectl -n NAMESPACE get pods -o jsonpath={..ports}',
    ],
    remedy: 'Ask for the number of the port, or correct the name in the Service or in the containers of its pods.',
  }),
  PROTOCOL_MISMATCH: code('critical', {
    message:
      'Port {port} of {subject} is {actual}, asked for {protocol}: kube-proxy has no rule for {protocol} and the packet goes nowhere.',
    cause: 'spec.ports[].protocol of the Service is another one (it is TCP unless given).',
    check: ['kubectl -n {namespace} get service {name}'],
    remedy: 'Ask by {actual}, or add a {protocol} port to the Service: kubectl -n {namespace} edit service {name}',
  }),
  FAMILY_MISMATCH: code('critical', {
    message: '{subject} has no address of the family that is asked for.',
    cause: 'The Service is single stack (ipFamilies, ipFamilyPolicy), or the cluster is.',
    check: ['kubectl -n {namespace} get service {name} -o jsonpath={.spec.ipFamilies}'],
    remedy: 'Set ipFamilyPolicy of the Service to PreferDualStack, or ask for its address of the other family.',
  }),
  EXTERNAL_POLICY_LOCAL_NO_ENDPOINT: code('critical', {
    message:
      'Node {node} drops what comes from outside for {subject}: externalTrafficPolicy is Local, and no ready endpoint runs on this node.',
    cause:
      'With Local a node serves only its own endpoints, to keep the source address. A load balancer leaves such nodes out by its health check.',
    check: [
      'kubectl -n {namespace} get service {name} -o jsonpath={.spec.externalTrafficPolicy}',
      'kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name} -o wide',
    ],
    remedy:
      'Send to a node with an endpoint (let the load balancer use the health check node port), run one on {node}, or set externalTrafficPolicy: Cluster.',
  }),
  INTERNAL_POLICY_LOCAL_NO_ENDPOINT: code('critical', {
    message:
      'Node {node} drops what its pods send to {subject}: internalTrafficPolicy is Local, and no ready endpoint runs on this node.',
    cause: "With Local only endpoints of the sender's own node are used.",
    check: [
      'kubectl -n {namespace} get service {name} -o jsonpath={.spec.internalTrafficPolicy}',
      'kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name} -o wide',
    ],
    remedy: 'Run an endpoint on {node} (a DaemonSet), or set internalTrafficPolicy: Cluster.',
  }),
  SOURCE_RANGE_DENIED: code('critical', {
    message: 'The nodes drop the packet: loadBalancerSourceRanges of {subject} does not contain its source {source}.',
    cause:
      'The Service admits only listed networks. A load balancer in front that hides the client makes its own address the source.',
    check: ['kubectl -n {namespace} get service {name} -o jsonpath={.spec.loadBalancerSourceRanges}'],
    remedy: 'Add {source} to spec.loadBalancerSourceRanges: kubectl -n {namespace} edit service {name}',
  }),
  SESSION_AFFINITY: code('info', {
    message:
      '{subject} keeps a client on one backend (sessionAffinity ClientIP): which one depends on what this client did before.',
    cause: 'kube-proxy remembers the backend of each client address for timeoutSeconds; dumps do not show it.',
    check: ['kubectl -n {namespace} get service {name} -o jsonpath={.spec.sessionAffinity}'],
    remedy: 'Nothing to change. If one client fails and others do not, suspect the backend that it is kept on.',
  }),
  NODE_PORT_CLOSED: code('critical', {
    message: 'No Service has the node port {port}, so {subject} refuses the connection.',
    cause: 'The Service was deleted, is of type ClusterIP, or got another node port when it was made again.',
    check: ['kubectl get services -A | grep {port}'],
    remedy: 'Use the node port that the Service has now, or set spec.ports[].nodePort to {port}.',
  }),
  HEADLESS_SERVICE: code('info', {
    message: '{subject} is headless: it has no address of its own, its name gives the addresses of its pods.',
    cause: 'spec.clusterIP is None.',
    check: ['kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}'],
    remedy:
      'Ask for one of its pods instead: kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}',
  }),
  EXTERNAL_NAME_SERVICE: code('info', {
    message: '{subject} is only a name for another one outside[: {text}]; nothing in the cluster carries its traffic.',
    cause: 'spec.type is ExternalName: DNS answers with a CNAME.',
    check: ['kubectl -n {namespace} get service {name} -o jsonpath={.spec.externalName}'],
    remedy: 'Ask for the address that spec.externalName resolves to instead: external/ADDRESS',
  }),
  LOAD_BALANCER_PENDING: code('warning', {
    message: '{subject} is of type LoadBalancer and has no address yet.',
    cause: 'No controller for load balancers runs in the cluster, or it could not make one (quota, permission).',
    check: [
      'kubectl -n {namespace} describe service {name}  # Events',
      'kubectl -n kube-system get pods  # the cloud controller manager',
    ],
    remedy:
      'Look at the events of the Service and at the controller that should make the load balancer: kubectl -n {namespace} describe service {name}',
  }),
  HAIRPIN_MASQUERADE_MISSING: code('critical', {
    message:
      '{subject} sends a pod to itself without masquerade[ on node {node}][ ({backend})]: the pod would answer itself directly, so the connection hangs.',
    cause: 'kube-proxy marks such packets for masquerade; the rule was deleted or does not match the pod.',
    check: [
      'iptables-save -t nat | grep KUBE-MARK-MASQ  # run it on the node',
      'nft list set ip kube-proxy hairpin-connections',
    ],
    remedy: 'Restart kube-proxy[ on {node}]: it writes its rules anew.',
  }),
} as const;
