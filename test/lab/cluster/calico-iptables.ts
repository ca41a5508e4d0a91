import { ACCEPT_MARK, IF_ACCEPTED, policyChain, policyLines, policySets, type PolicySet } from './calico-policies.js';
import { inOrder, selects, shortHash, type Direction, type PolicySpec } from './network-policy.js';
import { comment, type RuleSet } from './rule-set.js';
import type { ClusterSpec, NodeSpec, PodSpec } from './spec.js';

const VXLAN = '-m multiport --dports 4789';

export interface CalicoNode {
  readonly cluster: ClusterSpec;
  readonly node: NodeSpec;
  readonly pods: readonly { readonly pod: PodSpec; readonly iface: string }[];
  readonly vxlan: boolean;
}

/** Adds the rules that Felix keeps on a node. `addOthers` adds the rules between Felix's first and last ones. */
export function addCalicoRules(rules: RuleSet, node: CalicoNode, addOthers: () => void): void {
  const felix = (table: string, chain: string, ...lines: readonly string[]) =>
    rules.add(table, chain, ...lines.map((line) => withId(chain, line)));
  addMangle(rules, felix);
  addRaw(rules, felix, node);
  addNat(rules, felix, node);
  felix('filter', 'INPUT', '-j cali-INPUT');
  felix('filter', 'FORWARD', '-j cali-FORWARD');
  felix('filter', 'OUTPUT', '-j cali-OUTPUT');
  addOthers();
  felix('filter', 'FORWARD', `${comment('Policy explicitly accepted packet.')} ${IF_ACCEPTED} -j ACCEPT`, ACCEPT_MARK);
  addHostChains(rules, felix, node);
  for (const { pod, iface } of node.pods) addWorkload(felix, pod, iface, node.cluster.policies ?? []);
  for (const namespace of new Set(node.pods.map(({ pod }) => pod.namespace))) addProfiles(felix, namespace);
  for (const policy of node.cluster.policies ?? []) addPolicy(rules, felix, policy, node);
}

/** The sets that Felix's rules name. */
export function calicoSets({ cluster, node, vxlan, pods }: CalicoNode): readonly CalicoSet[] {
  const others = cluster.nodes.filter((other) => other !== node).map(({ address }) => address);
  const policies = (cluster.policies ?? []).filter((policy) => pods.some(({ pod }) => selects(policy, pod)));
  const ofPolicies = policies.flatMap((policy) => policySets(policy, cluster)).map((set) => [set.name, set] as const);
  return [
    { name: 'cali40all-ipam-pools', type: 'hash:net', members: [cluster.podNetwork] },
    { name: 'cali40masq-ipam-pools', type: 'hash:net', members: [cluster.podNetwork] },
    { name: 'cali40this-host', type: 'hash:ip', members: [node.address, '127.0.0.1', '127.0.0.0'] },
    ...(vxlan ? [{ name: 'cali40all-vxlan-net', type: 'hash:net', members: others } as const] : []),
    ...new Map(ofPolicies).values(),
  ];
}

export type CalicoSet =
  PolicySet | { readonly name: string; readonly type: 'hash:ip'; readonly members: readonly string[] };

/** For `ipset restore`. */
export function printSets(sets: readonly CalicoSet[]): string {
  const lines = sets.flatMap(({ name, type, members }) => [
    `create ${name} ${type} family inet hashsize 1024 maxelem 1048576`,
    ...members.map((member) => `add ${name} ${member}`),
  ]);
  return `${lines.join('\n')}\n`;
}

type Felix = (table: string, chain: string, ...lines: readonly string[]) => void;

/** Felix begins each rule with a hash of it, by which it knows its own rules again. Interface and protocol come first. */
function withId(chain: string, line: string): string {
  const id = shortHash(`${chain} ${line}`).slice(0, 16);
  const [head = ''] = /^(?:-[ipo] \S+ )*/.exec(line) ?? [];
  return `${head}${comment(`cali:${id}`)} ${line.slice(head.length)}`;
}

