import type { PacketPath, PathLink, PathNode } from '../packet-path.js';
import { isSolid, linkTitle, nodeTitle } from './graph-labels.js';
import { layoutPath } from './layered-layout.js';

/** Sizes in user units; letters of the monospace font are 0.6 em wide. */
const LETTER = 7.2;
const LINE = 18;
const PAD = 10;
/** Labels of links to two rows must not meet. */
const ROW_GAP = 90;
const COLUMN_GAP = 60;
/** How far apart links between the same two nodes bend. */
const BEND = 26;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The path as a picture that needs nothing else: a browser shows it, light or dark. Every text of the cluster is escaped. */
export function renderSvg(path: PacketPath): string {
  const boxes = place(path);
  const links = path.links.map((link, index) => drawLink(link, boxes, bendOf(path.links, index)));
  const nodes = path.nodes.map((node) => drawNode(node, boxes.get(node.id)));
  const right = Math.max(0, ...[...boxes.values()].map(({ x, width }) => x + width));
  const below = Math.max(0, ...[...boxes.values()].map(({ y, height }) => y + height));
  const bends = Math.max(0, ...path.links.map((_, index) => Math.abs(bendOf(path.links, index))));
  const margin = COLUMN_GAP / 2 + bends;
  const width = Math.ceil(right + COLUMN_GAP);
  const height = Math.ceil(below + 2 * margin);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-COLUMN_GAP / 2} ${-margin} ${width} ${height}" width="${width}" height="${height}" role="img" font-family="ui-monospace, monospace" font-size="12">`,
    '<style>',
    ':root { --ground: #fff; --ink: #222; --soft: #667; --bad: #c00; }',
    '@media (prefers-color-scheme: dark) { :root { --ground: #16181d; --ink: #ddd; --soft: #99a; --bad: #f66; } }',
    '.ground, .label { fill: var(--ground); } text { fill: var(--ink); } .soft { fill: var(--soft); } .code { fill: var(--bad); }',
    '.node { fill: var(--ground); stroke: var(--ink); } .bad { stroke: var(--bad); stroke-width: 2.5; }',
    '.link { fill: none; stroke: var(--ink); } .dashed { stroke: var(--soft); stroke-dasharray: 5 4; }',
    '</style>',
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>',
    `<rect class="ground" x="${-COLUMN_GAP / 2}" y="${-margin}" width="${width}" height="${height}"/>`,
    ...links.map(({ line }) => line),
    ...nodes,
    // Above all lines and boxes, so that none strikes them out.
    ...links.map(({ label }) => label),
    '</svg>',
    '',
  ].join('\n');
}

/** Columns are as far apart as the longest label between them needs. */
function place(path: PacketPath): ReadonlyMap<string, Box> {
  const nodes = new Map(path.nodes.map((node) => [node.id, node]));
  const boxes = new Map<string, Box>();
  const columns = layoutPath(path).columns.map((ids) => ids.flatMap((id) => nodes.get(id) ?? []));
  const tallest = Math.max(0, ...columns.map((column) => columnHeight(column)));
  const gap = COLUMN_GAP + LETTER * Math.max(0, ...path.links.map((link) => linkTitle(link).length));
  let x = 0;
  for (const column of columns) {
    const width = Math.max(0, ...column.map(widthOf));
    let y = (tallest - columnHeight(column)) / 2;
    for (const node of column) {
      boxes.set(node.id, { x, y, width, height: heightOf(node) });
      y += heightOf(node) + ROW_GAP;
    }
    x += width + gap;
  }
  return boxes;
}

function columnHeight(column: readonly PathNode[]): number {
  return column.reduce((sum, node) => sum + heightOf(node) + ROW_GAP, -ROW_GAP);
}

function linesOf(node: PathNode): readonly { readonly text: string; readonly kind: 'title' | 'soft' | 'code' }[] {
  return [
    { text: nodeTitle(node), kind: 'title' },
    { text: node.actions.join(', '), kind: 'soft' },
    ...node.suspicions.map((text) => ({ text, kind: 'code' as const })),
  ];
}

