import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSnapshotArchive } from '#libs/snapshot-archive';
import type { Expectation, LabCase } from './cases/lab-case.js';
import { ALL_PAIRS, type LabPair } from './cases/pairs.js';
import type { CaseRun } from './run-case.js';

/** One entry of samples/cases.json. */
interface SampleCase {
  readonly name: string;
  readonly archive: string;
  readonly title: string;
  readonly pairs: readonly (LabPair & { readonly expect: Expectation })[];
}

function sampleOf({ name, title, expected }: LabCase): SampleCase {
  const pairs = Object.entries(expected).map(([id, expect]) => {
    const pair = ALL_PAIRS.find((candidate) => candidate.id === id);
    if (pair === undefined) throw new Error(`lab: case ${name} expects something of pair ${id}, which does not exist`);
    return { ...pair, expect };
  });
  return { name, archive: `${name}.tar.gz`, title, pairs };
}

export async function writeSamples(
  folder: string,
  made: readonly { readonly labCase: LabCase; readonly run: CaseRun }[],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const { labCase, run } of made)
    writeFileSync(join(folder, `${labCase.name}.tar.gz`), await writeSnapshotArchive(run.snapshot));
  const cases = made.map(({ labCase }) => sampleOf(labCase));
  writeFileSync(join(folder, 'cases.json'), `${JSON.stringify(cases, null, 2)}\n`);
}
