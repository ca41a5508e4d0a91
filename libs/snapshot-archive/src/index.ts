/**
 * A snapshot as a directory or a .tar.gz: read into `Snapshot`, written from it (format: docs/reference/snapshot-format).
 * This is the border: nothing that comes in is trusted, and every problem is named with its file.
 * What the dump files say is not its business; netstack parses them. Start with read-archive.ts and assemble.ts.
 */
export { assembleFiles } from './assemble.js';
export * from './dump-files.js';
export { DEFAULT_LIMITS, type SnapshotLimits } from './limits.js';
export { readSnapshotArchive } from './read-archive.js';
export { readSnapshotDirectory } from './read-directory.js';
export { readSnapshot } from './read-snapshot.js';
export { writeSnapshotArchive } from './write-archive.js';
export { writeSnapshotDirectory } from './write-directory.js';
