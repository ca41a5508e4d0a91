#!/usr/bin/env node
// `npm run check`: the house rules, all of them even when one fails. Two at a time, since most use one core.
// `npm run check -- lint types` runs only the named ones.
import './require-node.mjs';
import { join } from 'node:path';

const { ROOT } = await import('./root.mjs');
const { ensureInstalled } = await import('./install.mjs');
const { ensureBuilt } = await import('./build.mjs');
const { endChildrenOnSignal, runChild } = await import('./run-child.mjs');

const bin = (path) => join(ROOT, 'node_modules', path);
const STEPS = [
  {
    name: 'unit',
    args: [bin('jest/bin/jest.js'), '--selectProjects', 'unit', '--maxWorkers=2', '--testTimeout=30000'],
  },
  { name: 'types', args: [bin('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'format', args: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'] },
  { name: 'lint', args: [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  {
    name: 'deps',
    args: [bin('dependency-cruiser/bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser.cjs', 'apps', 'libs'],
  },
  { name: 'knip', args: [bin('knip/bin/knip.js'), '--no-config-hints'] },
  { name: 'tree', args: ['dist/tools/check-tree.js'] },
  { name: 'docs', args: ['dist/tools/gen-docs.js', '--check'] },
  { name: 'lock', args: ['tools/complete-lock.mjs', '--check'] },
];
const AT_ONCE = 2;

endChildrenOnSignal();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !STEPS.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`No such check: ${unknown.join(', ')}. There are: ${STEPS.map((step) => step.name).join(', ')}.`);
  process.exit(2);
}
if (!(await ensureInstalled(ROOT)) || !(await ensureBuilt(ROOT))) process.exit(1);

const began = Date.now();
const queue = STEPS.filter((step) => wanted.length === 0 || wanted.includes(step.name));
const failed = [];

async function work() {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const done = await runChild(process.execPath, step.args, { cwd: ROOT, title: step.name, tailLines: 400 });
    console.log(`${done.code === 0 ? 'ok    ' : 'FAILED'} ${step.name.padEnd(8)} ${done.seconds.toFixed(1)} s`);
    if (done.code !== 0) failed.push({ name: step.name, tail: done.tail });
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work));

for (const { name, tail } of failed) console.log(`\n== ${name} ==\n${tail}`);
const seconds = ((Date.now() - began) / 1000).toFixed(0);
console.log(
  failed.length === 0
    ? `\nAll checks pass (${seconds} s).`
    : `\nFailed: ${failed.map((step) => step.name).join(', ')} (${seconds} s).`,
);
process.exit(failed.length === 0 ? 0 : 1);
