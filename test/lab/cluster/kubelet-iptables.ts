import { comment, type RuleSet } from './rule-set.js';

/** The chains that kubelet keeps on every node, whatever the proxy mode. */
export function addKubeletChains(rules: RuleSet): void {
  for (const chain of ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY']) rules.chain('mangle', chain);
  for (const table of ['filter', 'nat']) rules.chain(table, 'KUBE-KUBELET-CANARY');
  rules.add(
    'filter',
    'KUBE-FIREWALL',
    `! -s 127.0.0.0/8 -d 127.0.0.0/8 ${comment('block incoming localnet connections')} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
  );
}

/** Appended: kube-proxy puts its own jumps before. */
export function addKubeletJumps(rules: RuleSet): void {
  rules.add('filter', 'INPUT', '-j KUBE-FIREWALL');
  rules.add('filter', 'OUTPUT', '-j KUBE-FIREWALL');
}
