import { statSync } from 'node:fs';
import { dumpNamespace } from '#libs/collector';
import type { NamespaceDump, Snapshot } from '#libs/model';
import type { LabCase } from './cases/lab-case.js';
import type { NamespacePlan } from './cluster/plan.js';
import { netnsName } from './netns/lab-namespaces.js';
import type { Agents } from './traffic/agents.js';

// A namespace has 1,200 settings; samples keep those that decide about packets.
const KEPT_SYSCTLS = /^net\.(ipv4\.(conf|neigh|ip_|fib_)|ipv6\.conf|bridge|netfilter)/;

/** The snapshot of a built cluster, read with the collector's commands. */
export async function dumpCluster(
  { cluster, topology }: Pick<LabCase, 'cluster' | 'topology'>,
  plan: readonly NamespacePlan[],
  agents: Agents,
): Promise<Snapshot> {
  const takenAt = `${new Date().toISOString().slice(0, 19)}Z`;
  const dumps: NamespaceDump[] = [];
  for (const { name, dump } of plan) {
    if (dump === undefined) continue;
    const netns = netnsName(name);
    const target = { ...dump, netnsInode: statSync(`/run/netns/${netns}`).ino };
    dumps.push(trim(await dumpNamespace(target, agents.runIn(name), takenAt)));
  }
  return {
    cluster: cluster.name,
    takenAt,
    collector: 'hopscope-lab',
    nodes: new Map(cluster.nodes.map(({ name }) => [name, { takenAt, error: null }])),
    objects: topology.objects(cluster),
    cloud: undefined,
    underlay: topology.underlay(cluster),
    dumps,
  };
}

function trim(dump: NamespaceDump): NamespaceDump {
  const sysctls = dump.files.get('sysctl-net.txt');
  if (sysctls === undefined) return dump;
  const kept = sysctls.split('\n').filter((line) => KEPT_SYSCTLS.test(line));
  return { ...dump, files: new Map([...dump.files, ['sysctl-net.txt', `${kept.join('\n')}\n`]]) };
}
