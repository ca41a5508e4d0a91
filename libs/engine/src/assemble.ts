import {
  canonicalJson,
  ENGINE_VERSION,
  placeKey,
  suspect,
  type Branch,
  type Diagnosis,
  type DiagnosisRequest,
  type Endpoint,
  type Ip,
  type Skipped,
  type Suspicion,
  type Trace,
  type Verdict,
} from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { Exchange } from './exchange.js';
import type { Leaf } from './explore.js';
import { explainObstacle } from './causes.js';
import { followsFromNobody, unknownDestination } from './endpoints.js';
import { explains } from './explains.js';
import { concerns } from './inspection.js';
import { buildPath } from './path-graph.js';
import { policyOpinion, type PolicyOpinion } from './policy-causes.js';
import { AskedService } from './service-causes.js';
import { combineVerdict } from './verdict.js';
import type { World } from './world.js';

export interface Findings {
  readonly request: DiagnosisRequest;
  readonly world: World;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly port: number;
  readonly dst: Ip;
  readonly leaves: readonly Leaf<Exchange>[];
  /** Probability that was not explored. */
  readonly rest: number;
  readonly notes: readonly Suspicion[];
  readonly skipped: readonly Skipped[];
}

/** More traces than people look at; branches are all kept, traces of the rarest are left out and that is said. */
const MAX_TRACES = 32;

/** From what all branches came to, the one answer. */
export function assemble(found: Findings): Diagnosis {
  const { request, leaves, rest } = found;
  const verdict = verdictOf(leaves, rest);
  const branches = mergeBranches(leaves, rest);
  const opinions = opinionsOf(found);
  const promises = expectations(found);
  const blocking = verdict === 'unreachable' || verdict === 'partial' ? blockingSuspicions(found, opinions) : [];
  const others = [
    ...found.notes,
    ...leaves.flatMap((leaf) => leaf.value.notes).map((note) => linkNote(note, promises)),
    ...opinions.notes.map((finding) => suspect({ ...finding, blocking: false })),
    ...promises,
  ];
  const told = new Set(blocking.map(whatAndWhere));
  const suspicions = unique(
    [...blocking, ...others.filter((suspicion) => !told.has(whatAndWhere(suspicion)))],
    (suspicion) => suspicion.fingerprint,
  );
  const forward = traces(leaves, (exchange) => exchange.forward);
  const reply = traces(leaves, (exchange) => exchange.reply);
  const skipped = [
    ...found.skipped,
    ...leaves.flatMap((leaf) => [...leaf.value.skipped, ...guesses(leaf), ...unknown(leaf)]),
  ];
  skipped.push(...optionalFiles(leaves), ...opinions.skipped);
  if (rest > 1e-9)
    skipped.push({
      code: 'TRACE_TOO_LONG',
      reason: `branches with a probability of ${rest.toFixed(6)} were not followed`,
    });
  if (Math.max(forward.total, reply.total) > MAX_TRACES)
    skipped.push({
      code: 'TRACE_TOO_LONG',
      reason: `only the ${MAX_TRACES} most probable traces are kept; branches are complete`,
    });
  return {
    source: found.source,
    destination: found.destination,
    port: found.port,
    protocol: request.protocol,
    ...(request.sourcePort === undefined ? {} : { sourcePort: request.sourcePort }),
    verdict,
    symptom: branches[0]?.symptom ?? 'unknown',
    branches,
    blocking,
    suspicions,
    skipped: sorted(skipped),
    assumptions: [...new Set(leaves.flatMap((leaf) => leaf.value.assumptions))].toSorted(),
    forward: forward.kept,
    reply: reply.kept,
    path: buildPath(
      leaves.map((leaf) => leaf.value),
      suspicions,
    ),
    engineVersion: ENGINE_VERSION,
  };
}

/** `rest`: the probability that was not explored. */
export function verdictOf(leaves: readonly Leaf<Exchange>[], rest: number): Verdict {
  const combined = combineVerdict(leaves, judge);
  return rest > 1e-9 && combined !== 'partial' ? 'undetermined' : combined;
}

/** What objects and promises say beside the walk: of the service that was asked for, and of the policies for each branch. */
interface Opinions {
  readonly service: AskedService | undefined;
  readonly opinions: ReadonlyMap<Exchange, PolicyOpinion>;
  readonly notes: readonly Finding[];
  readonly skipped: readonly Skipped[];
}

