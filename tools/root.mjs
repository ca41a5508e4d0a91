import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that these tools belong to, wherever they are called from. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** True in the file that Node was started with. Links are followed on both sides: Node does so for `url`, not for argv. */
export function isMain(url) {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === realpathSync(fileURLToPath(url));
}