function widthOf(node: PathNode): number {
  return Math.ceil(Math.max(...linesOf(node).map(({ text }) => text.length)) * LETTER) + 2 * PAD;
}

function heightOf(node: PathNode): number {
  return linesOf(node).length * LINE + 2 * PAD - 4;
}

function drawNode(node: PathNode, box: Box | undefined): string {
  if (box === undefined) return '';
  const { x, y, width, height } = box;
  const lines = linesOf(node).map(
    ({ text, kind }, index) =>
      `<text class="${kind}" x="${number(x + PAD)}" y="${number(y + PAD + 10 + index * LINE)}">${escape(text)}</text>`,
  );
  const bad = node.suspicions.length > 0 ? ' bad' : '';
  const rect = `<rect class="node${bad}" x="${number(x)}" y="${number(y)}" width="${width}" height="${height}" rx="6"/>`;
  return `<g data-id="${escape(node.id)}">${rect}${lines.join('')}</g>`;
}

/** Requests bend upwards, replies downwards, each further than the one before it between the same two nodes. */
function bendOf(links: readonly PathLink[], index: number): number {
  const link = links[index];
  if (link === undefined) return 0;
  const before = links.slice(0, index).filter((other) => other.direction === link.direction && isSamePair(other, link));
  return (link.direction === 'forward' ? -1 : 1) * BEND * (before.length + 1);
}

function isSamePair(a: PathLink, b: PathLink): boolean {
  return (a.from === b.from && a.to === b.to) || (a.from === b.to && a.to === b.from);
}

function drawLink(
  link: PathLink,
  boxes: ReadonlyMap<string, Box>,
  bend: number,
): { readonly line: string; readonly label: string } {
  const from = boxes.get(link.from);
  const to = boxes.get(link.to);
  if (from === undefined || to === undefined) return { line: '', label: '' };
  const [x1, x2, sideways] = ends(from, to);
  const y1 = from.y + from.height / 2;
  const y2 = to.y + to.height / 2;
  const middleX = (x1 + x2) / 2 + (sideways ? Math.abs(bend) * 2 : 0);
  const middleY = (y1 + y2) / 2 + bend;
  const title = linkTitle(link);
  const width = title.length * LETTER;
  // A quadratic curve passes half way between its control point and the middle of its ends.
  const control = `${number(2 * middleX - (x1 + x2) / 2)} ${number(2 * middleY - (y1 + y2) / 2)}`;
  const curve = `M${number(x1)} ${number(y1)}Q${control} ${number(x2)} ${number(y2)}`;
  return {
    line: `<path class="link${isSolid(link) ? '' : ' dashed'}" d="${curve}" marker-end="url(#arrow)"><title>${escape(describe(link))}</title></path>`,
    label:
      `<rect class="label" x="${number(middleX - width / 2 - 2)}" y="${number(middleY - 8)}" width="${number(width + 4)}" height="16"/>` +
      `<text${isSolid(link) ? '' : ' class="soft"'} x="${number(middleX)}" y="${number(middleY + 4)}" text-anchor="middle">${escape(title)}</text>`,
  };
}

/** From the side that faces the other box; boxes above each other are joined at their right sides. */
function ends(from: Box, to: Box): readonly [number, number, boolean] {
  if (from.x + from.width < to.x) return [from.x + from.width, to.x, false];
  if (to.x + to.width < from.x) return [from.x, to.x + to.width, false];
  return [from.x + from.width, to.x + to.width, true];
}

function describe(link: PathLink): string {
  const { src, dst, sourcePort, destinationPort, protocol } = link.packet;
  const port = (value: number | undefined): string => (value === undefined ? '' : ` port ${value}`);
  return `${src}${port(sourcePort)} to ${dst}${port(destinationPort)} ${protocol}${link.hypothetical ? ', if the obstacle were removed' : ''}`;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** XML 1.0 has no control characters but tab, line feed and carriage return, not even escaped. */
function escape(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd')
    .replaceAll(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}
