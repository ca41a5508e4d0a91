import type { PacketPath, PathLink, PathNode } from '../packet-path.js';
import { isSolid, linkTitle, nodeTitle, shortIds } from './graph-labels.js';

/** The path in the language of Graphviz (https://graphviz.org/doc/info/lang.html), as mermaid.ts draws it. */
export function renderDot(path: PacketPath): string {
  const ids = shortIds(path);
  return [
    'digraph path {',
    '  rankdir=LR;',
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...path.nodes.map((node) => `  ${ids.get(node.id)} [${nodeAttributes(node)}];`),
    ...path.links.map((link) => `  ${ids.get(link.from)} -> ${ids.get(link.to)} [${linkAttributes(link)}];`),
    '}',
    '',
  ].join('\n');
}

function nodeAttributes(node: PathNode): string {
  // \n is a line break of the label; whatever comes from the cluster is escaped before.
  const label = [nodeTitle(node), ...node.suspicions].map(escape).join('\\n');
  return `label="${label}"${node.suspicions.length > 0 ? ', color="#cc0000", penwidth=2' : ''}`;
}

function linkAttributes(link: PathLink): string {
  const style = isSolid(link) ? '' : ', style=dashed';
  // Replies must not pull the picture apart: only requests decide who stands right of whom.
  const rank = link.direction === 'reply' ? ', constraint=false' : '';
  return `label="${escape(linkTitle(link))}"${style}${rank}`;
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', ' ');
}
