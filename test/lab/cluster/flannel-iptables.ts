import type { RuleSet } from './rule-set.js';

const COMMENT_MASQ = '-m comment --comment "flanneld masq"';
const COMMENT_FORWARD = '-m comment --comment "flanneld forward"';

/** Adds the rules that flanneld keeps on a node with `--ip-masq` and iptables. */
export function addFlannelRules(rules: RuleSet, podNetwork: string, podCidr: string): void {
  const masquerade = '-j MASQUERADE --random-fully';
  rules.add('filter', 'FORWARD', `${COMMENT_FORWARD} -j FLANNEL-FWD`);
  rules.add(
    'filter',
    'FLANNEL-FWD',
    `-s ${podNetwork} ${COMMENT_FORWARD} -j ACCEPT`,
    `-d ${podNetwork} ${COMMENT_FORWARD} -j ACCEPT`,
  );
  rules.add('nat', 'POSTROUTING', `${COMMENT_MASQ} -j FLANNEL-POSTRTG`);
  rules.add(
    'nat',
    'FLANNEL-POSTRTG',
    `-m mark --mark 0x4000/0x4000 ${COMMENT_MASQ} -j RETURN`,
    `-s ${podCidr} -d ${podNetwork} ${COMMENT_MASQ} -j RETURN`,
    `-s ${podNetwork} -d ${podCidr} ${COMMENT_MASQ} -j RETURN`,
    `! -s ${podNetwork} -d ${podCidr} ${COMMENT_MASQ} -j RETURN`,
    `-s ${podNetwork} ! -d 224.0.0.0/4 ${COMMENT_MASQ} ${masquerade}`,
    `! -s ${podNetwork} -d ${podNetwork} ${COMMENT_MASQ} ${masquerade}`,
  );
}
