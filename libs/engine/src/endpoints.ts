import { endpointFindings, unknownAddress, type Resolved } from '#libs/cluster';
import {
  ENGINE_VERSION,
  suspect,
  type Diagnosis,
  type DiagnosisRequest,
  type Evidence,
  type Ip,
  type Place,
  type Skipped,
  type Suspicion,
  type SuspicionCode,
} from '#libs/model';
import type { Finding } from '#libs/provider-kit';
import type { World } from './world.js';

/** What is to be said of the two ends before a packet is sent. */
export interface EndpointProblems {
  /** Without these there is nothing to walk. */
  readonly fatal: readonly Suspicion[];
  readonly notes: readonly Suspicion[];
  readonly skipped: readonly Skipped[];
}

export interface Ends {
  readonly source: Resolved;
  readonly destination: Resolved;
  /** undefined: the destination has no port of the name that was asked for. */
  readonly port: number | undefined;
}

interface Collected {
  readonly fatal: Suspicion[];
  readonly notes: Suspicion[];
  readonly skipped: Skipped[];
}

/** Whether both ends exist and can be asked, and what their objects say against them. */
export function endpointProblems(world: World, ends: Ends, wanted: number | string): EndpointProblems {
  const problems: Collected = { fatal: [], notes: [], skipped: [] };
  checkEnd(world, ends.source, 'source', problems);
  checkEnd(world, ends.destination, 'destination', problems);
  if (ends.source.missing === undefined) checkSource(world, ends.source, problems);
  if (ends.port === undefined && ends.destination.missing === undefined)
    problems.fatal.push(
      problem('NAMED_PORT_UNRESOLVED', ends.destination, 'only a service has named ports', { port: String(wanted) }),
    );
  return problems;
}

function checkEnd(world: World, end: Resolved, role: 'source' | 'destination', problems: Collected): void {
  const { ref } = end.endpoint;
  if (end.missing !== undefined) {
    const code = role === 'source' ? 'SRC_NOT_FOUND' : 'DST_NOT_FOUND';
    problems.fatal.push(problem(code, end, end.missing, { reference: ref }));
    problems.skipped.push({ code, reason: end.missing });
  } else if (end.service !== undefined && end.ip === undefined) {
    const code = end.service.type === 'ExternalName' ? 'EXTERNAL_NAME_SERVICE' : 'HEADLESS_SERVICE';
    problems.fatal.push(problem(code, end, `spec.clusterIP of ${ref} is None or empty`));
    problems.skipped.push({ code, reason: `${ref} has no cluster IP: ask for one of its pods` });
  }
  for (const finding of endpointFindings(world.cluster, end, role)) {
    const list = finding.code === 'POD_NO_IP' ? problems.fatal : problems.notes;
    list.push(suspect({ ...finding, blocking: false }));
  }
}

/** The walk starts in the source's namespace: without its dump nothing can be said. */
function checkSource(world: World, source: Resolved, { fatal, skipped }: Collected): void {
  const { endpoint, namespaceKey: key, ip } = source;
  const details = { reference: endpoint.ref };
  if (endpoint.kind === 'service') {
    fatal.push(problem('SRC_NOT_FOUND', source, 'a service sends nothing', details));
    return;
  }
  if (key !== undefined && world.namespaces.has(key)) return;
  const inCluster = ip !== undefined && (world.cluster.isPodAddress(ip) || world.cluster.isServiceAddress(ip));
  if (key === undefined && !inCluster && endpoint.kind === 'external') return;
  if (key === undefined) {
    const text = `${endpoint.ref} is an address of the cluster that no pod, node or service has`;
    fatal.push(problem('SRC_NOT_FOUND', source, text, details));
    skipped.push({ code: 'SRC_NOT_FOUND', reason: `${endpoint.ref} belongs to nobody in the snapshot` });
    return;
  }
  const node = key.startsWith('node/') ? key.slice('node/'.length) : undefined;
  const code = node === undefined ? 'NETNS_NOT_COLLECTED' : 'NODE_NOT_COLLECTED';
  const reason = world.cluster.snapshot.nodes.get(node ?? '')?.error ?? `no dump of ${key}`;
  const subject = placeOf(source);
  const evidence: Evidence = { kind: 'file', at: subject, locator: key, text: reason };
  fatal.push(suspect({ code, subject, evidence: [evidence], blocking: false, details: { reason } }));
  skipped.push({ code, reason: `${key}: ${reason}`, at: subject });
}

function problem(
  code: SuspicionCode,
  end: Resolved,
  text: string,
  details?: Readonly<Record<string, string>>,
): Suspicion {
  const at = placeOf(end);
  const evidence: Evidence = { kind: 'object', at, locator: `reference/${end.endpoint.ref}`, text };
  return suspect({ code, subject: at, evidence: [evidence], blocking: false, ...(details && { details }) });
}

function placeOf({ endpoint: { kind, namespace, name, ref } }: Resolved): Place {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name: name ?? ref };
}

/** Obstacles that follow when the address that was asked for is nobody's: there is no good way to it. */
const NO_WAY: ReadonlySet<SuspicionCode> = new Set([
  'NO_ROUTE',
  'ROUTE_BLACKHOLE',
  'ROUTE_UNREACHABLE',
  'ROUTE_PROHIBIT',
  'ROUTING_LOOP',
  'TTL_EXCEEDED',
  'CLOUD_NO_ROUTE',
  'ENDS_BEYOND_MODEL',
  'NEIGH_FAILED',
  'NEIGH_INCOMPLETE',
  'NEIGH_MISSING',
  'FDB_MISSING',
]);

/** An address of the pod network that no object and no interface of the snapshot has. */
export function unknownDestination(world: World, dst: Ip): Finding | undefined {
  return unknownAddress(world.cluster, dst, (ip) => world.ownerOf(ip) !== undefined);
}

/** Whether an obstacle is but what becomes of a packet to nobody. */
export function followsFromNobody(code: SuspicionCode): boolean {
  return NO_WAY.has(code);
}

/** The answer when there is nothing to walk. */
export function unanswerable(request: DiagnosisRequest, ends: Ends, problems: EndpointProblems): Diagnosis {
  const { source, destination } = ends;
  const at = problems.fatal[0]?.subject ?? { kind: 'unknown', name: source.endpoint.ref };
  return {
    source: source.endpoint,
    destination: destination.endpoint,
    port: typeof request.port === 'number' ? request.port : (ends.port ?? 0),
    protocol: request.protocol,
    ...(request.sourcePort === undefined ? {} : { sourcePort: request.sourcePort }),
    verdict: 'undetermined',
    symptom: 'unknown',
    branches: [{ probability: 1, symptom: 'unknown', disposition: 'insufficient-info', at, sourceSeen: null }],
    blocking: [],
    suspicions: [...problems.fatal, ...problems.notes],
    skipped: problems.skipped,
    assumptions: [],
    forward: [{ probability: 1, disposition: 'insufficient-info', hops: [] }],
    reply: [],
    path: { nodes: [], links: [] },
    engineVersion: ENGINE_VERSION,
  };
}
