// `npm run gen:docs`: writes docs/reference/ from the code; with --check it only compares and says what is out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REFERENCE_PAGES } from './reference/pages.js';

const root = join(import.meta.dirname, '..', '..');
const onlyCheck = process.argv.includes('--check');
const stale: string[] = [];

for (const page of REFERENCE_PAGES) {
  const path = join(root, page.path);
  const text = await page.render(root);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(page.path);
  if (onlyCheck) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

for (const path of stale) console.log(onlyCheck ? `${path} is out of date: run npm run gen:docs` : `wrote ${path}`);
process.exitCode = onlyCheck && stale.length > 0 ? 1 : 0;
