import type { Diagnosis } from '../diagnosis.js';
import type { PathLink, PathNode } from '../packet-path.js';
import type { Place } from '../place.js';
import type { Suspicion } from '../suspicion.js';
import type { Level } from '../suspicion-codes.js';

/** Numbers of KubeSkoop's model.SuspicionLevel. */
const LEVELS = { info: 0, warning: 1, critical: 2, fatal: 3 } as const satisfies Record<Level, number>;

interface Summary {
  readonly cluster: { readonly suspicions: readonly SummarySuspicion[] };
  readonly nodes: readonly SummaryNode[] | null;
  readonly links: readonly SummaryLink[] | null;
}

interface SummarySuspicion {
  readonly level: (typeof LEVELS)[Level];
  readonly message: string;
}

interface SummaryNode {
  readonly id: string;
  readonly type: string;
  readonly suspicions: readonly SummarySuspicion[] | null;
  readonly actions: Readonly<Record<string, { readonly type: string }>>;
}

interface SummaryLink {
  readonly id: string;
  readonly source: string;
  readonly source_attributes: Readonly<Record<string, string>> | null;
  readonly destination_attributes: Readonly<Record<string, string>> | null;
  readonly destination: string;
  readonly type: string;
  readonly action: '';
  readonly packet: {
    readonly source: string;
    readonly destination: string;
    readonly dport: number;
    readonly protocol: string;
  };
}

/** The summary that `skoop --format json` writes, for programs that read that: same keys, levels as numbers, requests only. */
export function renderKubeskoopJson(diagnosis: Diagnosis): string {
  return `${JSON.stringify(summarise(diagnosis), null, 2)}\n`;
}

function summarise({ path, suspicions }: Diagnosis): Summary {
  const links = path.links.filter(({ direction, hypothetical }) => direction === 'forward' && hypothetical !== true);
  const names = new Map(path.nodes.map((node) => [node.id, idOf(node)]));
  const ids = new Map(links.map((link) => [link, linkId(link, names)]));
  const onPath = new Set(path.nodes.map(({ id }) => id));
  const used = path.nodes.filter(
    ({ id, actions }) => actions.includes('send') || links.some(({ from, to }) => from === id || to === id),
  );
  return {
    cluster: { suspicions: suspicions.filter(({ subject }) => !onPath.has(keyOf(subject))).map(shorten) },
    nodes: used.length === 0 ? null : used.map((node) => summariseNode(node, links, ids, suspicions)),
    links: links.length === 0 ? null : links.map((link) => summariseLink(link, names, ids.get(link) ?? '')),
  };
}

function summariseNode(
  node: PathNode,
  links: readonly PathLink[],
  ids: ReadonlyMap<PathLink, string>,
  suspicions: readonly Suspicion[],
): SummaryNode {
  const own = suspicions.filter(({ subject }) => keyOf(subject) === node.id).map(shorten);
  const actions: Record<string, { type: string }> = {};
  // The key of what a node does by itself is empty; else it is the link that the packet came in by.
  if (node.actions.includes('send')) actions[''] = { type: 'send' };
  const receives = node.actions.find((action) => action !== 'send') ?? 'forward';
  for (const link of links) if (link.to === node.id) actions[ids.get(link) ?? ''] = { type: receives };
  return { id: idOf(node), type: typeOf(node), suspicions: own.length === 0 ? null : own, actions };
}

function summariseLink(link: PathLink, names: ReadonlyMap<string, string>, id: string): SummaryLink {
  const { src, dst, destinationPort, protocol } = link.packet;
  return {
    id,
    source: names.get(link.from) ?? link.from,
    source_attributes: attributes(link.fromInterface),
    destination_attributes: attributes(link.toInterface),
    destination: names.get(link.to) ?? link.to,
    type: link.type,
    action: '',
    packet: { source: src, destination: dst, dport: destinationPort ?? 0, protocol },
  };
}

function attributes(name: string | undefined): Readonly<Record<string, string>> | null {
  return name === undefined ? null : { if: name };
}

function linkId({ type, from, to, packet }: PathLink, names: ReadonlyMap<string, string>): string {
  return `${type},${names.get(from) ?? from},${names.get(to) ?? to},${packet.dst}:${packet.destinationPort ?? 0}`;
}

/** Pods are called namespace/name there, all others by their name. */
function idOf({ namespace, name }: PathNode): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** It knows pods, nodes and what is outside. */
function typeOf({ kind }: PathNode): string {
  return kind === 'pod' || kind === 'node' ? kind : 'external';
}

function keyOf({ kind, namespace, name }: Place): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

function shorten({ level, message }: Suspicion): SummarySuspicion {
  return { level: LEVELS[level], message };
}
