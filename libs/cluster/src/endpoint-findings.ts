import {
  cidrContains,
  formatCidr,
  formatIp,
  type Evidence,
  type Ip,
  type Place,
  type SuspicionFacts,
} from '#libs/model';
import { isAlive, type ClusterIndex } from './cluster-index.js';
import type { NodeObject, PodObject } from './objects.js';
import type { Resolved } from './resolve.js';

type EndpointFinding = Omit<SuspicionFacts, 'blocking'>;

/**
 * What the objects say against one end of a connection: pods that do not run, end, are not ready or have no address, addresses that
 * others claim, nodes that are not ready. A source need not be ready to send.
 */
export function endpointFindings(
  index: ClusterIndex,
  { pod, ip, endpoint, alsoClaimedBy }: Resolved,
  role: 'source' | 'destination',
): EndpointFinding[] {
  const node = index.nodes.get(endpoint.node ?? '');
  return [
    ...(pod === undefined ? [] : podFindings(index, pod, role)),
    ...(ip === undefined || alsoClaimedBy.length === 0 ? [] : [ambiguous(placeOfEnd(endpoint), ip, alsoClaimedBy)]),
    ...(node === undefined || node.ready ? [] : [nodeNotReady(node)]),
  ];
}

export function podFindings(index: ClusterIndex, pod: PodObject, role: 'source' | 'destination'): EndpointFinding[] {
  const subject: Place = { kind: 'pod', namespace: pod.namespace, name: pod.name };
  const field = (path: string, text: string): Evidence => ({
    kind: 'object',
    at: subject,
    locator: `Pod/${pod.namespace}/${pod.name}:${path}`,
    text,
  });
  const findings: EndpointFinding[] = [];
  // A hand-made object without a phase says nothing.
  if (pod.phase !== 'Running' && pod.phase !== 'Unknown') {
    const reason = pod.notReadyReason === undefined ? [] : [field('status.conditions', pod.notReadyReason)];
    findings.push({
      code: 'POD_NOT_RUNNING',
      subject,
      evidence: [field('status.phase', pod.phase), ...reason],
      details: { phase: pod.phase },
    });
  }
  if (pod.ips.length === 0) findings.push({ code: 'POD_NO_IP', subject, evidence: [field('status.podIPs', 'empty')] });
  if (pod.terminating)
    findings.push({ code: 'POD_TERMINATING', subject, evidence: [field('metadata.deletionTimestamp', 'is set')] });
  else if (role === 'destination' && pod.phase === 'Running' && pod.notReadyReason !== undefined)
    findings.push({
      code: 'POD_NOT_READY',
      subject,
      evidence: [field('status.conditions', pod.notReadyReason)],
      details: { reason: pod.notReadyReason },
    });
  if (!isAlive(pod) && !pod.hostNetwork) findings.push(...reused(index, pod, subject));
  return findings;
}

/** A pod that is over gives its address back; who has it now is somebody else. */
function reused(index: ClusterIndex, pod: PodObject, subject: Place): EndpointFinding[] {
  return pod.ips.flatMap((ip): EndpointFinding[] => {
    const owners = index.podsAt(ip).map(({ namespace, name }) => `pod ${namespace}/${name}`);
    return owners.length === 0 ? [] : [ambiguous(subject, ip, owners)];
  });
}

function ambiguous(subject: Place, ip: Ip, owners: readonly string[]): EndpointFinding {
  const address = formatIp(ip);
  return {
    code: 'IP_AMBIGUOUS',
    subject,
    evidence: [{ kind: 'object', at: subject, locator: `address/${address}`, text: `also ${owners.join(', ')}` }],
    details: { ip: address, owners: owners.join(', ') },
  };
}

function nodeNotReady({ name, notReadyReason }: NodeObject): EndpointFinding {
  const subject: Place = { kind: 'node', name };
  const reason = notReadyReason ?? 'its condition Ready is not True';
  return {
    code: 'NODE_NOT_READY',
    subject,
    evidence: [{ kind: 'object', at: subject, locator: `Node/${name}:status.conditions`, text: reason }],
    details: { reason },
  };
}

/**
 * An address of the pod network that nobody has. `isOwned` knows the addresses on interfaces (gateways, bridges): those are no
 * objects and yet there.
 */
export function unknownAddress(index: ClusterIndex, ip: Ip, isOwned: (ip: Ip) => boolean): EndpointFinding | undefined {
  if (!index.objectsCollected || index.nodeAt(ip) !== undefined || index.podsAt(ip).length > 0 || isOwned(ip))
    return undefined;
  const node = index.nodeOfPodAddress(ip);
  const cidr = (node?.podCidrs ?? index.podCidrs).find((one) => cidrContains(one, ip));
  if (cidr === undefined) return undefined;
  const address = formatIp(ip);
  const subject: Place = { kind: 'address', name: address };
  const finished = index.finishedPodsAt(ip).map(({ namespace, name, phase }) => `pod ${namespace}/${name} (${phase})`);
  const network = `pod network ${formatCidr(cidr)}${node === undefined ? '' : ` of node ${node.name}`}`;
  return {
    code: 'ADDRESS_UNKNOWN',
    subject,
    evidence: [
      {
        kind: 'object',
        at: subject,
        locator: `address/${address}`,
        text: finished.length === 0 ? `in the ${network}, of no pod` : `it was of ${finished.join(', ')}`,
      },
    ],
    details: { ip: address, network },
  };
}

function placeOfEnd({ kind, namespace, name, ref }: Resolved['endpoint']): Place {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name: name ?? ref };
}
