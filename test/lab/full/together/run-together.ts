import { join } from 'node:path';
import { buildCluster } from '../../build-cluster.js';
import { dumpCluster } from '../../dump-cluster.js';
import { removeLabNamespaces } from '../../netns/lab-namespaces.js';
import { Agents } from '../../traffic/agents.js';
import { askAbout } from '../ask-about.js';
import { describeFinding, namesCause } from '../cause.js';
import type { LabCluster } from '../clusters.js';
import { runSteps } from '../fault.js';
import { Target } from '../target.js';
import { pickObstacles } from './pick.js';
import type { Obstacle } from './obstacles.js';

const TIMEOUT_MS = 1300;
const SOURCE = { namespace: 'default', name: 'client-0' };
const PAIR = { id: '1', source: 'pod/default/client-0', port: 8080, protocol: 'tcp' } as const;

/** What became of one combination. */
export interface Combination {
  readonly name: string;
  /** Empty: all were reported on one blocked path, and the connection worked exactly when all were removed in that order. */
  readonly problems: readonly string[];
}

export interface TogetherOptions {
  readonly sizes: readonly number[];
  readonly seed: number;
  readonly keepIn?: string;
}

/**
 * Builds one cluster and stands random obstacles in the way of one connection: the answer must list all of them. They are then
 * removed one by one in the order that it lists them: the connection works after the last one and not before.
 */
export async function runTogether(lab: LabCluster, options: TogetherOptions): Promise<readonly Combination[]> {
  const plan = lab.topology.plan(lab.cluster);
  try {
    await buildCluster(plan);
    const agents = await Agents.start(plan);
    try {
      const road = new Road(lab, agents, options.keepIn);
      if (!(await road.isOpen()))
        return [{ name: lab.name, problems: ['the way is not open when nothing stands in it'] }];
      const combinations: Combination[] = [];
      for (const [index, size] of options.sizes.entries())
        combinations.push(await road.obstruct(pickObstacles(road.target, size, options.seed + index)));
      return combinations;
    } finally {
      await agents.stop();
    }
  } finally {
    await removeLabNamespaces();
  }
}

class Road {
  readonly target: Target;

  constructor(
    private readonly lab: LabCluster,
    private readonly agents: Agents,
    private readonly keepIn: string | undefined,
  ) {
    this.target = new Target(lab);
  }

  async isOpen(): Promise<boolean> {
    const from = this.target.at(SOURCE.name);
    const probe = { ...PAIR, from, address: this.target.ip('web-1'), attempts: 1 };
    const attempts = (await this.agents.probe([probe], TIMEOUT_MS)).get(PAIR.id) ?? [];
    return attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'connected');
  }

  async obstruct(obstacles: readonly Obstacle[]): Promise<Combination> {
    const name = `${this.lab.name}: ${obstacles.map((each) => each.name).join(' + ')}`;
    for (const { steps } of obstacles) await runSteps(steps?.(this.target) ?? []);
    const problems: string[] = [];
    if (await this.isOpen()) problems.push('they stop nothing');
    const { order, missed, said } = await this.report(name, obstacles);
    if (missed.length > 0)
      problems.push(
        `not reported: ${missed.map((each) => each.name).join(', ')}; reported: ${said.join('; ') || 'nothing'}`,
      );
    const queue = [...order, ...missed];
    for (const [index, { name: removed, undo }] of queue.entries()) {
      await runSteps(undo(this.target));
      const isOpen = await this.isOpen();
      if (isOpen !== (index === queue.length - 1))
        problems.push(`the way is ${isOpen ? 'already' : 'still not'} open when ${removed} is removed`);
    }
    return { name, problems };
  }

  /** The obstacles in the order that the answer lists them. */
  private async report(name: string, obstacles: readonly Obstacle[]) {
    const { lab, agents } = this;
    const snapshot = await dumpCluster(lab, lab.topology.plan(lab.cluster), agents);
    const keepAs =
      this.keepIn === undefined ? undefined : join(this.keepIn, `${name.replace(/[^\w.-]+/g, '-')}.tar.gz`);
    const pair = { ...PAIR, destination: this.target.ip('web-1') };
    const answer = (await askAbout(snapshot, [pair], keepAs)).get(PAIR.id);
    const blocking = answer?.kind === 'diagnosis' ? answer.blocking : [];
    const left = [...blocking.entries()];
    const places = new Map<Obstacle, number>();
    for (const each of obstacles) {
      // Each finding stands for one obstacle.
      const at = left.findIndex(([, finding]) => namesCause(finding, each.causes?.(this.target) ?? []));
      for (const [place] of at < 0 ? [] : left.splice(at, 1)) places.set(each, place);
    }
    return {
      order: [...places].toSorted(([, a], [, b]) => a - b).map(([each]) => each),
      missed: obstacles.filter((each) => !places.has(each)),
      said: blocking.map(describeFinding),
    };
  }
}
