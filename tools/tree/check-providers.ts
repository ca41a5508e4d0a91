import { listRooms, readText } from './read-tree.js';

/** How a room makes its provider known. */
const DECLARES = /export const \w+Provider\b/;

/** A provider that no worker hosts is dead code. A room that has none yet (its inventory comes first) is under construction. */
export function checkProviders(root: string): readonly string[] {
  const rooms = listRooms(root);
  const workers = rooms
    .filter((room) => room.path.startsWith('apps/worker-'))
    .flatMap((room) => room.files)
    .map((file) => readText(root, file))
    .join('\n');
  return rooms
    .filter((room) => room.path.startsWith('libs/providers/'))
    .filter((room) => room.files.some((file) => DECLARES.test(readText(root, file))))
    .filter((room) => !workers.includes(`'#${room.path}'`))
    .map(
      (room) =>
        `${room.path}: no worker hosts this provider; import it in the main file of an application apps/worker-*`,
    );
}
