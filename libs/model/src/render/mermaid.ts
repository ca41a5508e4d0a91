import type { PacketPath, PathLink, PathNode } from '../packet-path.js';
import { isSolid, linkTitle, nodeTitle, shortIds } from './graph-labels.js';

/** The path as a Mermaid flowchart: request links solid, reply links dotted, places with suspicions red. */
export function renderMermaid(path: PacketPath): string {
  const ids = shortIds(path);
  const lines = ['flowchart LR'];
  for (const node of path.nodes) lines.push(`  ${ids.get(node.id)}["${label(node)}"]`);
  for (const link of path.links) lines.push(`  ${ids.get(link.from)} ${arrow(link)} ${ids.get(link.to)}`);
  const bad = path.nodes.filter((node) => node.suspicions.length > 0).map((node) => ids.get(node.id));
  if (bad.length > 0) lines.push('  classDef bad stroke:#c00,stroke-width:2px', `  class ${bad.join(',')} bad`);
  return `${lines.join('\n')}\n`;
}

function label(node: PathNode): string {
  const codes = node.suspicions.length > 0 ? `<br/>${node.suspicions.join('<br/>')}` : '';
  return `${escape(nodeTitle(node))}${codes}`;
}

function arrow(link: PathLink): string {
  return isSolid(link) ? `-->|"${escape(linkTitle(link))}"|` : `-.->|"${escape(linkTitle(link))}"|`;
}

/** Mermaid takes HTML and Markdown in labels, and `#` starts its entities. */
function escape(text: string): string {
  return text
    .replaceAll('#', '#35;')
    .replaceAll('"', '#quot;')
    .replaceAll('<', '#lt;')
    .replaceAll('>', '#gt;')
    .replaceAll('`', '#96;')
    .replaceAll('\n', ' ');
}
