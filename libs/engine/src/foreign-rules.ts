import type { Evidence, Family } from '#libs/model';
import { deleteCommand } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { Exchange } from './exchange.js';

/** Chains and tables of components that translate packets as part of their work. */
const KNOWN = [
  /^[^/]*\/(?:KUBE-|cali|filter-cali|FLANNEL|CNI-|KIND-|DOCKER|ISTIO|LINKERD|ufw|CILIUM|WEAVE|SNAT-|TRANSPARENT)/i,
  /^\S+ (?:kube-proxy|calico|firewalld|kindnet|kind|flannel|cni_hostport|istio|cilium|docker)\S*\//i,
];

/** Rules by hand that changed where packets of an exchange come from or go to, or kept them from being tracked. */
export function foreignRules({ forward, reply }: Pick<Exchange, 'forward' | 'reply'>, family: Family): Finding[] {
  const found = new Map<string, Finding>();
  for (const hop of [...forward.hops, ...(reply?.hops ?? [])])
    for (const { kind, text, evidence } of hop.steps) {
      if (evidence?.kind !== 'rule' || hop.hypothetical) continue;
      const changes = kind === 'translate' || /not tracked|hop limit set/.test(text);
      if (!changes || isKnown(evidence)) continue;
      found.set(`${hop.at.kind} ${hop.at.name} ${evidence.locator}`, {
        code: text.includes('not tracked') ? 'CONNTRACK_NOTRACK' : 'FOREIGN_RULE',
        subject: hop.at,
        evidence: [evidence],
        remedy: `Remove the rule if it is not wanted: ${deleteCommand(evidence, family)}`,
      });
    }
  return [...found.values()];
}

/** Masquerading is everybody's business; who wrote such a rule in a base chain cannot be told. */
function isKnown({ locator, text }: Evidence): boolean {
  return KNOWN.some((pattern) => pattern.test(locator)) || /\b(?:MASQUERADE|masquerade)\b/.test(text);
}
