import type { PacketPath, PathLink, PathNode } from '../packet-path.js';
import { isSolid, linkTitle, nodeTitle, shortIds } from './graph-labels.js';

/** The path in D2 (https://d2lang.com/tour/intro), as mermaid.ts draws it. */
export function renderD2(path: PacketPath): string {
  const ids = shortIds(path);
  return [
    'direction: right',
    ...path.nodes.flatMap((node) => [`${ids.get(node.id)}: ${quote(label(node))}`, ...redden(node, ids.get(node.id))]),
    ...path.links.map(
      (link) => `${ids.get(link.from)} -> ${ids.get(link.to)}: ${quote(linkTitle(link))}${style(link)}`,
    ),
    '',
  ].join('\n');
}

function label(node: PathNode): string {
  return [nodeTitle(node), ...node.suspicions].join('\n');
}

function redden({ suspicions }: PathNode, id: string | undefined): string[] {
  return suspicions.length === 0 ? [] : [`${id}.style.stroke: "#cc0000"`, `${id}.style.stroke-width: 3`];
}

function style(link: PathLink): string {
  return isSolid(link) ? '' : ' {style.stroke-dash: 4}';
}

/** In double quotes D2 takes all but backslash, quote and `${}` substitutions as it is; \n breaks the line. */
function quote(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '\\$').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}
