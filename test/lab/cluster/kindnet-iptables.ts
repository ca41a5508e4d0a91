import { comment, type RuleSet } from './rule-set.js';

/** Adds the masquerading that kindnetd keeps on a node. */
export function addKindnetRules(rules: RuleSet, podNetwork: string): void {
  const agent = 'kind-masq-agent:';
  rules.add(
    'nat',
    'POSTROUTING',
    `-m addrtype ! --dst-type LOCAL ${comment(`${agent} ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom KIND-MASQ-AGENT chain`)} -j KIND-MASQ-AGENT`,
  );
  rules.add(
    'nat',
    'KIND-MASQ-AGENT',
    `-d ${podNetwork} ${comment(`${agent} local traffic is not subject to MASQUERADE`)} -j RETURN`,
    `${comment(`${agent} outbound traffic is subject to MASQUERADE (must be last in chain)`)} -j MASQUERADE`,
  );
}
