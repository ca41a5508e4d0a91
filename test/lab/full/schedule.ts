import { CLUSTERS, type LabCluster } from './clusters.js';
import type { Fault } from './fault.js';
import { FAULTS } from './faults/index.js';
import { Target } from './target.js';

/** One cluster to build, healthy or with one fault. */
export interface LabCase {
  readonly lab: LabCluster;
  readonly fault?: Fault;
}

export function nameOf({ lab, fault }: LabCase): string {
  return `${lab.name}/${fault?.name ?? 'none'}`;
}

/** Every cluster healthy. */
export function healthyCases(): readonly LabCase[] {
  return CLUSTERS.map((lab) => ({ lab }));
}

/**
 * Each fault in `copies` of the clusters that it fits, in turn, so that all clusters get about as many faults. The order mixes
 * clusters and layers: a part of the list is a fair sample.
 */
export function faultyCases(copies: number): readonly LabCase[] {
  const used = new Map<LabCluster, number>();
  const cases: LabCase[] = [];
  for (let round = 0; round < copies; round++)
    for (const [index, fault] of FAULTS.entries()) {
      const taken = cases.filter((made) => made.fault === fault).map(({ lab }) => lab);
      const free = CLUSTERS.filter(
        (lab) =>
          (fault.fits?.(new Target(lab)) ?? true) &&
          // Another CNI plugin each time, while there is one.
          !taken.includes(lab),
      );
      const other = free.filter((lab) => taken.every(({ cni }) => cni !== lab.cni));
      const candidates = other.length > 0 ? other : free;
      const least = Math.min(...candidates.map((lab) => used.get(lab) ?? 0));
      const best = candidates.filter((lab) => (used.get(lab) ?? 0) === least);
      const lab = best[index % best.length];
      if (lab === undefined) continue;
      used.set(lab, least + 1);
      cases.push({ lab, fault });
    }
  return cases;
}
