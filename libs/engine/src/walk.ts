import { isAlive, resolveEndpoint, type Resolved } from '#libs/cluster';
import {
  ENGINE_VERSION,
  familyOf,
  suspect,
  type Diagnosis,
  type DiagnosisRequest,
  type Ip,
  type Skipped,
  type Suspicion,
} from '#libs/model';
import type { InfraQuestion } from '#libs/provider-kit';
import { assemble } from './assemble.js';
import { runExchange } from './exchange.js';
import { explore } from './explore.js';
import type { ExchangeRequest } from './packets.js';
import { MissingFact, type World } from './world.js';

/** More branches than any answer can show; beyond it the rest of the probability is `insufficient-info`. */
const MAX_BRANCHES = 2048;

/** The answer, or the facts that are needed first: fetch them, put them into the world, and walk again. */
export type WalkResult =
  | { readonly kind: 'diagnosis'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'missing'; readonly questions: readonly InfraQuestion[] };

/** The heart: pure and synchronous. The same request and world give the same answer, on any machine. */
export function walk(request: DiagnosisRequest, world: World): WalkResult {
  const owner = (ip: Ip): string | undefined => world.ownerOf(ip);
  const first = resolveEndpoint(world.cluster, owner, request.destination);
  const source = resolveEndpoint(
    world.cluster,
    owner,
    request.source,
    first.ip === undefined ? undefined : familyOf(first.ip),
  );
  const destination = resolveEndpoint(
    world.cluster,
    owner,
    request.destination,
    source.ip === undefined ? undefined : familyOf(source.ip),
  );
  const port = servicePort(request, destination);
  const problems = endpointProblems(world, source, destination, port, request.port);
  if (problems.fatal.length > 0 || destination.ip === undefined || port === undefined)
    return { kind: 'diagnosis', diagnosis: unanswerable(request, source, destination, port ?? 0, problems) };
  const exchange: ExchangeRequest = {
    client: source.namespaceKey === undefined ? undefined : world.namespaces.get(source.namespaceKey),
    clientIp: source.ip,
    dst: destination.ip,
    port,
    protocol: request.protocol,
    sourcePort: request.sourcePort,
  };
  try {
    const { leaves, rest } = explore((chooser) => runExchange(world, exchange, chooser), MAX_BRANCHES);
    const diagnosis = assemble({
      request,
      world,
      source: source.endpoint,
      destination: destination.endpoint,
      port,
      leaves,
      rest,
      notes: problems.notes,
      skipped: problems.skipped,
      dst: destination.ip,
    });
    return { kind: 'diagnosis', diagnosis };
  } catch (error) {
    if (error instanceof MissingFact) return { kind: 'missing', questions: [error.question] };
    throw error;
  }
}

/** A port name is one of the service's; undefined when it has none of that name. */
function servicePort(request: DiagnosisRequest, destination: Resolved): number | undefined {
  if (typeof request.port === 'number') return request.port;
  const found = destination.service?.ports.find(
    (port) => port.name === request.port && port.protocol.toLowerCase() === request.protocol,
  );
  return found?.port;
}

interface Problems {
  /** Without these there is nothing to walk. */
  readonly fatal: readonly Suspicion[];
  readonly notes: readonly Suspicion[];
  readonly skipped: readonly Skipped[];
}

