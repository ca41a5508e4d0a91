import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The folders that are compiled into dist/, each at the same path there. */
export const COMPILED = ['apps', 'libs', 'test', 'tools', 'examples', 'bench'];
/** Vite builds this one, not swc. */
const NOT_COMPILED = new Set(['apps/web']);

/** All TypeScript sources below the compiled folders, as paths relative to the root, sorted. */
export function listSources(root) {
  const found = [];
  const visit = (folder) => {
    for (const item of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${item.name}`;
      if (item.isDirectory()) {
        if (item.name !== 'node_modules' && item.name !== 'dist' && !NOT_COMPILED.has(path)) visit(path);
      } else if (/\.ts$/.test(item.name) && !/\.d\.ts$/.test(item.name)) found.push(path);
    }
  };
  for (const folder of COMPILED) if (existsSync(join(root, folder))) visit(folder);
  return found.sort();
}

/** Specs are run by jest from their sources; they are not part of the build. */
export const isBuilt = (path) => !/[.-]spec\.ts$/.test(path);

/** One hash over names and contents of files. */
export function hashFiles(root, paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    const full = join(root, path);
    hash.update(`${path}\0`);
    hash.update(existsSync(full) ? readFileSync(full) : 'absent');
    hash.update('\0');
  }
  return hash.digest('hex');
}
