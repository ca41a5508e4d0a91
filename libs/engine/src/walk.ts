import { resolveEndpoint, type Resolved } from '#libs/cluster';
import { familyOf, type Diagnosis, type DiagnosisRequest, type Ip } from '#libs/model';
import type { InfraQuestion } from '#libs/provider-kit';
import { assemble, verdictOf } from './assemble.js';
import { endpointProblems, unanswerable, type EndpointProblems, type Ends } from './endpoints.js';
import { runExchange } from './exchange.js';
import { explore } from './explore.js';
import type { KnownHalves } from './known-halves.js';
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
  const question = ask(request, world);
  const { source, destination, port } = question.ends;
  const { exchange, problems } = question;
  if (exchange === undefined) return { kind: 'diagnosis', diagnosis: unanswerable(request, question.ends, problems) };
  try {
    const { leaves, rest } = explore((chooser) => runExchange(world, exchange, chooser), MAX_BRANCHES);
    const diagnosis = assemble({
      request,
      world,
      source: source.endpoint,
      destination: destination.endpoint,
      port: port ?? 0,
      leaves,
      rest,
      notes: problems.notes,
      skipped: problems.skipped,
      dst: exchange.dst,
    });
    return { kind: 'diagnosis', diagnosis };
  } catch (error) {
    if (error instanceof MissingFact) return { kind: 'missing', questions: [error.question] };
    throw error;
  }
}

/**
 * Whether the answer is plainly `reachable`, found without keeping what happened on the way; false: it is something else, and only
 * walk() tells what. The same code walks, so both never disagree.
 */
export function isReachable(
  request: DiagnosisRequest,
  world: World,
  halves: KnownHalves,
): boolean | Extract<WalkResult, { kind: 'missing' }> {
  const pair = halves.pairOf(request);
  if (pair !== undefined && halves.isKnown(pair)) return true;
  const { exchange } = ask(request, world);
  if (exchange === undefined) return false;
  try {
    const { leaves, rest } = explore((chooser) => runExchange(world, exchange, chooser, true), MAX_BRANCHES);
    if (verdictOf(leaves, rest) !== 'reachable') return false;
    const [only, ...others] = leaves;
    if (pair !== undefined && only?.decisions.length === 0 && others.length === 0) halves.remember(pair, only.value);
    return true;
  } catch (error) {
    if (error instanceof MissingFact) return { kind: 'missing', questions: [error.question] };
    throw error;
  }
}

interface Question {
  readonly ends: Ends;
  readonly problems: EndpointProblems;
  /** undefined: there is nothing to walk, for the fatal ones of `problems`. */
  readonly exchange: ExchangeRequest | undefined;
}

/** The request with its names looked up. */
function ask(request: DiagnosisRequest, world: World): Question {
  const owner = (ip: Ip): string | undefined => world.ownerOf(ip);
  const first = resolveEndpoint(world.cluster, owner, request.destination);
  const family = first.ip === undefined ? undefined : familyOf(first.ip);
  const source = resolveEndpoint(world.cluster, owner, request.source, family);
  const sameFamily = source.ip === undefined || source.ip === first.ip || familyOf(source.ip) === family;
  const destination = sameFamily
    ? first
    : resolveEndpoint(
        world.cluster,
        owner,
        request.destination,
        source.ip === undefined ? family : familyOf(source.ip),
      );
  const port = servicePort(request, destination);
  const ends = { source, destination, port };
  const problems = endpointProblems(world, ends, request.port);
  if (problems.fatal.length > 0 || destination.ip === undefined || port === undefined)
    return { ends, problems, exchange: undefined };
  return {
    ends,
    problems,
    exchange: {
      client: source.namespaceKey === undefined ? undefined : world.namespaces.get(source.namespaceKey),
      clientIp: source.ip,
      dst: destination.ip,
      port,
      protocol: request.protocol,
      sourcePort: request.sourcePort,
    },
  };
}

/** A port name is one of the service's; undefined when it has none of that name. */
function servicePort(request: DiagnosisRequest, destination: Resolved): number | undefined {
  if (typeof request.port === 'number') return request.port;
  const found = destination.service?.ports.find(
    (port) => port.name === request.port && port.protocol.toLowerCase() === request.protocol,
  );
  return found?.port;
}
