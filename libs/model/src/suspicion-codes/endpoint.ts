import { codesOf } from './entry.js';

const code = codesOf('ENDPOINT');

/** The two ends: do they exist, do they run, does somebody listen. */
export const ENDPOINT_CODES = {
  SRC_NOT_FOUND: code('critical', {
    message: 'The source {reference} names nothing in this snapshot, so there is no place to send from[: {text}].',
    cause: 'The name is misspelt, the object was deleted, or it was created after the snapshot was taken.',
    check: ['kubectl get pods -A -o wide | grep NAME-OR-IP', 'hopscope snapshot show DIR  # when it was taken'],
    remedy: 'Correct the name of the source, or take a newer snapshot.',
  }),
  DST_NOT_FOUND: code('critical', {
    message: 'The destination {reference} names nothing in this snapshot, so there is no address to send to[: {text}].',
    cause: 'The name is misspelt, the object was deleted, or it was created after the snapshot was taken.',
    check: ['kubectl get pods,services -A -o wide | grep NAME-OR-IP'],
    remedy: 'Correct the name of the destination, or take a newer snapshot.',
  }),
  IP_AMBIGUOUS: code('warning', {
    message: '{ip} belongs to {subject} and also to {owners}; the answer is for {subject}.',
    cause:
      'Two objects have the same address, most often because one of them has ended and its address was given out again.',
    check: ['kubectl get pods -A -o wide | grep {ip}'],
    remedy: 'Delete the object that no longer should have {ip}; completed pods may be deleted at any time.',
  }),
  POD_NOT_RUNNING: code('critical', {
    message: '{subject} is {phase}, not Running: it has no processes that could send or answer.',
    cause: 'The pod has ended, or was never started. An address in its status may meanwhile belong to another pod.',
    check: ['kubectl -n {namespace} get pod {name} -o wide', 'kubectl -n {namespace} describe pod {name}  # Events'],
    remedy: 'Find out why it does not run: kubectl -n {namespace} describe pod {name}',
  }),
  POD_TERMINATING: code('warning', {
    message: '{subject} is being deleted: it is taken out of its services and soon answers no more.',
    cause:
      'metadata.deletionTimestamp is set. Until the grace period ends the pod still runs, and new connections go elsewhere.',
    check: ['kubectl -n {namespace} get pod {name} -o jsonpath={.metadata.deletionTimestamp}'],
    remedy:
      'Ask for its replacement instead. If it hangs, look at its finalizers: kubectl -n {namespace} get pod {name} -o yaml',
  }),
  POD_NO_IP: code('critical', {
    message: '{subject} has no IP address: its network was not set up.',
    cause: 'The pod is not scheduled yet, or the CNI plugin of its node failed to add it.',
    check: [
      'kubectl -n {namespace} describe pod {name}  # Events: FailedCreatePodSandBox',
      'journalctl -u kubelet | grep {name}',
    ],
    remedy:
      'Look at the events of the pod (kubectl -n {namespace} describe pod {name}), then at the CNI agent of its node.',
  }),
  POD_NOT_READY: code('warning', {
    message: '{subject} is not ready[: {reason}], so its services do not send to it.',
    cause: 'Its readiness probe fails, or one of its containers is not running.',
    check: ['kubectl -n {namespace} describe pod {name}  # Conditions and Events'],
    remedy: 'Make its readiness probe pass: kubectl -n {namespace} describe pod {name}',
  }),
  NO_LISTENER: code('critical', {
    message:
      'The packet arrives, but nothing listens on {protocol} port {port} {at}: its kernel refuses the connection. Listening there: {listeners}.',
    cause: 'The server is not running, still starting, or listens on another port than the one that is asked for.',
    check: ['ss -lntup  # run it {at}', 'kubectl -n {namespace} logs {name}'],
    remedy:
      'Start the server that should listen on port {port}, or ask for a port that is served (port of the request, targetPort of the Service).',
  }),
  LISTENER_LOOPBACK_ONLY: code('critical', {
    message:
      'The packet arrives, but {subject} listens on {protocol} port {port} only at {listeners}: its kernel refuses what comes for another address.',
    cause:
      'The server is bound to 127.0.0.1 or to another single address, so it serves only who asks for exactly that address.',
    check: ['ss -lntup  # run it {at}: the column Local Address:Port'],
    remedy: 'Bind the server {at} to 0.0.0.0 (IPv6: ::) or to the address that is asked for, then restart it.',
  }),
  LISTENER_WRONG_FAMILY: code('critical', {
    message:
      'The packet arrives, but {subject} listens on {protocol} port {port} for the other address family only ({listeners}), so its kernel refuses it.',
    cause: 'The server has an IPv4 socket and is asked over IPv6, or an IPv6 socket with bindv6only.',
    check: ['ss -lntup  # run it {at}: 0.0.0.0 is IPv4 only, * is both, [::] may be IPv6 only'],
    remedy: 'Make the server {at} listen on both families, or ask for an address of the family that it serves.',
  }),
  LISTENER_BOUND_TO_DEVICE: code('critical', {
    message:
      'The packet arrives, but the listener on {protocol} port {port} in {subject} is bound to another interface ({listeners}), so its kernel refuses it.',
    cause: 'SO_BINDTODEVICE: the socket takes only what comes in by its own interface.',
    check: ['ss -lntup  # run it {at}: ADDRESS%INTERFACE:PORT'],
    remedy: 'Take the binding to an interface out of the configuration of the server {at}.',
  }),
  LISTENER_BACKLOG_FULL: code('critical', {
    message:
      'The accept queue of the listener on {protocol} port {port} in {subject} is full ({queue}): its kernel drops new connections silently.',
    cause: 'The process does not call accept() fast enough: it is overloaded, stopped, or waits for something.',
    check: ['ss -lnt  # run it {at}: Recv-Q larger than Send-Q', 'nstat -az TcpExtListenOverflows'],
    remedy:
      'Find out why the server {at} does not accept (load, a deadlock, SIGSTOP); raise its backlog and net.core.somaxconn when load is normal.',
  }),
  POD_IP_MISMATCH: code('critical', {
    message: '{subject} has {ip} in its status, and its network namespace has another address[: {alsoText}].',
    cause:
      'The address inside the pod was changed, or the status is of an earlier sandbox: what is sent to the pod goes nowhere.',
    check: ['kubectl -n {namespace} get pod {name} -o jsonpath={.status.podIPs}', 'ip addr  # run it {at}'],
    remedy:
      'Recreate the pod: kubectl -n {namespace} delete pod {name}. If it comes back, look at the CNI agent of its node.',
  }),
  SAME_ENDPOINT_HAIRPIN: code('info', {
    message: 'Source and destination are the same endpoint, {subject}: the packet stays inside it.',
    cause:
      'An endpoint that asks for its own address is answered by its own kernel over lo; nothing of the cluster is used.',
    check: ['ip route get ADDRESS  # run it {at}: dev lo'],
    remedy: 'Nothing to change. Ask from another endpoint to learn something about the network.',
  }),
  NODE_NOT_READY: code('warning', {
    message: '{subject} is not ready[: {reason}]: pods there may not be set up, and services do not send to them.',
    cause: 'The kubelet has stopped reporting, or reports that its network or runtime does not work.',
    check: ['kubectl describe node {name}  # Conditions', 'systemctl status kubelet  # run it {at}'],
    remedy: 'Bring the kubelet and the CNI agent of {name} back: kubectl describe node {name}',
  }),
  ADDRESS_UNKNOWN: code('warning', {
    message: '{ip} is in the {network}, and no object of this snapshot has it: nobody can answer there.',
    cause:
      'The address is stale (of a pod or service that was deleted), mistyped, or was given out after the snapshot was taken.',
    check: ['kubectl get pods,services -A -o wide | grep {ip}'],
    remedy: 'Correct the address, or take a newer snapshot.',
  }),
} as const;
