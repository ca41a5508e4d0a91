import {
  type PacketPath,
  type PathAction,
  type PathLink,
  type PathNode,
  type Place,
  type Suspicion,
} from '#libs/model';
import type { Exchange } from './exchange.js';

/** The union of all exchanges as a graph; the service that was asked stands beside the node that translated it. */
export function buildPath(exchanges: readonly Exchange[], suspicions: readonly Suspicion[]): PacketPath {
  const nodes = new Map<string, { place: Place; actions: Set<PathAction> }>();
  const links = new Map<string, PathLink>();
  const add = (place: Place, action: PathAction): void => {
    const id = idOf(place);
    const known = nodes.get(id);
    if (known === undefined) nodes.set(id, { place, actions: new Set([action]) });
    else known.actions.add(action);
  };
  for (const exchange of exchanges) {
    const { hops, disposition } = exchange.forward;
    for (const [index, hop] of hops.entries()) {
      const last = index === hops.length - 1;
      if (index === 0) add(hop.at, 'send');
      if (last && (disposition === 'accepted' || disposition === 'no-listener')) add(hop.at, 'serve');
      else if (index > 0) add(hop.at, 'forward');
      if (hop.steps.some((step) => step.kind === 'translate' && step.text.startsWith('DNAT'))) add(hop.at, 'service');
    }
    for (const [index, hop] of (exchange.reply?.hops ?? []).entries()) if (index > 0) add(hop.at, 'forward');
    for (const link of exchange.links) links.set(linkKey(link), link);
  }
  const known = [...links.values()].filter((link) => nodes.has(link.from) && nodes.has(link.to));
  return { nodes: [...nodes].map(([id, { place, actions }]) => toNode(id, place, actions, suspicions)), links: known };
}

/** Links that differ in their packet only are one line in the graph. */
function linkKey({ from, to, type, direction, fromInterface, toInterface, hypothetical }: PathLink): string {
  return `${from} ${fromInterface ?? ''} ${to} ${toInterface ?? ''} ${type} ${direction} ${hypothetical ?? ''}`;
}

function idOf(place: Place): string {
  return place.namespace === undefined
    ? `${place.kind}/${place.name}`
    : `${place.kind}/${place.namespace}/${place.name}`;
}

function toNode(
  id: string,
  place: Place,
  actions: ReadonlySet<PathAction>,
  suspicions: readonly Suspicion[],
): PathNode {
  const codes = suspicions.filter((suspicion) => idOf(suspicion.subject) === id).map((suspicion) => suspicion.code);
  return {
    id,
    kind: place.kind,
    ...(place.namespace === undefined ? {} : { namespace: place.namespace }),
    name: place.name,
    actions: [...actions],
    suspicions: [...new Set(codes)],
  };
}
