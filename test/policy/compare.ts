import { PolicyIndex } from '#libs/policy';

import { parseIp, type KubernetesObject } from '#libs/model';
import { Random } from '../differential/random.js';
import { answer, type Question, type Side, type World } from './brute-force.js';
import { objectsOf, randomQuestion, randomWorld, type Language } from './random-world.js';
import { clusterOf } from './sketch-cluster.js';

interface Difference {
  readonly seed: number;
  readonly world: World;
  readonly question: Question;
  readonly ours: string;
  readonly theirs: string;
}

export interface Tally {
  readonly worlds: number;
  readonly flows: number;
  /** Of both directions: how often the answer was each, so that a run in which all is allowed is seen as such. */
  readonly allowed: number;
  readonly denied: number;
  readonly differences: readonly Difference[];
}

/** Asks both evaluators about random flows in random clusters, `flowsPerWorld` in each. One seed makes one world. */
export function compare(
  languages: readonly Language[],
  firstSeed: number,
  worlds: number,
  flowsPerWorld: number,
): Tally {
  const tally = { worlds, flows: 0, allowed: 0, denied: 0 };
  const differences: Difference[] = [];
  for (let seed = firstSeed; seed < firstSeed + worlds; seed++) {
    const random = new Random(seed);
    const world = randomWorld(random, languages);
    const index = new PolicyIndex(clusterOf(objectsOf(world) as KubernetesObject[]));
    for (let i = 0; i < flowsPerWorld; i++) {
      const question = randomQuestion(random, world);
      const ours = ask(index, question);
      const expected = answer(world, question);
      const theirs = `${expected.egress}/${expected.ingress}`;
      tally.flows++;
      for (const decision of [expected.egress, expected.ingress])
        if (decision === 'allow') tally.allowed++;
        else tally.denied++;
      if (ours !== theirs) differences.push({ seed, world, question, ours, theirs });
    }
  }
  return { ...tally, differences };
}

function ask(index: PolicyIndex, { from, to, protocol, port, sourcePort }: Question): string {
  const source = end(index, from);
  const destination = end(index, to);
  const { egress, ingress } = index.verdict({ source, destination, protocol, port, sourcePort });
  return `${egress.decision}/${ingress.decision}`;
}

function end(index: PolicyIndex, { ip, pod }: Side) {
  const address = parseIp(ip);
  if (address === undefined) throw new Error(`${ip} is not an address`);
  return pod === undefined
    ? index.endAt(address)
    : index.endOfPod(String(pod.metadata.namespace), String(pod.metadata.name), address);
}
