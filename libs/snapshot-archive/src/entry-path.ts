import type { SnapshotLimits } from './limits.js';

export type CheckedPath =
  | { readonly kind: 'path'; readonly segments: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** The path of an archive entry, without `./`, or why it is refused. An empty list of segments is the archive's own top. */
export function checkEntryPath(name: string, limits: SnapshotLimits): CheckedPath {
  if (name.length > limits.pathLength)
    return refuse('SNAPSHOT_PATH_TOO_LONG', `the path is longer than ${limits.pathLength} characters`);
  if (name.includes('\0')) return refuse('SNAPSHOT_PATH_INVALID', 'the path holds a NUL character');
  if (name.includes('\\')) return refuse('SNAPSHOT_PATH_INVALID', 'the path holds a backslash');
  if (name.startsWith('/') || /^[a-z]:/i.test(name))
    return refuse('SNAPSHOT_PATH_TRAVERSAL', 'the path is absolute; paths in a snapshot are relative');
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) return refuse('SNAPSHOT_PATH_TRAVERSAL', 'the path leads out of the snapshot ("..")');
  if (segments.length > limits.pathSegments)
    return refuse('SNAPSHOT_PATH_TOO_DEEP', `the path is deeper than ${limits.pathSegments} levels`);
  return { kind: 'path', segments };
}

function refuse(code: string, message: string): CheckedPath {
  return { kind: 'refused', code, message };
}
