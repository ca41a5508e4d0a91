import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSnapshotArchive } from '#libs/snapshot-archive';
import { askCli } from './ask-cli.js';
import { isHealthy, type LabCase } from './cases/lab-case.js';
import { ALL_PAIRS } from './cases/pairs.js';
import { compareAnswerWithExpectation, compareWithAnswer, compareWithExpectation, falseAlarms } from './compare.js';
import type { CaseRun } from './run-case.js';

export interface CaseVerdict {
  readonly connections: number;
  /** The lab itself: what the kernel did is not what the case says. */
  readonly wrongCase: readonly string[];
  /** What the kernel did is not what the engine says. */
  readonly disagreements: readonly string[];
  /** Verdict, cause or false alarm: what a kernel cannot be asked. */
  readonly wrongAnswers: readonly string[];
}

export function checkKernel({ expected }: LabCase, { attempts }: CaseRun): readonly string[] {
  return Object.entries(expected).flatMap(([id, expectation]) =>
    compareWithExpectation(id, attempts.get(id) ?? [{ outcome: 'not tried' }], expectation),
  );
}

/** Asks the program about the fresh dump and compares with what the kernel did to every connection. */
export async function checkCase(labCase: LabCase, run: CaseRun): Promise<CaseVerdict> {
  const folder = await mkdtemp(join(tmpdir(), 'hopscope-lab-'));
  try {
    const archive = join(folder, `${labCase.name}.tar.gz`);
    await writeFile(archive, await writeSnapshotArchive(run.snapshot));
    const answers = await askCli(archive, ALL_PAIRS);
    const disagreements: string[] = [];
    const wrongAnswers: string[] = [];
    for (const { id } of ALL_PAIRS) {
      const answer = answers.get(id) ?? { kind: 'error', code: 'NO_LINE', message: 'the program printed no line' };
      disagreements.push(...compareWithAnswer(id, run.attempts.get(id) ?? [], answer));
      const expected = labCase.expected[id];
      if (expected !== undefined) wrongAnswers.push(...compareAnswerWithExpectation(id, answer, expected));
      if (isHealthy(labCase)) wrongAnswers.push(...falseAlarms(id, answer));
    }
    const connections = [...run.attempts.values()].reduce((sum, attempts) => sum + attempts.length, 0);
    return { connections, wrongCase: checkKernel(labCase, run), disagreements, wrongAnswers };
  } finally {
    await rm(folder, { recursive: true });
  }
}
