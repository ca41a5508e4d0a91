import type { PacketPath, PathLink } from '../packet-path.js';

/** Where each node of a path stands: columns from left to right in the order in which the request meets them. */
export interface Layout {
  /** Ids, column by column, from top to bottom. */
  readonly columns: readonly (readonly string[])[];
}

/**
 * A node stands one column right of the first node that sends to it. Loops and ways back add no columns, so the picture of a
 * routing loop stays small. Nodes that no link leads to stand in the last column.
 */
export function layoutPath(path: PacketPath): Layout {
  const next = new Map<string, string[]>();
  for (const link of [...path.links].toSorted(byDirection)) {
    const targets = next.get(link.from);
    if (targets === undefined) next.set(link.from, [link.to]);
    else targets.push(link.to);
  }
  const starts = path.nodes.filter(({ actions }) => actions.includes('send')).map(({ id }) => id);
  const column = new Map<string, number>();
  let front = starts.length > 0 ? starts : path.nodes.slice(0, 1).map(({ id }) => id);
  for (let depth = 0; front.length > 0; depth++) {
    for (const id of front) column.set(id, depth);
    front = [...new Set(front.flatMap((id) => next.get(id) ?? []))].filter((id) => !column.has(id));
  }
  const last = Math.max(0, ...column.values());
  const columns: string[][] = [];
  for (const { id } of path.nodes) (columns[column.get(id) ?? last + 1] ??= []).push(id);
  return { columns };
}

function byDirection(a: PathLink, b: PathLink): number {
  return Number(a.direction === 'reply') - Number(b.direction === 'reply');
}
