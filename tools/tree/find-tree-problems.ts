import { checkEnvironment } from './check-environment.js';
import { checkImports } from './check-imports.js';
import { checkLinks } from './check-links.js';
import { checkProviders } from './check-providers.js';
import { checkRooms } from './check-rooms.js';
import { checkSuspicions } from './check-suspicions.js';

/** Every problem of the tree, one sentence each, beginning with the place. */
export function findTreeProblems(root: string): readonly string[] {
  return [checkRooms, checkImports, checkEnvironment, checkProviders, checkSuspicions, checkLinks].flatMap((check) =>
    check(root),
  );
}