function addMangle(rules: RuleSet, felix: Felix): void {
  for (const chain of ['cali-from-host-endpoint', 'cali-to-host-endpoint']) rules.chain('mangle', chain);
  felix('mangle', 'PREROUTING', '-j cali-PREROUTING');
  felix('mangle', 'POSTROUTING', '-j cali-POSTROUTING');
  felix(
    'mangle',
    'cali-PREROUTING',
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    `${IF_ACCEPTED} -j ACCEPT`,
    '-j cali-from-host-endpoint',
    `${comment('Host endpoint policy accepted packet.')} ${IF_ACCEPTED} -j ACCEPT`,
  );
  felix(
    'mangle',
    'cali-POSTROUTING',
    `${IF_ACCEPTED} -j RETURN`,
    '-j MARK --set-xmark 0x0/0xf0000',
    '-m conntrack --ctstate DNAT -j cali-to-host-endpoint',
    `${comment('Host endpoint policy accepted packet.')} ${IF_ACCEPTED} -j RETURN`,
  );
}

function addRaw(rules: RuleSet, felix: Felix, { vxlan }: CalicoNode): void {
  for (const chain of ['cali-from-host-endpoint', 'cali-rpf-skip', 'cali-to-host-endpoint']) rules.chain('raw', chain);
  const untracked = vxlan ? ['-p udp -m udp --dport 4789 -j NOTRACK'] : [];
  felix('raw', 'PREROUTING', '-j cali-PREROUTING');
  felix('raw', 'OUTPUT', '-j cali-OUTPUT');
  felix(
    'raw',
    'cali-PREROUTING',
    '-j MARK --set-xmark 0x0/0xf0000',
    ...untracked,
    '-i cali+ -j MARK --set-xmark 0x40000/0x40000',
    '-m mark --mark 0x40000/0x40000 -j cali-rpf-skip',
    '-m mark --mark 0x40000/0x40000 -m rpfilter --validmark --invert -j DROP',
    '-m mark --mark 0x0/0x40000 -j cali-from-host-endpoint',
    `${IF_ACCEPTED} -j ACCEPT`,
  );
  felix(
    'raw',
    'cali-OUTPUT',
    '-j MARK --set-xmark 0x0/0xf0000',
    '-j cali-to-host-endpoint',
    `${IF_ACCEPTED} -j ACCEPT`,
    ...untracked,
  );
}

function addNat(rules: RuleSet, felix: Felix, { vxlan }: CalicoNode): void {
  for (const chain of ['cali-fip-dnat', 'cali-fip-snat']) rules.chain('nat', chain);
  for (const chain of ['PREROUTING', 'OUTPUT', 'POSTROUTING']) felix('nat', chain, `-j cali-${chain}`);
  felix('nat', 'cali-PREROUTING', '-j cali-fip-dnat');
  felix('nat', 'cali-OUTPUT', '-j cali-fip-dnat');
  felix('nat', 'cali-POSTROUTING', '-j cali-fip-snat', '-j cali-nat-outgoing');
  const fromElsewhere = '-m addrtype ! --src-type LOCAL --limit-iface-out -m addrtype --src-type LOCAL';
  if (vxlan) felix('nat', 'cali-POSTROUTING', `-o vxlan.calico ${fromElsewhere} -j MASQUERADE --random-fully`);
  felix(
    'nat',
    'cali-nat-outgoing',
    '-m set --match-set cali40masq-ipam-pools src -m set ! --match-set cali40all-ipam-pools dst -j MASQUERADE --random-fully',
  );
}

