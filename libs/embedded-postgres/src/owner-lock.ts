import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HopscopeError } from '#libs/model';
import { errorCode } from './error-code.js';
import { isAlive, startTimeOf } from './processes.js';

const Owner = z.object({ pid: z.number().int().positive(), started: z.string() });

/**
 * Takes the directory for this process, or throws DATA_DIR_IN_USE. A dead owner's mark is replaced. Two that start in the same
 * instant and both find a dead mark are told apart by PostgreSQL's own postmaster.pid.
 */
export function takeDirectory(dataDir: string): { release(): void } {
  const file = join(dataDir, 'owner.json');
  const mark = JSON.stringify({ pid: process.pid, started: startTimeOf(process.pid) ?? '' });
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, mark, { flag: 'wx', mode: 0o600 });
      return { release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST' || attempt > 3) throw error;
    }
    const owner = livingOwner(file);
    if (owner !== undefined)
      throw new HopscopeError(
        'DATA_DIR_IN_USE',
        `the data directory ${dataDir} is used by another Hopscope (process ${owner}): stop that one, or choose another with --data-dir`,
      );
    rmSync(file, { force: true });
  }
}

function livingOwner(file: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const owner = Owner.safeParse(parseJson(text));
  if (!owner.success) return undefined;
  const { pid, started } = owner.data;
  return isAlive(pid) && startTimeOf(pid) === started ? pid : undefined;
}

/** A mark cut short by a crash is no mark. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
