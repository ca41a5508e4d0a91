import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One package of ours: `libs/model`, `libs/providers/generic`, `apps/api`. */
export interface Room {
  readonly path: string;
  /** Paths of its TypeScript files, relative to the root, sorted. */
  readonly files: readonly string[];
}

function listFiles(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((item) => {
      const path = `${folder}/${item.name}`;
      if (item.isDirectory())
        return item.name === 'generated' || item.name === 'node_modules' ? [] : listFiles(root, path);
      return item.name.endsWith('.ts') ? [path] : [];
    })
    .sort();
}

function listFolders(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((item) => item.isDirectory())
    .map((item) => `${folder}/${item.name}`)
    .sort();
}

/** Libraries and applications. A folder without `src` is a group of them (libs/providers, libs/cni). */
export function listRooms(root: string): readonly Room[] {
  const rooms = ['libs', 'apps'].flatMap((top) => listFolders(root, top));
  return rooms
    .flatMap((path) => (existsSync(join(root, path, 'src')) ? [path] : listFolders(root, path)))
    .filter((path) => path !== 'apps/web')
    .map((path) => ({ path, files: listFiles(root, path) }));
}

export function readText(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function isThere(root: string, path: string): boolean {
  return existsSync(join(root, path));
}
