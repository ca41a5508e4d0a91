import type { ClusterSpec, Protocol } from '../cluster/spec.js';
import type { Probe } from '../traffic/agents.js';

/** A question, in the form that the CLI and samples/cases.json have it. */
export interface LabPair {
  readonly id: string;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: Protocol;
}

const SERVICE_ATTEMPTS = 6;

/** Every way that traffic takes in a small cluster. All of them work when it is healthy. */
export const ALL_PAIRS: readonly LabPair[] = [
  pair('pod-same-node', 'pod/default/client-0', 'pod/default/web-0', 8080),
  pair('pod-same-node-udp', 'pod/default/client-0', 'pod/default/web-0', 5353, 'udp'),
  pair('pod-other-node', 'pod/default/client-0', 'pod/default/web-1', 8080),
  pair('pod-other-node-udp', 'pod/default/client-0', 'pod/default/web-1', 5353, 'udp'),
  pair('pod-other-node-back', 'pod/default/web-1', 'pod/default/client-0', 8080),
  pair('pod-orders', 'pod/default/client-0', 'pod/default/orders-0', 8080),
  pair('pod-service', 'pod/default/client-0', 'service/default/web', 80),
  pair('pod-service-udp', 'pod/default/client-0', 'service/default/names', 53, 'udp'),
  pair('pod-service-first', 'pod/default/client-0', 'service/default/web-first', 80),
  pair('pod-service-orders', 'pod/default/client-0', 'service/default/orders', 80),
  pair('pod-service-kubernetes', 'pod/default/client-0', 'service/default/kubernetes', 443),
  pair('pod-own-service', 'pod/default/web-0', 'service/default/web-first', 80),
  pair('pod-own-node', 'pod/default/client-0', 'node/node1', 10250),
  pair('pod-other-node-host', 'pod/default/client-0', 'node/node2', 10250),
  pair('pod-nodeport-own-node', 'pod/default/client-0', 'node/node1', 30080),
  pair('pod-nodeport-other-node', 'pod/default/client-0', 'node/node2', 30080),
  pair('pod-external', 'pod/default/client-0', 'external/203.0.113.10', 8080),
  pair('pod-external-udp', 'pod/default/client-0', 'external/203.0.113.10', 5353, 'udp'),
  pair('node-own-pod', 'node/node1', 'pod/default/web-0', 8080),
  pair('node-other-pod', 'node/node1', 'pod/default/web-1', 8080),
  pair('node-service', 'node/node1', 'service/default/web', 80),
  pair('node-nodeport', 'node/node1', 'node/node1', 30080),
  pair('node-node', 'node/node1', 'node/node2', 10250),
  pair('node-external', 'node/node1', 'external/203.0.113.10', 8080),
  pair('external-node', 'external/203.0.113.10', 'node/node1', 10250),
  pair('external-nodeport', 'external/203.0.113.10', 'node/node1', 30080),
];

function pair(id: string, source: string, destination: string, port: number, protocol: Protocol = 'tcp'): LabPair {
  return { id, source, destination, port, protocol };
}

/** How the kernel is asked: from which namespace, to which address. */
export function probeOf({ id, source, destination, port, protocol }: LabPair, cluster: ClusterSpec): Probe {
  const dice = destination.startsWith('service/') || port >= 30000;
  const attempts = dice ? SERVICE_ATTEMPTS : 1;
  return { id, from: namespaceOf(source, cluster), address: addressOf(destination, cluster), port, protocol, attempts };
}

function namespaceOf(reference: string, cluster: ClusterSpec): string {
  const [kind = '', first = '', second = ''] = reference.split('/');
  if (kind === 'pod') return `pod-${first}-${second}`;
  if (kind === 'node') return first;
  const host = cluster.external.find(({ address }) => address === first);
  if (kind === 'external' && host !== undefined) return host.name;
  throw new Error(`lab: no namespace for ${reference}`);
}

function addressOf(reference: string, cluster: ClusterSpec): string {
  const [kind = '', first = '', second = ''] = reference.split('/');
  const address =
    kind === 'pod'
      ? cluster.pods.find(({ namespace, name }) => namespace === first && name === second)?.address
      : kind === 'node'
        ? cluster.nodes.find(({ name }) => name === first)?.address
        : kind === 'service'
          ? cluster.services.find(({ namespace, name }) => namespace === first && name === second)?.clusterIp
          : first;
  if (address === undefined) throw new Error(`lab: nothing is called ${reference}`);
  return address;
}
