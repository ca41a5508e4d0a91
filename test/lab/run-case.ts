import { runInNetns } from '#libs/collector';
import type { Snapshot } from '#libs/model';
import { buildCluster } from './build-cluster.js';
import { ALL_PAIRS, probeOf } from './cases/pairs.js';
import type { LabCase } from './cases/lab-case.js';
import { dumpCluster } from './dump-cluster.js';
import { netnsName, removeLabNamespaces } from './netns/lab-namespaces.js';
import { Agents, type Attempt } from './traffic/agents.js';

const PROBE_TIMEOUT_MS = 1500;

export interface CaseRun {
  readonly snapshot: Snapshot;
  /** What the kernel did, by id of the pair. */
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
}

/** Builds the cluster of a case, breaks it, makes every connection, dumps it and takes it down again. */
export async function runCase(labCase: LabCase): Promise<CaseRun> {
  const { cluster, topology, breakage = [] } = labCase;
  const plan = topology.plan(cluster);
  try {
    await buildCluster(plan);
    for (const { at, argv } of breakage) {
      const { status, stderr } = await runInNetns(netnsName(at))(argv);
      if (status !== 0) throw new Error(`lab: \`${argv.join(' ')}\` in ${at} failed: ${stderr}`);
    }
    const agents = await Agents.start(plan);
    try {
      const attempts = await agents.probe(
        ALL_PAIRS.map((pair) => probeOf(pair, cluster)),
        PROBE_TIMEOUT_MS,
      );
      return { attempts, snapshot: await dumpCluster(labCase, plan, agents) };
    } finally {
      await agents.stop();
    }
  } finally {
    await removeLabNamespaces();
  }
}
