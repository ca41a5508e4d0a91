import { ClusterIndex, resolveEndpoint } from '#libs/cluster';
import {
  formatCidr,
  formatIp,
  HopscopeError,
  parseCidr,
  parseEndpointRef,
  parseIp,
  parsePair,
  type KubernetesObject,
} from '#libs/model';
import { readSnapshotArchive } from '#libs/snapshot-archive';
import type { Input, Target } from './attempt.js';
import type { Base } from './corpus.js';
import { mutateArchive } from './mutate-bytes.js';
import { mutateJson } from './mutate-json.js';
import { mutateText } from './mutate-text.js';

const REFERENCES = [
  '10.0.0.1',
  'fd00::1',
  'pod/default/web-0',
  'node/node1',
  'service/default/web',
  'external/203.0.113.10',
  'deployment/default/web',
];

export function libraryTargets(corpus: readonly Base[]): readonly Target[] {
  return [archiveTarget(corpus), objectsTarget(corpus), ...modelTargets(corpus)];
}

/** tar, gzip and the JSON files at the top, as an upload brings them. */
function archiveTarget(corpus: readonly Base[]): Target {
  return {
    name: 'read an archive',
    weight: 2,
    limitMs: 4_000,
    make: (random) => ({ 'snapshot.tar.gz': mutateArchive(random.pick(corpus).archive, random).toString('base64') }),
    run: async (input) => {
      try {
        await readSnapshotArchive(Buffer.from(input['snapshot.tar.gz'] ?? '', 'base64'));
      } catch (error) {
        if (error instanceof HopscopeError && !error.code.startsWith('SNAPSHOT_')) return [`the code is ${error.code}`];
        throw error;
      }
      return [];
    },
  };
}

/** Kubernetes objects with wrong types everywhere: only apiVersion, kind and metadata.name are checked before. */
function objectsTarget(corpus: readonly Base[]): Target {
  const lists = corpus.map(({ snapshot }) => JSON.stringify(snapshot.objects));
  return {
    name: 'index Kubernetes objects',
    weight: 3,
    limitMs: 2_000,
    make: (random) => {
      let text = random.pick(lists);
      for (let round = 1 + random.below(20); round > 0; round--) text = mutateJson(text, random);
      return { 'kubernetes.json': text };
    },
    run: (input) => {
      const objects = acceptedObjects(input['kubernetes.json'] ?? '');
      const [base] = corpus;
      if (objects === undefined || base === undefined) return [];
      const index = new ClusterIndex({ ...base.snapshot, objects });
      const refs = [...index.pods.keys()].map((key) => `pod/${key}`);
      refs.push(...[...index.services.keys()].map((key) => `service/${key}`), ...REFERENCES);
      for (const ref of refs) resolve(index, ref);
      for (const service of index.services.values()) index.slices(service);
      for (const text of ['10.244.1.3', 'fd00::1', '10.96.0.1']) {
        const ip = parseIp(text);
        if (ip === undefined) continue;
        index.nodeOfPodAddress(ip);
        index.isPodAddress(ip);
        index.isServiceAddress(ip);
      }
      index.kubeadm('podSubnet');
      return [];
    },
  };
}

/** What libs/snapshot-archive lets through. */
function acceptedObjects(text: string): readonly KubernetesObject[] | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(list) ? list.filter(isObject) : undefined;
}

function isObject(value: unknown): value is KubernetesObject {
  if (typeof value !== 'object' || value === null || !('metadata' in value) || !('kind' in value)) return false;
  const { metadata, kind } = value;
  if (typeof metadata !== 'object' || metadata === null || !('name' in metadata)) return false;
  if ('namespace' in metadata && metadata.namespace !== undefined && typeof metadata.namespace !== 'string')
    return false;
  return typeof metadata.name === 'string' && typeof kind === 'string';
}

function resolve(index: ClusterIndex, text: string): void {
  try {
    resolveEndpoint(index, () => undefined, parseEndpointRef(text));
  } catch (error) {
    // Names that objects were given by the mutation are no references.
    if (!(error instanceof HopscopeError)) throw error;
  }
}

function modelTargets(corpus: readonly Base[]): readonly Target[] {
  const pairs = corpus.flatMap(({ requests }) => requests.slice(0, 3)).map((_, at) => pairText(at));
  const named = (name: string, make: Target['make'], run: (text: string) => string[]): Target => ({
    name,
    weight: 1,
    limitMs: 500,
    make,
    run: (input: Input) => run(input.text ?? ''),
  });
  return [
    named(
      'parse a reference',
      (random) => ({ text: mutateText(random.pick(REFERENCES), random) }),
      (text) => (parseEndpointRef(text), []),
    ),
    named(
      'parse a pair',
      (random) => ({ text: mutateJson(random.pick(pairs), random) }),
      (text) => {
        const value = parseOrText(text);
        parsePair(value);
        return [];
      },
    ),
    named(
      'parse an address',
      (random) => ({ text: mutateText(random.pick(ADDRESSES), random) }),
      (text) => [...sameAgain(text, parseIp, formatIp), ...sameAgain(text, parseCidr, formatCidr)],
    ),
  ];
}

const ADDRESSES = [
  '10.0.0.1',
  '255.255.255.255',
  'fd00::1',
  '::ffff:10.0.0.1',
  '10.0.0.0/8',
  'fd00::/64',
  '10.0.0.0/255.0.0.0',
];

function pairText(at: number): string {
  return JSON.stringify({
    id: at,
    source: REFERENCES[at % REFERENCES.length],
    destination: REFERENCES[(at + 3) % REFERENCES.length],
    port: 80 + at,
    protocol: 'tcp',
    sourcePort: 1024,
  });
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What was read and printed must read as the same. */
function sameAgain<T>(text: string, parse: (text: string) => T | undefined, format: (value: T) => string): string[] {
  const value = parse(text);
  if (value === undefined) return [];
  const printed = format(value);
  const again = parse(printed);
  const same = again !== undefined && format(again) === printed;
  return same ? [] : [`"${text.slice(0, 80)}" is printed as "${printed}", which reads otherwise`];
}
