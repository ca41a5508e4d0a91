import type { Branch, Diagnosis } from '../../diagnosis.js';
import { describePlace, type Place } from '../../place.js';
import type { Numbers } from './findings.js';

/** What happens on each way that the packet may take, when there is more than one. */
export function branchLines({ branches, blocking }: Diagnosis, numbers: Numbers): string[] {
  if (branches.length < 2) return [];
  const width = Math.max(...branches.map((branch) => targetOf(branch).length));
  return [
    'which way the packet takes is chance:',
    ...branches.map((branch) => {
      const stops = branch.symptom === 'connected' ? [] : blocking.filter(({ subject }) => isSame(subject, branch.at));
      const by = stops.map(({ fingerprint }) => numbers.get(fingerprint) ?? 0);
      const why = ` (${branch.disposition} at ${describePlace(branch.at)}${by.length === 0 ? '' : `, see ${by.join(', ')}`})`;
      return `  ${share(branch.probability)} ${targetOf(branch).padEnd(width)}  ${branch.symptom}${branch.symptom === 'connected' ? '' : why}`;
    }),
  ];
}

function targetOf({ backend }: Branch): string {
  return backend === undefined ? 'not delivered' : `to ${backend}`;
}

export function share(probability: number): string {
  return `${(probability * 100).toFixed(1)} %`.padStart(7);
}

export function isSame(a: Place, b: Place): boolean {
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}
