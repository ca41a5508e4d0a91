import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { askCli } from '../ask-cli.js';
import { CLUSTERS, CLUSTERS_BY_MTU } from './clusters.js';
import { COMPANY } from './company.js';
import { FAULTS } from './faults/index.js';
import { judge } from './judge.js';
import type { CaseResult } from './report.js';
import { expectedOf, type LabCase } from './schedule.js';
import { readTruth, truthPath, type Truth } from './truth.js';

/** Compares kept snapshots, and what the kernel did in them, with what the program says now. */
export async function* replayCases(
  folder: string,
  isWanted: (labCase: LabCase) => boolean,
): AsyncGenerator<CaseResult, void> {
  const names = new Set(readdirSync(folder));
  for (const name of [...names].filter((file) => file.endsWith('.tar.gz')).sort()) {
    if (!names.has(truthPath(name))) continue;
    const archive = join(folder, name);
    const truth = await readTruth(archive);
    const labCase = caseOf(truth);
    if (labCase === undefined || !isWanted(labCase)) continue;
    const pairs = truth.probes.map(({ pair }) => pair);
    const expected = expectedOf(labCase);
    const judged = judge(truth.probes, await askCli(archive, pairs), expected);
    yield { labCase, run: { ...judged, repeated: false, askedAlone: 0, seconds: {} } };
  }
}

/** Undefined for clusters and faults that are no longer known. */
function caseOf({ cluster, faults: names }: Truth): LabCase | undefined {
  const lab = [...CLUSTERS, ...CLUSTERS_BY_MTU].find(({ name }) => name === cluster);
  const faults = names.flatMap((name) => [...FAULTS, ...COMPANY].find((fault) => fault.name === name) ?? []);
  return lab === undefined || faults.length < names.length ? undefined : { lab, faults };
}
