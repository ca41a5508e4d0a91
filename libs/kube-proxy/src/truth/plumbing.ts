import { cidrContains, formatIp, type Evidence, type Ip, type Place } from '#libs/model';
import type { Finding } from '#libs/provider-kit';
import { evaluate, Sightings } from '../programmed/evaluate.js';
import { IptablesTable } from '../programmed/iptables.js';
import type { ProxyRules } from '../programmed/proxy-rules.js';
import { ruleEvidence, type ProxyPacket, type ProxyRule } from '../programmed/rule.js';

/** What all services of a node share: the jumps into kube-proxy's chains, the mark, the masquerade. */
export interface Plumbing {
  readonly findings: readonly Finding[];
  /** False: no service can be masqueraded, so asking each of them would say the same again. */
  readonly marksWork: boolean;
  /** False: there is no rule for any service. */
  readonly hasServices: boolean;
  /** False: no node port can be reached at the node's address. */
  readonly nodePortsWork: boolean;
}

/** The node that is asked about. */
export interface PlumbedNode {
  readonly at: Place;
  readonly address: Ip;
  /** Whether services have node ports that this node should serve at its address. */
  readonly servesNodePorts: boolean;
}

interface Jump {
  readonly table: 'nat' | 'filter';
  readonly from: string;
  readonly to: string;
}

/** pkg/proxy/iptables/proxier.go iptablesJumpChains. Chains that this version of kube-proxy does not make are not asked for. */
const IPTABLES_JUMPS: readonly Jump[] = [
  { table: 'nat', from: 'PREROUTING', to: 'KUBE-SERVICES' },
  { table: 'nat', from: 'OUTPUT', to: 'KUBE-SERVICES' },
  { table: 'nat', from: 'POSTROUTING', to: 'KUBE-POSTROUTING' },
  { table: 'filter', from: 'FORWARD', to: 'KUBE-FORWARD' },
  { table: 'filter', from: 'FORWARD', to: 'KUBE-SERVICES' },
  { table: 'filter', from: 'OUTPUT', to: 'KUBE-SERVICES' },
  { table: 'filter', from: 'INPUT', to: 'KUBE-EXTERNAL-SERVICES' },
  { table: 'filter', from: 'FORWARD', to: 'KUBE-EXTERNAL-SERVICES' },
  { table: 'filter', from: 'INPUT', to: 'KUBE-PROXY-FIREWALL' },
  { table: 'filter', from: 'FORWARD', to: 'KUBE-PROXY-FIREWALL' },
  { table: 'filter', from: 'OUTPUT', to: 'KUBE-PROXY-FIREWALL' },
];

/** pkg/proxy/nftables/proxier.go nftablesJumpChains. */
const NFTABLES_JUMPS: readonly Omit<Jump, 'table'>[] = [
  { from: 'nat-prerouting', to: 'services' },
  { from: 'nat-output', to: 'services' },
  { from: 'nat-postrouting', to: 'masquerading' },
  { from: 'filter-input', to: 'nodeport-endpoints-check' },
  { from: 'filter-input', to: 'service-endpoints-check' },
  { from: 'filter-forward', to: 'service-endpoints-check' },
  { from: 'filter-output', to: 'service-endpoints-check' },
  { from: 'filter-prerouting-pre-dnat', to: 'firewall-check' },
  { from: 'filter-output-pre-dnat', to: 'firewall-check' },
];

const NFTABLES_MAPS = [
  { chain: 'services', map: 'service-ips' },
  { chain: 'service-endpoints-check', map: 'no-endpoint-services' },
  { chain: 'nodeport-endpoints-check', map: 'no-endpoint-nodeports' },
  { chain: 'firewall-check', map: 'firewall-ips' },
];

export function checkPlumbing({ at, address, servesNodePorts }: PlumbedNode, rules: ProxyRules): Plumbing {
  const findings: Finding[] = [];
  const add = (code: Finding['code'], evidence: readonly Evidence[], what: string): void => {
    findings.push({ code, subject: at, evidence, details: { node: at.name, subject: what, source: 'pods' } });
  };
  const chain = (locator: string, text: string): Evidence => ({ kind: 'chain', at, locator, text });
  const hasServices = rules.mode === 'nftables' || (rules.all(rules.start)?.length ?? 0) > 0;
  if (!hasServices)
    add('PROXY_RULES_MISSING', [chain(rules.chainLocator(rules.start), 'the chain is empty')], 'any service');
  else
    for (const { locator, text, what } of rules.mode === 'iptables' ? missingJumps(rules) : missingNftables(rules))
      add('PROXY_RULES_MISSING', [chain(locator, text)], what);
  const closed = hasServices && servesNodePorts ? closedNodePorts(rules, address) : undefined;
  if (closed !== undefined) add('PROXY_RULES_MISSING', [chain(closed.locator, closed.text)], closed.what);
  const marks = checkMarks(at, rules, address);
  findings.push(...marks);
  return { findings, marksWork: marks.length === 0, hasServices, nodePortsWork: closed === undefined };
}

interface Absent {
  readonly locator: string;
  readonly text: string;
  readonly what: string;
}

function missingJumps(rules: ProxyRules): Absent[] {
  const [nat, filter] = rules.tables;
  return IPTABLES_JUMPS.flatMap(({ table, from, to }): Absent[] => {
    const source = table === 'nat' ? nat : filter;
    if (!(source instanceof IptablesTable) || !source.has(to) || calls(source.all(from), to)) return [];
    return [{ locator: `${table}/${from}`, text: `nothing leads to ${to}`, what: 'the services behind it' }];
  }).concat(emptyForward(filter));
}

