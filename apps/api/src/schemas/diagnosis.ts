import { DISPOSITIONS, STEP_KINDS, SYMPTOMS, VERDICTS } from '#libs/model';
import { z } from 'zod';
import { listOf } from './list.js';

// Shapes of answers: descriptions for OpenAPI and for our tests. The values come from libs/model as they are.
const Place = z
  .object({
    kind: z.string(),
    namespace: z.string().optional(),
    name: z.string(),
    node: z.string().optional(),
    interface: z.string().optional(),
  })
  .meta({ id: 'Place' });

const Endpoint = z
  .object({
    kind: z.enum(['pod', 'node', 'service', 'external', 'unknown']),
    namespace: z.string().optional(),
    name: z.string().optional(),
    node: z.string().optional(),
    ip: z.string().nullable(),
    ref: z.string().meta({ description: 'As asked, normalised.' }),
  })
  .meta({ id: 'Endpoint' });

const Packet = z
  .object({
    src: z.string(),
    dst: z.string(),
    protocol: z.string(),
    sourcePort: z.int().optional(),
    destinationPort: z.int().optional(),
    flags: z.string().optional(),
    mark: z.int().optional(),
    ttl: z.int().optional(),
    get inner() {
      return Packet.optional();
    },
  })
  .meta({ id: 'Packet' });

const Evidence = z
  .object({
    kind: z.string(),
    at: Place,
    locator: z.string().meta({ description: 'Where it stands, e.g. filter/FORWARD/3.' }),
    text: z.string(),
  })
  .meta({ id: 'Evidence' });

const Suspicion = z
  .object({
    code: z.string(),
    level: z.enum(['info', 'warning', 'critical', 'fatal']),
    layer: z.string(),
    subject: Place,
    message: z.string(),
    evidence: z.array(Evidence),
    blocking: z.boolean(),
    remedy: z.string(),
    because: z.string().optional().meta({ description: 'Fingerprint of the suspicion that this one follows from.' }),
    fingerprint: z.string(),
  })
  .meta({ id: 'Suspicion' });

const Skipped = z.object({ code: z.string(), reason: z.string(), at: Place.optional() }).meta({ id: 'Skipped' });

const Step = z
  .object({
    kind: z.enum(STEP_KINDS),
    text: z.string(),
    interface: z.string().optional(),
    evidence: Evidence.optional(),
    before: Packet.optional(),
    after: Packet.optional(),
  })
  .meta({ id: 'Step' });

const Hop = z.object({ at: Place, steps: z.array(Step), hypothetical: z.literal(true).optional() }).meta({ id: 'Hop' });

const Trace = z
  .object({
    probability: z.number(),
    disposition: z.enum(DISPOSITIONS),
    hops: z.array(Hop),
    assumptions: z.array(z.string()).optional(),
  })
  .meta({ id: 'Trace' });

const Branch = z
  .object({
    probability: z.number(),
    backend: z.string().optional(),
    symptom: z.enum(SYMPTOMS),
    disposition: z.enum(DISPOSITIONS),
    at: Place,
    sourceSeen: z.string().nullable(),
  })
  .meta({ id: 'Branch' });

const PathNode = z
  .object({
    id: z.string(),
    kind: z.string(),
    namespace: z.string().optional(),
    name: z.string(),
    actions: z.array(z.string()),
    suspicions: z.array(z.string()),
  })
  .meta({ id: 'PathNode' });

const PathLink = z
  .object({
    from: z.string(),
    to: z.string(),
    type: z.string(),
    direction: z.enum(['forward', 'reply']),
    fromInterface: z.string().optional(),
    toInterface: z.string().optional(),
    packet: Packet,
    hypothetical: z.literal(true).optional(),
  })
  .meta({ id: 'PathLink' });

export const PacketPath = z.object({ nodes: z.array(PathNode), links: z.array(PathLink) }).meta({ id: 'PacketPath' });

export const Diagnosis = z
  .object({
    id: z.string(),
    run: z.string(),
    cluster: z.string(),
    snapshot: z.string().nullable(),
    pairKey: z.string(),
    workloadKey: z.string(),
    createdAt: z.string(),
    source: Endpoint,
    destination: Endpoint,
    port: z.int(),
    protocol: z.enum(['tcp', 'udp']),
    sourcePort: z.int().optional(),
    verdict: z.enum(VERDICTS),
    symptom: z.enum(SYMPTOMS),
    branches: z.array(Branch),
    blocking: z.array(Suspicion),
    suspicions: z.array(Suspicion),
    skipped: z.array(Skipped),
    assumptions: z.array(z.string()),
    forward: z.array(Trace),
    reply: z.array(Trace),
    path: PacketPath,
    engineVersion: z.string(),
  })
  .meta({ id: 'Diagnosis' });
export const DiagnosisList = listOf(Diagnosis, 'DiagnosisList');

const Change = <S extends z.ZodType>(value: S) => z.object({ before: value, after: value, changed: z.boolean() });
const HopDiff = z
  .object({
    change: z.enum(['same', 'changed', 'added', 'gone']),
    at: Place,
    steps: z.array(z.object({ change: z.enum(['same', 'added', 'gone']), step: Step })).optional(),
  })
  .meta({ id: 'HopDiff' });

export const DiagnosisDiff = z
  .object({
    same: z.boolean(),
    verdict: Change(z.enum(VERDICTS)),
    symptom: Change(z.enum(SYMPTOMS)),
    suspicions: z.object({ added: z.array(Suspicion), gone: z.array(Suspicion), kept: z.array(Suspicion) }),
    forward: z.array(HopDiff),
    reply: z.array(HopDiff),
  })
  .meta({ id: 'DiagnosisDiff' });
