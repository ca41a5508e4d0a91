import { posix } from 'node:path';
import { listRooms, readText } from './read-tree.js';

const IMPORT = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g;

/** Between packages the way is `#libs/<name>`; a relative import stays inside its own package and names the built file (.js). */
export function checkImports(root: string): readonly string[] {
  return listRooms(root).flatMap((room) =>
    room.files.flatMap((file) =>
      [...readText(root, file).matchAll(IMPORT)].flatMap(([, specifier]) => {
        if (specifier === undefined) return [];
        const target = posix.join(posix.dirname(file), specifier);
        const problems: string[] = [];
        // The standalone application hosts others, and applications have no `#libs` name.
        const leaves =
          !target.startsWith(`${room.path}/`) && !(room.path === 'apps/standalone' && target.startsWith('apps/'));
        if (leaves && !isTestSupport(file, target))
          problems.push(`${file}: ${specifier} leaves the package; import #libs/<name>`);
        if (!/\.(js|json)$/.test(specifier)) problems.push(`${file}: ${specifier} must end in .js`);
        return problems;
      }),
    ),
  );
}

/** Specs share the fixtures of test/support. */
function isTestSupport(file: string, target: string): boolean {
  return file.endsWith('.spec.ts') && target.startsWith('test/');
}
