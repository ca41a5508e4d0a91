import { describePlace } from '../place.js';
import type { PathLink, PathNode, PacketPath } from '../packet-path.js';

/** `pod default/web`: what a picture writes on a node. */
export function nodeTitle({ kind, namespace, name }: PathNode): string {
  return describePlace({ kind, name, ...(namespace === undefined ? {} : { namespace }) });
}

/** `veth: eth0 to veth12ab`: what a picture writes on a link. */
export function linkTitle({ type, fromInterface, toInterface }: PathLink): string {
  const interfaces = [fromInterface, toInterface].filter((name) => name !== undefined).join(' to ');
  return interfaces === '' ? type : `${type}: ${interfaces}`;
}

/** Requests that happen are solid; replies, and what only would happen, are not. */
export function isSolid({ direction, hypothetical }: PathLink): boolean {
  return direction === 'forward' && hypothetical === undefined;
}

/** Short names for the nodes, in the order of the path: names of the cluster may hold anything. */
export function shortIds(path: PacketPath): ReadonlyMap<string, string> {
  return new Map(path.nodes.map((node, index) => [node.id, `n${index}`]));
}
