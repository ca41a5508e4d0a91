import { resolveEndpoint, type Resolved } from '#libs/cluster';
import { familyOf, type Diagnosis, type DiagnosisRequest, type Ip } from '#libs/model';
import type { InfraQuestion } from '#libs/provider-kit';
import { assemble } from './assemble.js';
import { endpointProblems, unanswerable } from './endpoints.js';
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
  const ends = { source, destination, port };
  const problems = endpointProblems(world, ends, request.port);
  if (problems.fatal.length > 0 || destination.ip === undefined || port === undefined)
    return { kind: 'diagnosis', diagnosis: unanswerable(request, ends, problems) };
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