function endpointProblems(
  world: World,
  source: Resolved,
  destination: Resolved,
  port: number | undefined,
  wanted: number | string,
): Problems {
  const fatal: Suspicion[] = [];
  const notes: Suspicion[] = [];
  const skipped: Skipped[] = [];
  for (const [end, code] of [
    [source, 'SRC_NOT_FOUND'],
    [destination, 'DST_NOT_FOUND'],
  ] as const) {
    const { endpoint } = end;
    const subject = {
      kind: endpoint.kind,
      ...(endpoint.namespace === undefined ? {} : { namespace: endpoint.namespace }),
      name: endpoint.name ?? endpoint.ref,
    };
    const found = (text: string) => ({
      kind: 'object' as const,
      at: subject,
      locator: `reference/${endpoint.ref}`,
      text,
    });
    if (end.missing !== undefined) {
      fatal.push(
        suspect({
          code,
          subject,
          evidence: [found(end.missing)],
          blocking: false,
          details: { reference: endpoint.ref },
        }),
      );
      skipped.push({ code, reason: end.missing });
    } else if (end.pod !== undefined && end.ip === undefined)
      fatal.push(
        suspect({
          code: 'POD_NO_IP',
          subject,
          evidence: [found(`status.podIPs of ${endpoint.ref} is empty`)],
          blocking: false,
        }),
      );
    else if (end.service !== undefined && end.ip === undefined) {
      const kind = end.service.type === 'ExternalName' ? 'EXTERNAL_NAME_SERVICE' : 'HEADLESS_SERVICE';
      fatal.push(
        suspect({
          code: kind,
          subject,
          evidence: [found(`spec.clusterIP of ${endpoint.ref} is None or empty`)],
          blocking: false,
          details: { name: endpoint.ref },
        }),
      );
      skipped.push({ code: kind, reason: `${endpoint.ref} has no cluster IP: ask for one of its pods` });
    }
    if (end.alsoClaimedBy.length > 0)
      notes.push(
        suspect({
          code: 'IP_AMBIGUOUS',
          subject,
          evidence: [found(`also ${end.alsoClaimedBy.join(', ')}`)],
          blocking: false,
          details: { ip: endpoint.ip ?? '', owners: end.alsoClaimedBy.join(', ') },
        }),
      );
    if (end.pod !== undefined && !isAlive(end.pod))
      notes.push(
        suspect({
          code: 'POD_NOT_RUNNING',
          subject,
          evidence: [found(`status.phase: ${end.pod.phase}`)],
          blocking: false,
          details: { phase: end.pod.phase },
        }),
      );
  }
  if (source.missing === undefined && source.endpoint.kind === 'service')
    fatal.push(
      suspect({
        code: 'SRC_NOT_FOUND',
        subject: { kind: 'service', name: source.endpoint.ref },
        evidence: [
          {
            kind: 'object',
            at: { kind: 'service', name: source.endpoint.ref },
            locator: `reference/${source.endpoint.ref}`,
            text: 'a service sends nothing',
          },
        ],
        blocking: false,
        details: { reference: source.endpoint.ref },
      }),
    );
  else if (source.missing === undefined) checkSourceDump(world, source, fatal, skipped);
  if (port === undefined && destination.missing === undefined) {
    const subject = { kind: destination.endpoint.kind, name: destination.endpoint.name ?? destination.endpoint.ref };
    fatal.push(
      suspect({
        code: 'NAMED_PORT_UNRESOLVED',
        subject,
        evidence: [
          {
            kind: 'object',
            at: subject,
            locator: `reference/${destination.endpoint.ref}`,
            text: 'only a service has named ports',
          },
        ],
        blocking: false,
        details: { port: String(wanted) },
      }),
    );
  }
  return { fatal, notes, skipped };
}

/** The walk starts in the source's namespace: without its dump nothing can be said. */
function checkSourceDump(world: World, source: Resolved, fatal: Suspicion[], skipped: Skipped[]): void {
  const key = source.namespaceKey;
  if (key !== undefined && world.namespaces.has(key)) return;
  const { endpoint } = source;
  const inCluster =
    source.ip !== undefined && (world.cluster.isPodAddress(source.ip) || world.cluster.isServiceAddress(source.ip));
  if (key === undefined && !inCluster && endpoint.kind === 'external') return;
  const subject = {
    kind: endpoint.kind,
    ...(endpoint.namespace === undefined ? {} : { namespace: endpoint.namespace }),
    name: endpoint.name ?? endpoint.ref,
  };
  if (key === undefined) {
    fatal.push(
      suspect({
        code: 'SRC_NOT_FOUND',
        subject,
        evidence: [
          {
            kind: 'object',
            at: subject,
            locator: `reference/${endpoint.ref}`,
            text: `${endpoint.ref} is an address of the cluster that no pod, node or service has`,
          },
        ],
        blocking: false,
        details: { reference: endpoint.ref },
      }),
    );
    skipped.push({ code: 'SRC_NOT_FOUND', reason: `${endpoint.ref} belongs to nobody in the snapshot` });
    return;
  }
  const nodeName = key.startsWith('node/') ? key.slice('node/'.length) : undefined;
  const reason =
    (nodeName === undefined ? undefined : world.cluster.snapshot.nodes.get(nodeName)?.error) ?? `no dump of ${key}`;
  fatal.push(
    suspect({
      code: nodeName === undefined ? 'NETNS_NOT_COLLECTED' : 'NODE_NOT_COLLECTED',
      subject,
      evidence: [{ kind: 'file', at: subject, locator: key, text: reason }],
      blocking: false,
      details: { reason },
    }),
  );
  skipped.push({
    code: nodeName === undefined ? 'NETNS_NOT_COLLECTED' : 'NODE_NOT_COLLECTED',
    reason: `${key}: ${reason}`,
    at: subject,
  });
}

function unanswerable(
  request: DiagnosisRequest,
  source: Resolved,
  destination: Resolved,
  port: number,
  problems: Problems,
): Diagnosis {
  const [first] = problems.fatal;
  const at = first?.subject ?? { kind: 'unknown', name: source.endpoint.ref };
  return {
    source: source.endpoint,
    destination: destination.endpoint,
    port: typeof request.port === 'number' ? request.port : port,
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
