import { codesOf } from './entry.js';

const code = codesOf('NETFILTER');

/** iptables, nftables and ipset. */
export const NETFILTER_CODES = {
  FILTER_DROP: code('critical', {
    message: '{subject} drops the packet silently, in {rule}: {text}',
    cause:
      'A firewall rule matches the packet: of an administrator, firewalld or ufw, Docker, a policy engine, or kube-proxy.',
    check: [
      'iptables -t TABLE -L CHAIN -nv --line-numbers  # run it {at}: its counter rises',
      'nft -a list ruleset  # native nftables',
    ],
    remedy: '{at}: {undo}',
  }),
  FILTER_REJECT: code('critical', {
    message: '{subject} rejects the packet with an error to the sender, in {rule}: {text}',
    cause:
      'A firewall rule matches the packet: of an administrator, firewalld or ufw, a policy engine, or kube-proxy for a service without endpoints.',
    check: [
      'iptables -t TABLE -L CHAIN -nv --line-numbers  # run it {at}: its counter rises',
      'nft -a list ruleset  # native nftables',
    ],
    remedy: '{at}: {undo}',
  }),
  CHAIN_POLICY_DROP: code('critical', {
    message: '{subject} drops the packet silently: no rule accepts it, and the policy of {rule} is DROP.',
    cause:
      'The chain drops whatever no rule accepts. Docker and hardening scripts set FORWARD so; the rules that should accept pod traffic are not there, or do not match.',
    check: ['iptables -t TABLE -S CHAIN  # run it {at}: -P CHAIN DROP'],
    remedy:
      '{at}: accept this traffic in that chain (iptables -t filter -A FORWARD -s POD-NETWORK -j ACCEPT and the same with -d), or set its policy to ACCEPT; restart the CNI agent if it should have written the rules.',
  }),
  CHAIN_MISSING: code('warning', {
    message: '{subject} lacks the chain {chain}: what its rules do does not happen.',
    cause: 'Somebody flushed the tables, or the agent that writes the chain does not run.',
    check: ['iptables-save | grep {chain}  # run it {at}'],
    remedy: 'Restart the agent that writes {chain} {at} (CNI plugin or kube-proxy).',
  }),
  JUMP_UNRESOLVED: code('warning', {
    message: 'A rule {at} jumps to a chain that is not there, in {rule}: {text}',
    cause: 'The rules were written only in part, or the chain was deleted.',
    check: ['iptables-save  # run it {at}'],
    remedy: 'Restart the agent that writes the rule {at} (CNI plugin or kube-proxy).',
  }),
  BACKENDS_MIXED: code('warning', {
    message:
      '{subject} has rules of the same kind in more than one place (iptables-legacy, iptables-nft, nftables or ipvs): the kernel asks all of them, and the old ones are no longer kept up to date.',
    cause: 'A component was switched to another mode or another iptables, and what it had written before stayed.',
    check: ['iptables-legacy-save | wc -l; iptables-nft-save | wc -l; nft list tables  # run it {at}'],
    remedy:
      '{at}: remove the rules that are no longer kept (kube-proxy --cleanup, or flush the unused iptables), then restart the agents.',
  }),
  FOREIGN_RULE: code('info', {
    message:
      '{subject} has a rule that none of the known components writes[, and it changes this packet ({problem})][, in {rule}: {text}]',
    cause: 'An administrator, a firewall service or another agent wrote it.',
    check: ['iptables-save  # run it {at}'],
    remedy: 'Nothing to change unless the rule is not wanted.',
  }),
  MATCH_UNKNOWN: code('info', {
    message: 'A match {at} is not modelled, so whether its rule applies is not known, in {rule}: {text}',
    cause: 'The rule uses an extension that Hopscope does not know (yet).',
    check: ['iptables -t TABLE -L CHAIN -nv --line-numbers  # run it {at}: does its counter rise?'],
    remedy: 'Nothing to change. Judge by the counter of the rule whether it applies.',
  }),
  TARGET_UNKNOWN: code('info', {
    message: 'A target {at} is not modelled, so what its rule does is not known, in {rule}: {text}',
    cause: 'The rule uses an extension that Hopscope does not know (yet).',
    check: ['iptables -t TABLE -L CHAIN -nv --line-numbers  # run it {at}: does its counter rise?'],
    remedy: 'Nothing to change. Read the rule to learn what it does.',
  }),
  MASQUERADE_MISSING: code('critical', {
    message:
      'Packets from {source} leave {subject} with their own address, so answers do not find their way back[: {text}, in {rule}].',
    cause: 'The masquerade rule was deleted, does not match this network, or its agent does not run.',
    check: ['iptables -t nat -S POSTROUTING  # run it {at}', 'nft list chain ip kube-proxy masquerading'],
    remedy:
      'Restart the agent that writes the rule {at} (CNI plugin for pods that leave the cluster, kube-proxy for services).',
  }),
  MASQUERADE_UNEXPECTED: code('warning', {
    message:
      'Packets from {source} are masqueraded {at}[, in {rule}: {text}]: the far end sees the node, and policies by source do not apply.',
    cause: 'A rule of an administrator, Docker or another agent masquerades more than the CNI plugin means to.',
    check: ['iptables -t nat -S POSTROUTING  # run it {at}'],
    remedy: '{at}: exempt the pod network from that rule.',
  }),
  IPSET_MISSING: code('critical', {
    message: 'The set {set}, which a rule of {subject} asks, is not there[: {text}].',
    cause: 'The set was destroyed, or the rules were restored without their sets.',
    check: ['ipset list {set}  # run it {at}'],
    remedy: 'Restart the agent that writes the set {set} {at} (CNI plugin or kube-proxy).',
  }),
  IPSET_STALE: code('warning', {
    message: 'The set {set} of {subject} is out of date: {text}.',
    cause: 'The agent that keeps the set has stopped or cannot reach the API server, or somebody edited the set.',
    check: ['ipset list {set}  # run it {at}'],
    remedy: 'Restart the agent that writes the set {set} {at} (CNI plugin or kube-proxy).',
  }),
  MARK_CONFLICT: code('warning', {
    message:
      'Two components use the same mark bits at {subject}[: {text}]: packets of one are taken for packets of the other.',
    cause:
      'kube-proxy (0x4000, 0x8000), Calico and others mark packets; two of them were configured with the same bits.',
    check: ['iptables-save | grep -i mark  # run it {at}'],
    remedy: 'Give one of them other bits: iptablesMarkMask of Felix, masqueradeBit of kube-proxy.',
  }),
  NFT_DROP: code('critical', {
    message: '{subject} drops the packet silently below IP, in {rule}: {text}',
    cause: 'A rule of family netdev or bridge matches the packet before the host looks at its routes.',
    check: ['nft -a list ruleset  # run it {at}: families netdev and bridge', 'ebtables-save'],
    remedy: '{at}: remove or narrow the rule (nft delete rule FAMILY TABLE CHAIN handle HANDLE, or ebtables -D).',
  }),
} as const;
