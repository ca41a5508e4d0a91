import { listRooms, readText } from './read-tree.js';

/** A library has an index that begins with a doc comment, holds only re-exports, and has at least one spec. */
export function checkRooms(root: string): readonly string[] {
  return listRooms(root)
    .filter((room) => room.path.startsWith('libs/'))
    .flatMap((room) => {
      const index = `${room.path}/src/index.ts`;
      const problems: string[] = [];
      if (!room.files.includes(index)) problems.push(`${room.path}: there is no src/index.ts`);
      else {
        const text = readText(root, index);
        if (!/^\/\*\*[\s\S]*?\*\//.test(text))
          problems.push(`${index}: begin with a doc comment: what this room is for, where to start`);
        const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
        if (!/^(\s*export\s+(type\s+)?(\*|\{[^}]*\})(\s+as\s+\w+)?\s+from\s+'[^']+';)*\s*$/.test(code))
          problems.push(`${index}: an index only re-exports; move the code to a file of its own`);
      }
      if (!room.files.some((file) => file.endsWith('.spec.ts')))
        problems.push(`${room.path}: there is no spec beside the code`);
      return problems;
    });
}
