import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** 10,000 services print 60 MB of JSON. */
const MAX_BYTES = 512 * 1024 * 1024;

/** A recorded file as it is, as `.gz` (copies in the repository) or as `.zst` (needs zstd(1)); undefined when there is none. */
export function readRecorded(path: string): string | undefined {
  if (existsSync(path)) return readFileSync(path, 'utf8');
  if (existsSync(`${path}.gz`)) return gunzipSync(readFileSync(`${path}.gz`)).toString('utf8');
  if (existsSync(`${path}.zst`))
    return execFileSync('zstd', ['-dcq', `${path}.zst`], { maxBuffer: MAX_BYTES }).toString('utf8');
  return undefined;
}
