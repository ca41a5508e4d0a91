import { SUSPICION_CODES } from '#libs/model';
import { isThere, readText } from './read-tree.js';

const SUSPICIONS_PAGE = 'docs/reference/suspicions.md';

/** Every code has a heading of its own on the reference page, so that it can be linked to. */
export function checkSuspicions(root: string): readonly string[] {
  if (!isThere(root, SUSPICIONS_PAGE)) return [`${SUSPICIONS_PAGE}: not there; run npm run gen:docs`];
  const page = readText(root, SUSPICIONS_PAGE);
  return Object.keys(SUSPICION_CODES)
    .filter((code) => !page.includes(`\n### ${code}\n`))
    .map((code) => `${SUSPICIONS_PAGE}: ${code} is not described; run npm run gen:docs`);
}
