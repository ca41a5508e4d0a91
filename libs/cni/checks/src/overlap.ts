import { cidrContains, formatCidr, type Cidr, type Evidence, type Place } from '#libs/model';
import type { Finding } from '#libs/provider-kit';
import { objectEvidence } from './evidence.js';

/** A pod network and who says that it is its own. */
export interface OwnedPrefix {
  readonly cidr: Cidr;
  readonly node: string;
  readonly evidence: Evidence;
}

/** Pod networks as the Node objects have them. */
export function podCidrsOf(prefixes: Iterable<readonly [Cidr, { readonly name: string }]>): OwnedPrefix[] {
  return [...prefixes].map(([cidr, { name }]) => ({
    cidr,
    node: name,
    evidence: objectEvidence({ kind: 'node', name }, `Node/${name}:spec.podCIDRs`, formatCidr(cidr)),
  }));
}

/** Networks that more than one node owns, by node: they are looked for once per cluster, not once per node. */
export class PrefixConflicts {
  private readonly byNode = new Map<string, [OwnedPrefix, OwnedPrefix][]>();

  constructor(prefixes: readonly OwnedPrefix[]) {
    // Sorted by address with the widest first, whatever a prefix overlaps stands right behind it.
    const sorted = prefixes.toSorted((a, b) => compare(a.cidr, b.cidr));
    let wide: OwnedPrefix[] = [];
    for (const one of sorted) {
      wide = wide.filter(({ cidr }) => typeof cidr.net === typeof one.cidr.net && cidrContains(cidr, one.cidr.net));
      for (const other of wide) if (other.node !== one.node) this.add(other, one);
      wide.push(one);
    }
  }

  of(node: string, subject: Place): Finding[] {
    return (this.byNode.get(node) ?? []).map(([a, b]) => ({
      code: 'POD_CIDR_CONFLICT',
      subject,
      evidence: [a.evidence, b.evidence],
      details: { destination: formatCidr(b.cidr), owners: [a.node, b.node].toSorted().join(', ') },
      remedy: 'Delete and add one of the nodes, so that it gets a network of its own.',
      concerns: b.cidr,
    }));
  }

  private add(a: OwnedPrefix, b: OwnedPrefix): void {
    for (const { node } of [a, b]) {
      const known = this.byNode.get(node);
      if (known === undefined) this.byNode.set(node, [[a, b]]);
      else known.push([a, b]);
    }
  }
}

function compare(a: Cidr, b: Cidr): number {
  if (typeof a.net !== typeof b.net) return typeof a.net === 'number' ? -1 : 1;
  if (a.net !== b.net) return a.net < b.net ? -1 : 1;
  return a.length - b.length;
}
