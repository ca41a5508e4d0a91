import { constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from '#libs/model';
import { assembleSnapshot } from './assemble.js';
import { DUMP_FILES, TOP_FILES } from './dump-files.js';
import { errorCode } from './error-code.js';
import { FOLDERS } from './folder-name.js';
import { DEFAULT_LIMITS, type SnapshotLimits } from './limits.js';
import { Problems } from './problems.js';

/** Reads a snapshot from its directory, under the same limits as an archive. Links inside it are not followed. */
export async function readSnapshotDirectory(dir: string, limits: Partial<SnapshotLimits> = {}): Promise<Snapshot> {
  const problems = new Problems();
  const walk = new Walk({ ...DEFAULT_LIMITS, ...limits }, problems);
  const top = await realpath(dir).catch((error: unknown) =>
    problems.stop('SNAPSHOT_UNREADABLE', dir, `cannot be opened (${errorCode(error)})`),
  );
  for (const name of TOP_FILES) await walk.file(top, name);
  if (!walk.files.has('snapshot.json'))
    problems.add('SNAPSHOT_NO_MANIFEST', join(dir, 'snapshot.json'), await manifestHint(top));
  else for (const folder of Object.keys(FOLDERS)) await walk.dumps(top, folder);
  problems.throwIfAny();
  return assembleSnapshot(walk.files, problems);
}

class Walk {
  readonly files = new Map<string, Buffer>();
  private bytes = 0;
  private entries = 0;

  constructor(
    private readonly limits: SnapshotLimits,
    private readonly problems: Problems,
  ) {}

  async dumps(top: string, folder: string): Promise<void> {
    for (const name of await this.list(top, folder))
      for (const file of await this.list(top, `${folder}/${name}`))
        if (DUMP_FILES.has(file)) await this.file(top, `${folder}/${name}/${file}`);
  }

  async file(top: string, path: string): Promise<void> {
    const stat = await this.kindOf(top, path);
    if (stat === undefined) return;
    if (!stat.isFile()) {
      this.problems.add('SNAPSHOT_ENTRY_TYPE', path, 'is not a plain file');
      return;
    }
    // O_NOFOLLOW and O_NONBLOCK: what was looked at above may be another thing by now.
    const file = await open(join(top, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
      (error: unknown) => this.problems.stop('SNAPSHOT_UNREADABLE', path, `cannot be opened (${errorCode(error)})`),
    );
    try {
      const { size } = await file.stat();
      if (size > this.limits.fileBytes)
        this.problems.stop(
          'SNAPSHOT_TOO_LARGE',
          path,
          `is larger than ${this.limits.fileBytes} bytes, the limit for one file`,
        );
      this.bytes += size;
      if (this.bytes > this.limits.unpackedBytes)
        this.problems.stop(
          'SNAPSHOT_TOO_LARGE',
          path,
          `and what was read before exceed ${this.limits.unpackedBytes} bytes`,
        );
      const content = Buffer.alloc(size);
      const { bytesRead } = size === 0 ? { bytesRead: 0 } : await file.read(content, 0, size, 0);
      this.files.set(path, content.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  }

  private async list(top: string, path: string): Promise<string[]> {
    const stat = await this.kindOf(top, path);
    if (stat === undefined || stat.isFile()) return [];
    if (!stat.isDirectory()) {
      this.problems.add('SNAPSHOT_ENTRY_TYPE', path, 'is neither a plain file nor a folder');
      return [];
    }
    const names = await readdir(join(top, path)).catch((error: unknown) =>
      this.problems.stop('SNAPSHOT_UNREADABLE', path, `cannot be listed (${errorCode(error)})`),
    );
    this.entries += names.length;
    if (this.entries > this.limits.entries)
      this.problems.stop('SNAPSHOT_TOO_MANY_ENTRIES', path, `and others hold more than ${this.limits.entries} entries`);
    return names.toSorted();
  }

  private async kindOf(top: string, path: string) {
    return lstat(join(top, path)).catch((error: unknown) => {
      const code = errorCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      return this.problems.stop('SNAPSHOT_UNREADABLE', path, `cannot be looked at (${code})`);
    });
  }
}

async function manifestHint(top: string): Promise<string> {
  const names = await readdir(top, { withFileTypes: true }).catch(() => undefined);
  if (names === undefined) return 'cannot be read: name a directory, or a .tar.gz file';
  for (const entry of names.slice(0, 100)) {
    const below = entry.isDirectory()
      ? await lstat(join(top, entry.name, 'snapshot.json')).catch(() => undefined)
      : undefined;
    if (below?.isFile() === true) return `is missing, so this is no snapshot; did you mean its folder "${entry.name}"?`;
  }
  return 'is missing, so this is no snapshot';
}
