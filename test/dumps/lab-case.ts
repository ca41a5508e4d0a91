import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterIndex } from '#libs/cluster';
import type { KubernetesObject, NamespaceDump } from '#libs/model';
import { clusterOf, readObjects } from './recorded-cluster.js';
import { readRecorded } from './recorded-file.js';

/** Three nodes of the lab, healthy: services of every kind. `lab-nftables` has the chains that kube-proxy wrote up to 1.34. */
export const LAB_CASES = { iptables: 'lab-iptables', nftables: 'lab-nftables' } as const;

export interface LabCase {
  readonly objects: readonly KubernetesObject[];
  readonly cluster: ClusterIndex;
  /** Its node1. */
  readonly dump: NamespaceDump;
}

export function readLabCase(mode: keyof typeof LAB_CASES): LabCase {
  const folder = join(__dirname, 'data', LAB_CASES[mode]);
  const objects = readObjects(readRecorded(join(folder, 'kubernetes.json')) ?? '');
  const files = new Map<string, string>();
  for (const file of readdirSync(join(folder, 'node1'))) {
    const name = file.replace(/\.gz$/, '');
    files.set(name, readRecorded(join(folder, 'node1', name)) ?? '');
  }
  return { objects, cluster: clusterOf(objects), dump: { kind: 'node', name: 'node1', files } };
}
