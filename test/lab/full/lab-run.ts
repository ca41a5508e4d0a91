import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Snapshot } from '#libs/model';
import { writeSnapshotArchive } from '#libs/snapshot-archive';
import { askCli, type Answer } from '../ask-cli.js';
import { buildCluster } from '../build-cluster.js';
import { probesOf, type LabProbe } from '../cases/probes.js';
import { compareWithAnswer, falseAlarms } from '../compare.js';
import { dumpCluster } from '../dump-cluster.js';
import { must } from '../netns/commands.js';
import { netnsName, removeLabNamespaces } from '../netns/lab-namespaces.js';
import { Agents, type Attempt } from '../traffic/agents.js';
import type { LabCluster } from './clusters.js';
import type { Fault } from './fault.js';
import { Target } from './target.js';

// A refusal that meets a locked socket is noticed at the retransmission of the SYN, after a second.
const PROBE_TIMEOUT_MS = 1300;
const SLOW_PROBES_A_SOURCE = 9;

interface Disagreement {
  readonly probe: LabProbe;
  readonly text: string;
}

export interface LabRun {
  readonly probes: number;
  readonly connections: number;
  /** Probes on which the kernel and the program differ. */
  readonly disagreements: readonly Disagreement[];
  /** Suspicions above `info` of probes that work in a healthy cluster. */
  readonly falseAlarms: readonly Disagreement[];
  /** Probes that the kernel did not let through in every attempt. */
  readonly failing: number;
  readonly seconds: Readonly<Record<string, number>>;
  /** Probes that timed out where the program said otherwise, but did not when they were asked again. */
  readonly cleared: number;
  /** Done a second time because kernel and program differed; only what differed both times is listed. */
  readonly repeated: boolean;
}

export interface RunOptions {
  readonly thorough: boolean;
  /** Asks nothing a second time. */
  readonly once: boolean;
  /** Where the snapshot stays; without it, it is removed. */
  readonly keepAs?: string;
}

/** Builds a cluster, breaks it, makes every connection, dumps it, asks the program and compares. */
export async function runInLab(target: LabCluster, fault: Fault | undefined, options: RunOptions): Promise<LabRun> {
  const { topology, cluster } = target;
  const watch = new StopWatch();
  const probes = probesOf(cluster, options.thorough);
  const named = new Target(target);
  const listens = fault?.listens?.(named) ?? {};
  const plan = topology
    .plan(cluster)
    .map((namespace) => ({ ...namespace, listens: listens[namespace.name] ?? namespace.listens }));
  try {
    await buildCluster(plan);
    watch.lap('build');
    const agents = await Agents.start(plan);
    try {
      for (const { at, run } of fault?.steps?.(named) ?? [])
        await must(['nsenter', `--net=/run/netns/${netnsName(at)}`, 'sh', '-c', run]);
      watch.lap('start');
      const attempts = await agents.probe(
        probes.map(({ probe }) => probe),
        PROBE_TIMEOUT_MS,
      );
      watch.lap('probe');
      const snapshot = await dumpCluster({ cluster, topology }, plan, agents);
      watch.lap('dump');
      const answers = await ask(snapshot, probes, options.keepAs);
      watch.lap('diagnose');
      const slowly = options.once
        ? new Map<string, readonly Attempt[]>()
        : await askAgainSlowly(agents, probes, attempts, answers);
      watch.lap('again');
      const compared = compare(probes, new Map([...attempts, ...slowly]), answers, fault === undefined);
      const differ = new Set(compared.disagreements.map(({ probe }) => probe.pair.id));
      const cleared = [...slowly.keys()].filter((id) => !differ.has(id)).length;
      return { ...compared, cleared, seconds: watch.seconds, repeated: false };
    } finally {
      await agents.stop();
    }
  } finally {
    await removeLabNamespaces();
  }
}

async function ask(snapshot: Snapshot, probes: readonly LabProbe[], keepAs: string | undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'hopscope-lab-'));
  try {
    const archive = keepAs ?? join(folder, 'snapshot.tar.gz');
    await writeFile(archive, await writeSnapshotArchive(snapshot));
    return await askCli(
      archive,
      probes.map(({ pair }) => pair),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * A router sends one source five ICMP errors at once and then one a second (ip_error in net/ipv4/route.c; not to be changed in
 * a namespace): of many probes that should be told "unreachable" most would time out. Those that timed out and should not have are
 * asked again, one after the other.
 */
async function askAgainSlowly(
  agents: Agents,
  probes: readonly LabProbe[],
  attempts: ReadonlyMap<string, readonly Attempt[]>,
  answers: ReadonlyMap<string, Answer>,
): Promise<ReadonlyMap<string, readonly Attempt[]>> {
  const timedOut = probes.filter(({ pair: { id } }) => {
    const observed = attempts.get(id) ?? [];
    const answer = answers.get(id);
    return (
      answer !== undefined &&
      observed.some(({ outcome }) => outcome === 'timeout') &&
      compareWithAnswer(id, observed, answer).length > 0
    );
  });
  return agents.probeOneByOne(
    timedOut.map(({ probe }) => probe),
    2 * PROBE_TIMEOUT_MS,
    SLOW_PROBES_A_SOURCE,
  );
}

function compare(
  probes: readonly LabProbe[],
  attempts: ReadonlyMap<string, readonly Attempt[]>,
  answers: ReadonlyMap<string, Answer>,
  healthy: boolean,
): Omit<LabRun, 'seconds' | 'repeated' | 'cleared'> {
  const disagreements: Disagreement[] = [];
  const alarms: Disagreement[] = [];
  let failing = 0;
  let connections = 0;
  for (const probe of probes) {
    const { id } = probe.pair;
    const observed = attempts.get(id) ?? [];
    const answer = answers.get(id) ?? { kind: 'error', code: 'NO_LINE', message: 'the program printed no line' };
    const works = observed.length > 0 && observed.every(({ outcome }) => outcome === 'connected');
    connections += observed.length;
    if (!works) failing++;
    const texts = observed.length === 0 ? [`${id}: not tried`] : compareWithAnswer(id, observed, answer);
    if (texts.length > 0) disagreements.push({ probe, text: texts.join('; ') });
    if (!healthy || !works) continue;
    const [alarm] = falseAlarms(id, answer);
    if (alarm !== undefined) alarms.push({ probe, text: alarm });
  }
  return { probes: probes.length, connections, disagreements, falseAlarms: alarms, failing };
}

class StopWatch {
  readonly seconds: Record<string, number> = {};
  private last = performance.now();

  lap(name: string): void {
    const now = performance.now();
    this.seconds[name] = Math.round(now - this.last) / 1000;
    this.last = now;
  }
}
