import { listRooms, readText } from './read-tree.js';

/** The environment is read where configuration is made, and handed on: libs/config and the main files of applications. */
export function checkEnvironment(root: string): readonly string[] {
  return listRooms(root).flatMap((room) =>
    room.files
      .filter((file) => room.path !== 'libs/config' && !/\/main\.ts$/.test(file) && !file.endsWith('.spec.ts'))
      .filter((file) =>
        /\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\s*\[\s*'env'|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(
          readText(root, file),
        ),
      )
      .map((file) => `${file}: process.env is read in libs/config and main files only; take the value as a parameter`),
  );
}
