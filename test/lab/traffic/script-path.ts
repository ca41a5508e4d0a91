import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The scripts that run inside namespaces are plain JavaScript in the source tree, wherever this code was compiled to. */
export function scriptPath(name: string): string {
  return join(repositoryRoot(), 'test', 'lab', 'traffic', name);
}

export function repositoryRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    if (dirname(folder) === folder) throw new Error('lab: no package.json above this file');
    folder = dirname(folder);
  }
  return folder;
}
