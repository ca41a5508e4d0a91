// `npm run gen:docs`: writes docs/reference/ from the code; with --check it only compares and says what is out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ReferencePage } from './reference/page.js';
import { REFERENCE_PAGES } from './reference/pages.js';

const root = join(import.meta.dirname, '..', '..');
const onlyCheck = process.argv.includes('--check');

/** What is to be said about the page, or undefined when it is up to date. */
async function bringUpToDate(page: ReferencePage): Promise<string | undefined> {
  const path = join(root, page.path);
  const text = await page.render(root);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return undefined;
  if (onlyCheck) {
    process.exitCode = 1;
    return `${page.path} is out of date: run npm run gen:docs`;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return `wrote ${page.path}`;
}

for (const page of REFERENCE_PAGES) {
  try {
    const said = await bringUpToDate(page);
    if (said !== undefined) console.log(said);
  } catch (error) {
    // The other pages are looked at all the same.
    console.log(
      `${page.path} could not be made: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    process.exitCode = 1;
  }
}
