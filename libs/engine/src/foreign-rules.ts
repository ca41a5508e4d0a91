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
      const changes = kind === 'translate' || /not tracked|another zone|hop limit set/.test(text);
      if (!changes || isKnown(evidence)) continue;
      found.set(`${hop.at.kind} ${hop.at.name} ${evidence.locator}`, {
        code: text.includes('not tracked') ? 'CONNTRACK_NOTRACK' : 'FOREIGN_RULE',
        subject: hop.at,
        evidence: [evidence],
        details: { problem: text },
        remedy: `Remove the rule if it is not wanted: ${deleteCommand(evidence, family)}`,
      });
    }
  return [...found.values()];
}

/** Rules by hand that hid the sender behind another address, masquerading ones too. */
export function sourceRules({ forward }: Pick<Exchange, 'forward'>, family: Family): Finding[] {
  return forward.hops.flatMap(({ at, steps }) =>
    steps.flatMap(({ kind, text, evidence, before, after }): Finding[] => {
      if (kind !== 'translate' || evidence?.kind !== 'rule' || before?.src === after?.src) return [];
      if (KNOWN.some((pattern) => pattern.test(evidence.locator))) return [];
      return [
        {
          code: MASQUERADES.test(evidence.text) ? 'MASQUERADE_UNEXPECTED' : 'FOREIGN_RULE',
          subject: at,
          evidence: [evidence],
          details: { source: before?.src ?? '', problem: text },
          remedy: `Remove the rule if it is not wanted: ${deleteCommand(evidence, family)}`,
        },
      ];
    }),
  );
}

const MASQUERADES = /\b(?:MASQUERADE|masquerade)\b/;

/** Masquerading is everybody's business; who wrote such a rule in a base chain cannot be told. */
function isKnown({ locator, text }: Evidence): boolean {
  return KNOWN.some((pattern) => pattern.test(locator)) || MASQUERADES.test(text);
}
