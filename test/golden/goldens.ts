import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, renderText, type Diagnosis } from '#libs/model';
import { readKeptCases } from './kept-cases.js';
import { diagnosePair, listSamples, networkOf, readSample } from './samples.js';

/** One whole diagnosis, as text for people and as JSON; `path` is relative to the root of the repository. */
export interface Golden {
  readonly path: string;
  readonly text: string;
}

const FOLDER = join('test', 'golden');
/** Healthy clusters have many pairs that look alike; these are each of another kind. */
const HEALTHY_PAIRS = new Set([
  'pod-same-node',
  'pod-other-node',
  'pod-other-node-udp',
  'pod-service',
  'pod-own-service',
  'pod-nodeport-other-node',
  'pod-external',
  'node-service',
  'external-nodeport',
]);

/** Every golden as the engine answers today. */
export async function makeGoldens(root: string): Promise<Golden[]> {
  const goldens: Golden[] = [];
  for (const sample of listSamples(root)) {
    const network = await networkOf(await readSample(root, sample));
    const pairs = sample.pairs.filter(({ id }) => sample.name !== 'healthy' || HEALTHY_PAIRS.has(id));
    for (const pair of pairs) goldens.push(...render(join(sample.name, pair.id), await diagnosePair(network, pair)));
  }
  for (const { name, pair, snapshot } of readKeptCases(root))
    goldens.push(...renderWithSteps(join('kept', name), await diagnosePair(await networkOf(snapshot), pair)));
  return goldens;
}

function render(name: string, diagnosis: Diagnosis): Golden[] {
  // The engine's version is left out: it changes with every release, the answer does not.
  const { engineVersion: _, ...answer } = diagnosis;
  return [golden(`${name}.txt`, renderText(diagnosis)), golden(`${name}.json`, toJson(answer))];
}

/** The text shows every step, so JSON need not say them again. */
function renderWithSteps(name: string, diagnosis: Diagnosis): Golden[] {
  const { engineVersion: _, forward: _forward, reply: _reply, path: _path, ...answer } = diagnosis;
  return [golden(`${name}.txt`, renderText(diagnosis, { steps: true })), golden(`${name}.json`, toJson(answer))];
}

function golden(name: string, text: string): Golden {
  return { path: join(FOLDER, name), text };
}

function toJson(answer: object): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(answer)), null, 1)}\n`;
}

/** The files that are committed now. */
export function listGoldenFiles(root: string): string[] {
  return readdirSync(join(root, FOLDER), { withFileTypes: true })
    .filter((item) => item.isDirectory())
    .flatMap(({ name }) => readdirSync(join(root, FOLDER, name)).map((file) => join(FOLDER, name, file)))
    .toSorted();
}
