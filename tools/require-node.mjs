// Imported first, and written so that even a very old Node can read it: the rest of tools/ uses newer syntax.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** True when `version` (like 20.19.0) is at least `least` (like 20.19). */
export function isAtLeast(version, least) {
  const have = version.split('.').map(Number);
  const want = least.split('.').map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (have[i] || 0) - (want[i] || 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const least = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
if (!isAtLeast(process.versions.node, least)) {
  console.error('Hopscope needs Node ' + least + ' or newer, this is ' + process.versions.node + '.');
  console.error('Install a current Node from https://nodejs.org (or with nvm: nvm install 20) and try again.');
  process.exit(2);
}
