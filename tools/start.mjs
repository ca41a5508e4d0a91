#!/usr/bin/env node
// `npm start`: installs and builds what is missing, then becomes the standalone application (same process: its signals,
// exit code and memory are ours, and nothing is left behind when we are killed).
import './require-node.mjs';
import { join } from 'node:path';

const { ROOT } = await import('./root.mjs');
const { ensureInstalled } = await import('./install.mjs');
const { endChildrenOnSignal, runChild } = await import('./run-child.mjs');
const { isFresh } = await import('./build.mjs');
const { pathToFileURL } = await import('node:url');

const letGo = endChildrenOnSignal();
if (!(await ensureInstalled(ROOT))) process.exit(1);
if (!isFresh(ROOT)) {
  // In a process of its own, which takes the compiler's memory with it when it ends.
  const built = await runChild(process.execPath, [join(ROOT, 'tools', 'build.mjs')], { cwd: ROOT });
  if (built.code !== 0) process.exit(1);
}
letGo();

const main = join(ROOT, 'dist', 'apps', 'standalone', 'src', 'main.js');
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, main, ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
