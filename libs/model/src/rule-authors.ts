import type { Evidence } from './evidence.js';

/** Who writes rules, and what to change so that they write others: a rule that an agent keeps comes back when it is deleted. */
const AUTHORS: readonly (readonly [RegExp, string])[] = [
  [
    /^[^/]*\/(?:filter-)?cali-(?!p[io]-|pr[io]-|t[wh]-|f[wh]-)/,
    'Felix of Calico keeps this rule for what it does not know: see that calico-node runs there and knows this interface or host, or restart it',
  ],
  [
    /^[^/]*\/cali|^\S+ calico\//,
    'Felix of Calico keeps this rule: change the Calico or network policy that it stands for (calicoctl get networkpolicy -A; calicoctl get globalnetworkpolicy; kubectl get networkpolicies -A)',
  ],
  [
    /^[^/]*\/KUBE-(?:NWPLCY|POD-FW|ROUTER)/,
    'kube-router keeps this rule: change the network policy that it stands for (kubectl get networkpolicies -A)',
  ],
  [
    /^[^/]*\/KUBE-|^\S+ kube-proxy\//,
    'kube-proxy keeps this rule: change the Service or its endpoints; restart kube-proxy if they are as they should be',
  ],
  [/^[^/]*\/DOCKER/, 'Docker keeps this rule: accept the traffic before it, in chain DOCKER-USER'],
  [/^\S+ firewalld\//, 'firewalld keeps this rule: change its zones and policies (firewall-cmd --list-all-zones)'],
  [/^[^/]*\/ufw6?-/, 'ufw keeps this rule: allow the traffic there (ufw status numbered)'],
];

/** What to do about a rule that stops the packet. */
export function undoRule({ locator, text }: Evidence, command: string | number | undefined): string {
  const known = AUTHORS.find(([pattern]) => pattern.test(locator));
  if (known !== undefined) return `${known[1]}.`;
  const how = command === undefined || command === '' || command === text ? '' : `: ${command}`;
  return `remove or narrow the rule${how}. If an agent or a firewall service wrote it, change it there, or it comes back.`;
}
