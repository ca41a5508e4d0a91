import type { Place } from './place.js';

/** The very text that shows it: a rule, a route, a sysctl, an object field. */
export interface Evidence {
  readonly kind:
    | 'rule'
    | 'chain'
    | 'route'
    | 'policy-rule'
    | 'neighbour'
    | 'fdb'
    | 'link'
    | 'address'
    | 'sysctl'
    | 'socket'
    | 'object'
    | 'conntrack'
    | 'tc'
    | 'file';
  readonly at: Place;
  /** Where it stands: `filter/FORWARD/3`, `main/10.0.0.0/8`, `net.ipv4.ip_forward`, `Service/default/web:spec.ports`. */
  readonly locator: string;
  readonly text: string;
}

/** Where a piece of evidence stands, in words: `filter/FORWARD/3` is rule 3 of chain FORWARD in table filter. */
export function describeLocator({ kind, locator }: Pick<Evidence, 'kind' | 'locator'>): string {
  if (kind !== 'rule' && kind !== 'chain') return locator;
  const [table = '', chain, position] = locator.split('/');
  if (chain === undefined || table === 'ipvs' || table === 'ipset') return locator;
  const where = `chain ${chain} in table ${table}`;
  if (position === undefined) return where;
  // nftables counts by handles; its tables are named with their family, `inet filter`.
  return table.includes(' ') ? `the rule with handle ${position} of ${where}` : `rule ${position} of ${where}`;
}