/** KUBE-FORWARD lets marked and answering packets through where the policy of FORWARD is DROP. */
function emptyForward(filter: ProxyRules['tables'][number] | undefined): Absent[] {
  if (!(filter instanceof IptablesTable) || !filter.has('KUBE-FORWARD')) return [];
  const accepts = (filter.all('KUBE-FORWARD') ?? []).some(
    ({ actions, tests }) => actions.some(({ kind }) => kind === 'accept') && tests.some(({ kind }) => kind === 'mark'),
  );
  if (accepts) return [];
  return [
    {
      locator: 'filter/KUBE-FORWARD',
      text: 'no rule accepts packets with the mark',
      what: 'forwarded service traffic',
    },
  ];
}

function missingNftables(rules: ProxyRules): Absent[] {
  const jumps = NFTABLES_JUMPS.filter(({ from, to }) => !calls(rules.all(from), to)).map(({ from, to }) => ({
    locator: rules.chainLocator(from),
    text: `nothing leads to ${to}`,
    what: 'the services behind it',
  }));
  const maps = NFTABLES_MAPS.filter(({ chain, map }) => !looksUp(rules.all(chain), map)).map(({ chain, map }) => ({
    locator: rules.chainLocator(chain),
    text: `nothing looks up ${map}`,
    what: 'the services in it',
  }));
  return [...jumps, ...maps];
}

/** The way to the node ports is closed for the node's own address. */
function closedNodePorts(rules: ProxyRules, address: Ip): Absent | undefined {
  const what = 'any node port';
  const packet: ProxyPacket = { ...anyPacket(address), dst: address, dstIsLocal: true };
  const open = (rule: ProxyRule): boolean =>
    rule.tests.every((test) => {
      if (test.kind === 'destination') return test.nets.some((net) => cidrContains(net, packet.dst)) !== test.invert;
      return test.kind === 'destination-local' && !test.invert;
    });
  const leads = (rules.all(rules.start) ?? []).filter(({ actions }) =>
    actions.some(
      (action) =>
        (action.kind === 'call' && action.chain === 'KUBE-NODEPORTS') ||
        (action.kind === 'lookup' && action.map === 'service-nodeports'),
    ),
  );
  if (leads.length === 0)
    return { locator: rules.chainLocator(rules.start), text: 'nothing leads to the node ports', what };
  if (!leads.some(open)) {
    const set = rules.mode === 'nftables' ? '@nodeport-ips' : rules.start;
    return {
      locator: rules.chainLocator(set),
      text: `node ports are not served at ${formatIp(address)}: ${leads.map(({ text }) => text).join('; ')}`,
      what,
    };
  }
  if (rules.mode === 'iptables' && (rules.all('KUBE-NODEPORTS')?.length ?? 0) === 0)
    return { locator: rules.chainLocator('KUBE-NODEPORTS'), text: 'the chain is empty', what };
  return undefined;
}

/** A jump for all packets, or for those to the node's own addresses (node ports). */
function calls(rules: readonly ProxyRule[] | undefined, to: string): boolean {
  return (rules ?? []).some(
    ({ tests, actions }) =>
      tests.every(({ kind }) => kind === 'destination-local' || kind === 'destination') &&
      actions.some((action) => action.kind === 'call' && action.chain === to),
  );
}

function looksUp(rules: readonly ProxyRule[] | undefined, map: string): boolean {
  return (rules ?? []).some(({ actions }) => actions.some((action) => action.kind === 'lookup' && action.map === map));
}

/** The mark is set where it should be, and packets with it (and only those) are masqueraded. */
function checkMarks(at: Place, rules: ProxyRules, node: Ip): Finding[] {
  const findings: Finding[] = [];
  const add = (code: Finding['code'], chain: string, text: string): void => {
    const all = rules.all(chain) ?? [];
    const evidence: Evidence[] = [
      { kind: 'chain', at, locator: rules.chainLocator(chain), text },
      ...all.map((rule) => ruleEvidence(rule, at)),
    ];
    findings.push({ code, subject: at, evidence, details: { source: 'pods and others', node: at.name } });
  };
  const packet = anyPacket(node);
  const marking = rules.mode === 'iptables' ? 'KUBE-MARK-MASQ' : 'mark-for-masquerade';
  const bit = `0x${rules.markBit.toString(16)}`;
  if (rules.mode === 'iptables' || rules.all(marking) !== undefined) {
    const { rest } = evaluate(rules.nat, marking, packet, rules.markBit, new Sightings());
    if (rest.marked < 1)
      add('MASQUERADE_MISSING', marking, `it does not set the mark ${bit} that ${rules.masquerading} asks for`);
  }
  const marked = evaluate(rules.nat, rules.masquerading, packet, rules.markBit, new Sightings(), true);
  if (!marked.leaves.some(({ kind, probability }) => kind === 'masquerade' && probability > 0.999))
    add('MASQUERADE_MISSING', rules.masquerading, `packets with the mark ${bit} are not masqueraded`);
  const plain = evaluate(rules.nat, rules.masquerading, packet, rules.markBit, new Sightings());
  if (rules.mode === 'iptables' && plain.leaves.some(({ kind }) => kind === 'masquerade'))
    add('MASQUERADE_UNEXPECTED', rules.masquerading, `packets without the mark ${bit} are masqueraded`);
  return findings;
}

function anyPacket(node: Ip): ProxyPacket {
  return { src: node, srcIsLocal: true, fromPod: false, dst: node, dstIsLocal: false, protocol: 6, dport: 80 };
}