function opinionsOf({ world, request, source, dst, port, leaves }: Findings): Opinions {
  const { protocol } = request;
  const service = AskedService.of(world, { source, dst, port, protocol }, leaves[0]?.value);
  const opinions = new Map(
    leaves.map(({ value }) => [value, policyOpinion(world, { source, dst, port, protocol }, value)]),
  );
  const all = [...opinions.values()];
  return {
    service,
    opinions,
    notes: [
      ...(service?.findings(leaves.every(({ value }) => value.obstacles.length === 0)) ?? []),
      ...all.flatMap(({ notes }) => notes),
    ],
    skipped: [...(service?.skipped ?? []), ...all.flatMap(({ skipped }) => skipped)],
  };
}

/** The verdict of one branch: the first obstacle decides, and where knowledge ended nothing is decided. */
function judge({ symptom, disposition, obstacles }: Exchange): Verdict {
  const [first] = obstacles;
  if (first !== undefined) return first.obstacle.unknowable ? 'undetermined' : 'unreachable';
  return symptom === 'connected' || disposition === 'exits-cluster' ? 'reachable' : 'unreachable';
}

/** Equal outcomes are one branch; the most probable comes first, ties in an order that does not depend on exploration. */
function mergeBranches(leaves: readonly Leaf<Exchange>[], rest: number): Branch[] {
  const merged = new Map<string, { branch: Omit<Branch, 'probability'>; probability: number }>();
  for (const { value, probability } of leaves) {
    const { symptom, disposition, at, backend, sourceSeen } = value;
    const branch = { ...(backend === undefined ? {} : { backend }), symptom, disposition, at, sourceSeen };
    const key = `${backend ?? ''} ${symptom} ${disposition} ${placeKey(at)} ${sourceSeen ?? ''}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { branch, probability });
    else known.probability += probability;
  }
  if (rest > 1e-9)
    merged.set('rest', {
      branch: {
        symptom: 'unknown',
        disposition: 'insufficient-info',
        at: { kind: 'network', name: 'not followed' },
        sourceSeen: null,
      },
      probability: rest,
    });
  return [...merged]
    .toSorted(([ka, a], [kb, b]) => b.probability - a.probability || (ka < kb ? -1 : 1))
    .map(([, { branch, probability }]): Branch => ({ probability: round(probability), ...branch }));
}

/** Kills the noise of floating sums, so that equal inputs give equal bytes. */
function round(probability: number): number {
  return Math.round(probability * 1e9) / 1e9;
}

/** What stops the packet, in path order, the most probable failing branch first; a cause before what follows from it. */
function blockingSuspicions(found: Findings, { service, opinions }: Opinions): Suspicion[] {
  const failing = found.leaves
    .filter((leaf) => leaf.value.obstacles.length > 0)
    .toSorted((a, b) => b.probability - a.probability);
  const nobody = failing.length === 0 ? undefined : unknownDestination(found.world, found.dst);
  const suspicions: Suspicion[] = [];
  for (const { value } of failing)
    for (const recorded of value.obstacles) {
      if (recorded.obstacle.disposition === 'insufficient-info') continue;
      const { skb, facts } = recorded.obstacle;
      const causes = [
        ...(nobody !== undefined && skb.dst === found.dst && followsFromNobody(facts.code) ? [nobody] : []),
        ...(service?.causesOf(recorded) ?? []),
        ...(opinions.get(value)?.causesOf(recorded) ?? []),
      ];
      suspicions.push(...explainObstacle(found.world, recorded, value, causes));
    }
  // Of a place one finding of a kind is enough, whichever packet met it; rules are told one by one.
  return mergeFindings(suspicions, (suspicion) =>
    suspicion.layer === 'NETFILTER' ? suspicion.fingerprint : whatAndWhere(suspicion),
  );
}

/** What the walk notes without being stopped may follow from a promise that is not kept at that very place. */
function linkNote(note: Suspicion, promises: readonly Suspicion[]): Suspicion {
  const cause = promises.find(
    ({ code, subject }) => explains(note.code, code) !== undefined && placeKey(subject) === placeKey(note.subject),
  );
  return cause === undefined ? note : { ...note, because: cause.fingerprint };
}

/** The first of each kind, and links to those that are left out lead to the one that stands for them. */
function mergeFindings(suspicions: readonly Suspicion[], kind: (suspicion: Suspicion) => string): Suspicion[] {
  const kept = new Map<string, Suspicion>();
  const standsFor = new Map<string, string>();
  for (const suspicion of suspicions) {
    const key = kind(suspicion);
    const first = kept.get(key) ?? suspicion;
    kept.set(key, first);
    standsFor.set(suspicion.fingerprint, first.fingerprint);
  }
  return [...kept.values()].map((suspicion) =>
    suspicion.because === undefined
      ? suspicion
      : { ...suspicion, because: standsFor.get(suspicion.because) ?? suspicion.because },
  );
}

function whatAndWhere({ code, subject }: Suspicion): string {
  return `${code} ${placeKey(subject)}`;
}

/** What is not in order in the places that the packets passed, and concerns their addresses, though they got past. */
function expectations({ world, leaves }: Findings): Suspicion[] {
  const findings = new Set<Finding>();
  for (const { value } of leaves)
    for (const ns of value.visited)
      for (const finding of world.inspection.of(ns)) if (concerns(finding, value.addresses)) findings.add(finding);
  return [...findings].map(noted);
}

const notes = new WeakMap<Finding, Suspicion>();

/** What an inspection finds is found once and met by many packets. */
function noted(finding: Finding): Suspicion {
  let known = notes.get(finding);
  if (known === undefined) notes.set(finding, (known = suspect({ ...finding, blocking: false })));
  return known;
}

/** Files of nodes on the path without which something was not looked at, though the walk did not need it. */
const OPTIONAL_FILES = ['tc.txt', 'bridge-vlan.json', 'conntrack.txt', 'conntrack-count.txt'];

function optionalFiles(leaves: readonly Leaf<Exchange>[]): Skipped[] {
  const visited = new Set(leaves.flatMap((leaf) => leaf.value.visited));
  return [...visited].flatMap((ns) => (ns.place.kind === 'node' ? missingFiles(ns) : []));
}

const missing = new WeakMap<NetNamespace, readonly Skipped[]>();

function missingFiles(ns: NetNamespace): readonly Skipped[] {
  let known = missing.get(ns);
  if (known === undefined) {
    known = OPTIONAL_FILES.filter((file) => !ns.dump.files.has(file)).map((file) => ({
      code: 'NETNS_NOT_COLLECTED',
      reason: `${file} was not collected`,
      at: ns.place,
    }));
    missing.set(ns, known);
  }
  return known;
}

/** Where a branch ended because nothing more is known. */
function unknown({ value }: Leaf<Exchange>): Skipped[] {
  const [first] = value.obstacles;
  if (first?.obstacle.unknowable !== true) return [];
  const { code, subject, evidence } = first.obstacle.facts;
  return [{ code, reason: `not known: ${evidence[0]?.text ?? ''}`, at: subject }];
}

function guesses({ decisions }: Leaf<Exchange>): Skipped[] {
  return decisions
    .filter((decision) => decision.kind === 'guess')
    .map(({ key }) => ({ code: 'NETNS_NOT_COLLECTED', reason: `not known: ${key}` }));
}

function traces(
  leaves: readonly Leaf<Exchange>[],
  side: (exchange: Exchange) => Exchange['reply'],
): { kept: Trace[]; total: number } {
  const merged = new Map<string, { trace: Omit<Trace, 'probability'>; probability: number }>();
  for (const { value, probability, decisions } of leaves) {
    const one = side(value);
    if (one === undefined) continue;
    const assumptions = decisions
      .filter((decision) => decision.kind === 'guess')
      .map(({ key, index }) => `${key}: ${index === 0 ? 'yes' : 'no'}`);
    const trace = {
      disposition: one.disposition,
      hops: one.hops,
      ...(assumptions.length === 0 ? {} : { assumptions }),
    };
    // The same code builds them all, so equal traces have equal text.
    const key = leaves.length === 1 ? '' : JSON.stringify(trace);
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { trace, probability });
    else known.probability += probability;
  }
  const all = [...merged.values()]
    .toSorted((a, b) => b.probability - a.probability)
    .map(({ trace, probability }): Trace => ({ probability: round(probability), ...trace }));
  return { kept: all.slice(0, MAX_TRACES), total: all.length };
}

/** Each once, in an order that does not depend on the way; equal ones are mostly the same object. */
function sorted(skipped: readonly Skipped[]): Skipped[] {
  const byText = new Map([...new Set(skipped)].map((one) => [canonicalJson(one), one]));
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function unique<T>(items: readonly T[], key: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const one = key(item);
    if (seen.has(one)) return false;
    seen.add(one);
    return true;
  });
}
