// `npm run goldens:update`: writes test/golden/<case>/ from what the engine answers today. Review the difference before you commit it.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listGoldenFiles, makeGoldens } from './goldens.js';

// dist/test/golden/main.js
const root = join(import.meta.dirname, '..', '..', '..');
const goldens = await makeGoldens(root);
const wanted = new Set(goldens.map(({ path }) => path));
for (const path of listGoldenFiles(root))
  if (!wanted.has(path)) {
    rmSync(join(root, path));
    console.log(`removed ${path}`);
  }
let written = 0;
for (const { path, text } of goldens) {
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  written += 1;
  console.log(`wrote ${path}`);
}
console.log(`${goldens.length} goldens, ${written} changed`);
