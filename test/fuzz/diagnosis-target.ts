import { genericProvider } from '#libs/providers/generic';
import { canonicalJson, normalisePair, parsePair, type NamespaceDump, type Snapshot } from '#libs/model';
import { readSnapshotArchive } from '#libs/snapshot-archive';
import type { Input, Target } from './attempt.js';
import type { Base } from './corpus.js';
import { brokenInvariants } from './invariants.js';
import { mutateJson } from './mutate-json.js';
import { packArchive } from './pack-archive.js';
import { mutateText } from './mutate-text.js';
import type { Random } from './random.js';

const OBJECTS = 'kubernetes.json';
const UNDERLAY = 'underlay.json';

/**
 * A whole diagnosis on a snapshot of which some files are damaged: never an error, never a hang, and an answer that keeps
 * the rules. The input names the base, the damaged files by path, and what is asked.
 */
export function diagnosisTarget(corpus: readonly Base[]): Target {
  return {
    name: 'diagnose',
    weight: 20,
    limitMs: 5_000,
    make: (random) => {
      const base = random.pick(corpus);
      return { base: base.name, ask: askOf(base, random), ...damagedFiles(base, random) };
    },
    run: async (input) => {
      const base = corpus.find(({ name }) => name === input.base);
      if (base === undefined) return [];
      return diagnoseTwice(await damage(base.snapshot, input), input);
    },
  };
}

function askOf(base: Base, random: Random): string {
  return JSON.stringify(normalisePair(random.pick(base.requests)));
}

/** Mostly one to four files of namespaces, now and then the objects or the network outside. */
function damagedFiles(base: Base, random: Random): Input {
  const damaged: Record<string, string> = {};
  const { dumps, objects, underlay } = base.snapshot;
  for (let count = 1 + random.below(4); count > 0; count--) {
    const dump = random.pick(dumps);
    const [file, text] = random.pick([...dump.files].filter(([name]) => name !== 'meta.json'));
    damaged[`${pathOf(dump)}/${file}`] = file.endsWith('.json') ? mutateJson(text, random) : mutateText(text, random);
  }
  if (random.chance(0.1)) damaged[OBJECTS] = mutateJson(JSON.stringify({ kind: 'List', items: objects }), random);
  if (random.chance(0.05)) damaged[UNDERLAY] = mutateJson(JSON.stringify(underlay ?? {}), random);
  return damaged;
}

function pathOf({ kind, namespace, name }: NamespaceDump): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

async function damage(snapshot: Snapshot, input: Input): Promise<Snapshot> {
  const dumps = snapshot.dumps.map((dump): NamespaceDump => {
    const files = new Map(dump.files);
    for (const file of dump.files.keys()) {
      const text = input[`${pathOf(dump)}/${file}`];
      if (text !== undefined) files.set(file, text);
    }
    return { ...dump, files };
  });
  const objects = input[OBJECTS];
  const underlay = input[UNDERLAY];
  return {
    ...snapshot,
    dumps,
    ...(objects === undefined ? {} : { objects: await readObjects(snapshot, objects) }),
    ...(underlay === undefined ? {} : { underlay: jsonOr(underlay, {}) }),
  };
}

/** Through an archive, as an upload would bring them: what the border refuses never reaches the engine. */
async function readObjects({ cluster, takenAt }: Snapshot, text: string): Promise<Snapshot['objects']> {
  const manifest = JSON.stringify({ format: 1, cluster, takenAt });
  const { objects } = await readSnapshotArchive(await packArchive({ 'snapshot.json': manifest, [OBJECTS]: text }));
  return objects;
}

function jsonOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

async function diagnoseTwice(snapshot: Snapshot, input: Input): Promise<string[]> {
  const request = parsePair(JSON.parse(input.ask ?? ''));
  const network = await genericProvider.createNetwork({ snapshot, settings: {}, overrides: {} });
  const first = await network.diagnose(request).catch(asEngineError);
  const broken = brokenInvariants(first);
  // The second network is made anew: nothing that the first has remembered may show.
  const other = await genericProvider.createNetwork({ snapshot, settings: {}, overrides: {} });
  const second = await other.diagnose(request).catch(asEngineError);
  if (canonicalJson(first) !== canonicalJson(second)) broken.push('the same question twice, two answers');
  return broken;
}

/** Once a network is there, a diagnosis may not fail in any way: a HopscopeError is a crash too. */
function asEngineError(error: unknown): never {
  if (!(error instanceof Error)) throw error;
  const crash = new Error(`diagnose() failed: ${error.name}: ${error.message}`);
  crash.stack = `${crash.message}\n${(error.stack ?? '').split('\n').slice(1).join('\n')}`;
  throw crash;
}