function addHostChains(rules: RuleSet, felix: Felix, { pods, vxlan }: CalicoNode): void {
  for (const chain of ['cidr-block', 'from-hep-forward', 'from-host-endpoint', 'to-hep-forward', 'to-host-endpoint'])
    rules.chain('filter', `cali-${chain}`);
  const hostAccepted = `${comment('Host endpoint policy accepted packet.')} ${IF_ACCEPTED} -j ACCEPT`;
  felix(
    'filter',
    'cali-FORWARD',
    '-j MARK --set-xmark 0x0/0xe0000',
    '-m mark --mark 0x0/0x10000 -j cali-from-hep-forward',
    '-i cali+ -j cali-from-wl-dispatch',
    '-o cali+ -j cali-to-wl-dispatch',
    '-j cali-to-hep-forward',
    '-j cali-cidr-block',
  );
  if (vxlan)
    felix(
      'filter',
      'cali-INPUT',
      `-p udp ${comment('Allow IPv4 VXLAN packets from allowed hosts')} ${VXLAN} -m set --match-set cali40all-vxlan-net src -m addrtype --dst-type LOCAL -j ACCEPT`,
      `-p udp ${comment('Drop IPv4 VXLAN packets from non-allowed hosts')} ${VXLAN} -m addrtype --dst-type LOCAL -j DROP`,
    );
  felix(
    'filter',
    'cali-INPUT',
    '-i cali+ -g cali-wl-to-host',
    `${IF_ACCEPTED} -j ACCEPT`,
    '-j MARK --set-xmark 0x0/0xf0000',
    '-j cali-from-host-endpoint',
    hostAccepted,
  );
  felix('filter', 'cali-OUTPUT', `${IF_ACCEPTED} -j ACCEPT`, '-o cali+ -j RETURN');
  if (vxlan)
    felix(
      'filter',
      'cali-OUTPUT',
      `-p udp ${comment('Allow IPv4 VXLAN packets to other allowed hosts')} ${VXLAN} -m addrtype --src-type LOCAL -m set --match-set cali40all-vxlan-net dst -j ACCEPT`,
    );
  felix(
    'filter',
    'cali-OUTPUT',
    '-j MARK --set-xmark 0x0/0xf0000',
    '-m conntrack ! --ctstate DNAT -j cali-to-host-endpoint',
    hostAccepted,
  );
  const unknown = `${comment('Unknown interface')} -j DROP`;
  felix('filter', 'cali-from-wl-dispatch', ...pods.map(({ iface }) => `-i ${iface} -g cali-fw-${iface}`), unknown);
  felix('filter', 'cali-to-wl-dispatch', ...pods.map(({ iface }) => `-o ${iface} -g cali-tw-${iface}`), unknown);
  felix(
    'filter',
    'cali-wl-to-host',
    '-j cali-from-wl-dispatch',
    `${comment('Configured DefaultEndpointToHostAction')} -j ACCEPT`,
  );
}

function addWorkload(felix: Felix, pod: PodSpec, iface: string, policies: readonly PolicySpec[]): void {
  const begin = [
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-m conntrack --ctstate INVALID -j DROP',
    '-j MARK --set-xmark 0x0/0x10000',
  ];
  const profiles = (direction: string) => [
    ...[`cali-${direction}-kns.${pod.namespace}`, `cali-${direction}-ksa.${pod.namespace}.default`].flatMap((chain) => [
      `-j ${chain}`,
      `${comment('Return if profile accepted')} ${IF_ACCEPTED} -j RETURN`,
    ]),
    `${comment('Drop if no profiles matched')} -j DROP`,
  ];
  const tier = (direction: Direction) => {
    const selecting = inOrder(policies).filter((policy) => policy[direction] !== undefined && selects(policy, pod));
    if (selecting.length === 0) return [];
    return [
      `${comment('Start of tier default')} -j MARK --set-xmark 0x0/0x20000`,
      ...selecting.flatMap((policy) => [
        `-m mark --mark 0x0/0x20000 -j ${policyChain(policy, direction)}`,
        `${comment('Return if policy accepted')} ${IF_ACCEPTED} -j RETURN`,
      ]),
      `${comment('End of tier default. Drop if no policies passed packet')} -m mark --mark 0x0/0x20000 -j DROP`,
    ];
  };
  felix(
    'filter',
    `cali-fw-${iface}`,
    ...begin,
    `-p udp ${comment('Drop VXLAN encapped packets originating in workloads')} ${VXLAN} -j DROP`,
    `-p ipencap ${comment('Drop IPinIP encapped packets originating in workloads')} -j DROP`,
    ...tier('egress'),
    ...profiles('pro'),
  );
  felix('filter', `cali-tw-${iface}`, ...begin, ...tier('ingress'), ...profiles('pri'));
}

function addProfiles(felix: Felix, namespace: string): void {
  for (const [prefix, direction] of [
    ['pri', 'ingress'],
    ['pro', 'egress'],
  ]) {
    const profile = `kns.${namespace}`;
    felix(
      'filter',
      `cali-${prefix}-${profile}`,
      `${comment(`Profile ${profile} ${direction}`)} ${ACCEPT_MARK}`,
      `${IF_ACCEPTED} -j RETURN`,
    );
    const account = `ksa.${namespace}.default`;
    felix('filter', `cali-${prefix}-${account}`, comment(`Profile ${account} ${direction}`));
  }
}

function addPolicy(rules: RuleSet, felix: Felix, policy: PolicySpec, { pods, cluster }: CalicoNode): void {
  if (!pods.some(({ pod }) => selects(policy, pod))) return;
  for (const direction of ['ingress', 'egress'] as const) {
    if (policy[direction] === undefined) continue;
    rules.chain('filter', policyChain(policy, direction));
    felix('filter', policyChain(policy, direction), ...policyLines(policy, direction, cluster));
  }
}
