import type { PacketPath, PathLink, PathNode } from '../packet-path.js';

/** The path as a Mermaid flowchart: request links solid, reply links dotted, places with suspicions red. */
export function renderMermaid(path: PacketPath): string {
  const ids = new Map(path.nodes.map((node, index) => [node.id, `n${index}`]));
  const lines = ['flowchart LR'];
  for (const node of path.nodes) lines.push(`  ${ids.get(node.id)}["${label(node)}"]`);
  for (const link of path.links) lines.push(`  ${ids.get(link.from)} ${arrow(link)} ${ids.get(link.to)}`);
  const bad = path.nodes.filter((node) => node.suspicions.length > 0).map((node) => ids.get(node.id));
  if (bad.length > 0) lines.push('  classDef bad stroke:#c00,stroke-width:2px', `  class ${bad.join(',')} bad`);
  return `${lines.join('\n')}\n`;
}

function label(node: PathNode): string {
  const name = node.namespace === undefined ? node.name : `${node.namespace}/${node.name}`;
  const codes = node.suspicions.length > 0 ? `<br/>${node.suspicions.join('<br/>')}` : '';
  return `${node.kind} ${name}${codes}`.replaceAll('"', '#quot;');
}

function arrow(link: PathLink): string {
  const interfaces = [link.fromInterface, link.toInterface].filter((name) => name !== undefined).join(' to ');
  const text = `${link.type}${interfaces === '' ? '' : `: ${interfaces}`}`.replaceAll('"', '#quot;');
  return link.direction === 'forward' && link.hypothetical === undefined ? `-->|"${text}"|` : `-.->|"${text}"|`;
}
