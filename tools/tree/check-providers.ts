import { listRooms, readText } from './read-tree.js';

/** A provider that no worker hosts is dead code. */
export function checkProviders(root: string): readonly string[] {
  const rooms = listRooms(root);
  const workers = rooms
    .filter((room) => room.path.startsWith('apps/worker-'))
    .flatMap((room) => room.files)
    .map((file) => readText(root, file))
    .join('\n');
  return rooms
    .filter((room) => room.path.startsWith('libs/providers/'))
    .filter((room) => !workers.includes(`'#${room.path}'`))
    .map(
      (room) =>
        `${room.path}: no worker hosts this provider; import it in the main file of an application apps/worker-*`,
    );
}
