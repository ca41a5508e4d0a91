import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { SUITES } from './suites.js';
import { whyNoDifferential } from './world/why-not.js';

/** The short form of `npm run differential`: always the same cases, so that a difference comes from a change of ours. */
const CASES = 4;

const reason = whyNoDifferential();

describe('the kernel and hopscope', () => {
  const title = reason === undefined ? '%s' : `%s (skipped: ${reason})`;
  const each = reason === undefined ? it.each(SUITES) : it.skip.each(SUITES);

  each(
    title,
    (suite) => {
      const args = ['--suite', suite, '--seed', '1', '--cases', String(CASES), '--shrink', '0'];

      const run = spawnSync(process.execPath, [resolve('dist/test/differential/main.js'), ...args], {
        encoding: 'utf8',
      });

      const summary = new RegExp(`^${suite}: (\\d+) compared, 0 cases differ, 0 refused`, 'm').exec(run.stdout);
      expect(run.stdout + run.stderr).toContain(`${suite}: `);
      // Named when it fails: what differs.
      expect(summary === null ? run.stdout : '').toBe('');
      expect(Number(summary?.[1])).toBeGreaterThan(50);
      expect(run.status).toBe(0);
    },
    120_000,
  );
});
