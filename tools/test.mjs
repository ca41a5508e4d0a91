#!/usr/bin/env node
// `npm test`: everything that this machine allows, then what it did not allow and why. The last line is the count that CI reads.
// Arguments go to jest: `npm test -- libs/netstack`.
import './require-node.mjs';

const { ROOT } = await import('./root.mjs');
const { ensureInstalled } = await import('./install.mjs');
const { ensureBuilt } = await import('./build.mjs');
const { endChildrenOnSignal } = await import('./run-child.mjs');
const { runProject } = await import('./run-project.mjs');
const { listMissingParts, whyNoLab } = await import('./not-runnable.mjs');

endChildrenOnSignal();
const filters = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };
const notRun = listMissingParts(ROOT);
const skippedTests = [];

function finish() {
  if (skippedTests.length > 0) console.log(`\nSkipped tests:\n${skippedTests.map((name) => `  - ${name}`).join('\n')}`);
  if (notRun.length > 0) console.log(`\nNot run on this machine:\n${notRun.map((line) => `  - ${line}`).join('\n')}`);
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
  console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
  process.exit(totals.failed > 0 ? 1 : 0);
}

async function run(project, options) {
  console.log(`\n== ${project} ==`);
  const result = await runProject(ROOT, project, filters, options);
  totals.passed += result.passed;
  totals.failed += result.failed;
  totals.skipped += result.skipped.length;
  skippedTests.push(...result.skipped.map((name) => `${project}: ${name}`));
  if (result.problem) console.log(result.problem);
}

if (!(await ensureInstalled(ROOT)) || !(await ensureBuilt(ROOT))) {
  totals.failed = 1;
  finish();
}

await run('unit', { timeoutMs: 10 * 60_000 });
await run('e2e', { timeoutMs: 15 * 60_000, args: ['--runInBand'] });
const noLab = whyNoLab();
if (noLab === undefined) {
  // The short form makes one cluster instead of all of them; `npm run lab` is the long one.
  await run('lab', {
    timeoutMs: 10 * 60_000,
    args: ['--runInBand'],
    env: { HOPSCOPE_LAB: process.env.HOPSCOPE_LAB ?? 'short' },
  });
} else notRun.push(`the lab, where the kernel is asked: ${noLab}`);
finish();
