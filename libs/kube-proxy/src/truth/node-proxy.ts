import type { ClusterIndex, NodeObject } from '#libs/cluster';
import {
  cidrContains,
  familyOf,
  formatCidr,
  formatIp,
  parseCidr,
  type Evidence,
  type Family,
  type Ip,
  type Place,
  type Skipped,
} from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { ProxyConfig, ProxyMode } from '../config.js';
import { ServiceIntent } from '../intent/expected.js';
import { entriesOf, notProxied, type ServiceEntry, type ServicePortRef } from '../intent/service-entry.js';
import { ChainNames } from '../programmed/chain-names.js';
import { entryKey } from '../programmed/iptables.js';
import { protocolNumber } from '../programmed/iptables-rule.js';
import type { ProxyRules } from '../programmed/proxy-rules.js';
import { ruleEvidence } from '../programmed/rule.js';
import { comparePort, type NodeView } from './compare-entry.js';
import { compareIpvs, ipvsNodeFindings, unwantedServers } from './compare-ipvs.js';
import { localTraffic, podAddress } from './local-traffic.js';
import { checkPlumbing, type Plumbing } from './plumbing.js';
import { programmedModes, toldFirst, rulesOf, type ProgrammedMode } from './programmed-modes.js';
import { joinChecks, NOTHING_FOUND, type ProxyCheck } from './proxy-check.js';

const FAMILIES = [4, 6] as const;
/** From this share of wrong service ports on, the node is out of date as a whole. */
const OUT_OF_DATE = 0.2;

const NAMES_SAMPLE = 50;

/** One family of a node's rules, ready to be compared. */
interface FamilyView {
  readonly view: NodeView;
  readonly plumbing: Plumbing;
}

/** The kube-proxy of one node: what it has programmed, against what the objects imply. Made once per namespace. */
export class NodeProxy {
  readonly mode: ProxyMode | 'none' | 'unknown';
  private readonly at: Place;
  private readonly node: NodeObject | undefined;
  private readonly views = new Map<Family, FamilyView | undefined>();
  private readonly answers = new Map<string, ProxyCheck>();
  private readonly intents = new Map<object, ServiceIntent>();
  private readonly modes: readonly ProgrammedMode[];
  private shared: ProxyCheck | undefined;

  constructor(
    private readonly cluster: ClusterIndex,
    private readonly ns: NetNamespace,
    private readonly config: ProxyConfig,
  ) {
    this.at = ns.place;
    this.node = cluster.nodes.get(ns.dump.name);
    const { told } = config;
    this.modes = toldFirst(programmedModes(ns), told);
    const [first] = this.modes;
    const isThere = first !== undefined && (told === undefined || first.mode === told);
    this.mode = isThere ? first.mode : isCollected(ns) ? 'none' : 'unknown';
  }

  /** What kube-proxy of this node is expected to choose from; see ServiceIntent.expected(). */
  intentOf(ref: ServicePortRef): ServiceIntent {
    const known = this.intents.get(ref.port);
    if (known !== undefined) return known;
    const intent = new ServiceIntent(this.cluster, this.node ?? { name: this.ns.dump.name });
    this.intents.set(ref.port, intent);
    return intent;
  }

  /** The asked entry only, and what all services of the node share. Answers are kept: a second question is free. */
  check(entry: ServiceEntry): ProxyCheck {
    const key = `${entry.service.namespace}/${entry.service.name} ${entry.port.protocol} ${formatIp(entry.ip)} ${entry.dport}`;
    let answer = this.answers.get(key);
    if (answer === undefined) {
      answer = this.answer(entry);
      this.answers.set(key, answer);
    }
    return answer;
  }

  /** Every service port, what the node shares, and rules that no service has. For audits. */
  checkAll(): ProxyCheck {
    const shared = this.nodeCheck();
    if (this.mode === 'unknown' || this.mode === 'none' || !this.hasServices()) return shared;
    const checks: ProxyCheck[] = [];
    let total = 0;
    let wrong = 0;
    let missing = 0;
    for (const service of this.cluster.services.values())
      for (const port of service.ports) {
        const entries = entriesOf({ service, port }, this.node).filter((entry) => this.serves(entry));
        if (entries.length === 0) continue;
        const found = this.compareAll(entries);
        checks.push(found);
        total++;
        if (found.findings.length > 0) wrong++;
        if (found.findings.some(({ code }) => OLD_STATE.has(code))) missing++;
      }
    const late = missing >= 3 && missing / total >= OUT_OF_DATE ? [this.notSynced(wrong, total, checks)] : [];
    return joinChecks([
      { findings: [...late, ...shared.findings], skipped: shared.skipped },
      ...checks,
      { findings: this.unwanted(), skipped: [] },
    ]);
  }

  /** What concerns the node as a whole: mode, back ends, jumps, marks, the pod network that it was told. */
  nodeCheck(): ProxyCheck {
    return (this.shared ??= this.checkNode());
  }

  private answer(entry: ServiceEntry): ProxyCheck {
    if (notProxied(entry.service) !== undefined) return NOTHING_FOUND;
    const shared = this.nodeCheck();
    if (this.mode === 'unknown' || this.mode === 'none' || !this.hasServices() || !this.serves(entry)) return shared;
    const others = entriesOf(entry, this.node).filter((other) => this.serves(other) && !isSame(other, entry));
    const found = this.compare([entry, ...others]).get(entry);
    return found === undefined ? shared : joinChecks([shared, found]);
  }

  private compareAll(entries: readonly ServiceEntry[]): ProxyCheck {
    const found = this.compare(entries);
    return joinChecks(entries.flatMap((entry) => found.get(entry) ?? []));
  }

  /** Entries of one service port. */
  private compare(entries: readonly ServiceEntry[]): ReadonlyMap<ServiceEntry, ProxyCheck> {
    const [first] = entries;
    if (first === undefined) return new Map();
    const intent = this.intentOf(first);
    if (this.mode === 'ipvs') return new Map(entries.map((entry) => [entry, compareIpvs(this.ns, intent, entry)]));
    const found = new Map<ServiceEntry, ProxyCheck>();
    for (const family of FAMILIES) {
      const ours = entries.filter(({ ip }) => familyOf(ip) === family);
      if (ours.length === 0) continue;
      const known = this.family(family);
      const checks =
        known === undefined
          ? ours.map((entry) => [entry, this.notComparable(family)] as const)
          : comparePort(known.view, intent, ours);
      for (const [entry, check] of checks) found.set(entry, check);
    }
    return found;
  }

  private notComparable(family: Family): ProxyCheck {
    const reason =
      this.nodeAddress(family) === undefined
        ? `${this.at.name} has no IPv${family} address in its status: its IPv${family} services are not compared`
        : `there are no IPv${family} rules of kube-proxy on ${this.at.name} to compare`;
    return { findings: [], skipped: [{ code: 'NETNS_NOT_COLLECTED', reason, at: this.at }] };
  }

  /** Node ports are served at all addresses, or at those of nodePortAddresses; in nftables mode at the primary ones by default. */
  private serves(entry: ServiceEntry): boolean {
    if (entry.kind !== 'nodePort') return true;
    if (this.mode !== 'ipvs' && this.family(familyOf(entry.ip))?.plumbing.nodePortsWork === false) return false;
    return this.servesAt(entry.ip);
  }

  private servesAt(ip: Ip): boolean {
    const wanted = this.config.nodePortAddresses ?? [];
    const networks = wanted.filter((one) => one !== 'primary');
    if (networks.length > 0) return networks.some((text) => contains(text, ip));
    return ip === this.nodeAddress(familyOf(ip));
  }

  private servesNodePorts(node: Ip): boolean {
    if (!this.servesAt(node)) return false;
    for (const service of this.cluster.services.values())
      for (const port of service.ports)
        if (port.nodePort !== undefined && isExpectedAt({ service, port }, node)) return true;
    return false;
  }

  private nodeAddress(family: Family): Ip | undefined {
    const ips = this.node?.internalIps.length ? this.node.internalIps : (this.node?.addresses ?? []);
    return ips.find((ip) => familyOf(ip) === family);
  }

  private hasServices(): boolean {
    return this.mode === 'ipvs' || FAMILIES.some((family) => this.family(family)?.plumbing.hasServices === true);
  }

  private family(family: Family): FamilyView | undefined {
    if (this.views.has(family)) return this.views.get(family);
    const view = this.readFamily(family);
    this.views.set(family, view);
    return view;
  }

  private readFamily(family: Family): FamilyView | undefined {
    const rules = rulesOf(this.modes, family);
    const node = this.nodeAddress(family);
    if (rules === undefined || node === undefined) return undefined;
    const plumbing = checkPlumbing({ at: this.at, address: node, servesNodePorts: this.servesNodePorts(node) }, rules);
    const local = localTraffic(rules, chainsOf(this.clusterPools(rules, family)));
    const view: NodeView = {
      at: this.at,
      rules,
      local,
      node,
      pod: local.kind === 'none' ? undefined : podAddress(this.node, this.cluster, local, family),
      masqueradeAll: this.config.masqueradeAll,
      marksWork: plumbing.marksWork,
      namesHold: this.namesHold(rules, family),
    };
    return { view, plumbing };
  }

  /** Whether most chains have the names that kube-proxy gives. */
  private namesHold(rules: ProxyRules, family: Family): boolean {
    let asked = 0;
    let held = 0;
    for (const { chain, ref } of this.clusterPools(rules, family)) {
      if (++asked > NAMES_SAMPLE) break;
      if (new ChainNames(ref).isOwn(chain) === true) held++;
    }
    return held * 2 > Math.min(asked, NAMES_SAMPLE);
  }

  /** The chains that packets to cluster addresses enter. */
  private *clusterPools(
    rules: ProxyRules,
    family: Family,
  ): Generator<{ readonly chain: string; readonly ref: ServicePortRef }> {
    const entries = rules.entries();
    for (const service of this.cluster.services.values())
      for (const ip of service.clusterIps) {
        if (familyOf(ip) !== family) continue;
        for (const port of service.ports) {
          const rule = entries.get(entryKey(ip, protocolNumber(port.protocol) ?? 0, port.port));
          for (const action of rule?.actions ?? [])
            if (action.kind === 'call' && /^(KUBE-SV[CL]-|service-|local-)/.test(action.chain))
              yield { chain: action.chain, ref: { service, port } };
        }
      }
  }

  private checkNode(): ProxyCheck {
    const findings: Finding[] = [];
    const skipped: Skipped[] = [];
    const { unread } = this.cluster;
    for (const { kind, namespace, name } of unread)
      if (kind === 'Service' || kind === 'EndpointSlice')
        skipped.push({
          code: 'FEATURE_UNSUPPORTED',
          reason: `${kind}/${namespace ?? ''}/${name} has a shape that is not known: its rules are not compared`,
        });
    if (this.mode === 'unknown') {
      skipped.push({
        code: 'NETNS_NOT_COLLECTED',
        reason: `rules of kube-proxy on ${this.at.name} cannot be compared: neither iptables, nftables nor ipvs was collected`,
        at: this.at,
      });
      return { findings, skipped };
    }
    if (this.mode === 'none') return this.noRules();
    findings.push(...this.mixed(), ...this.otherMode());
    if (this.mode === 'ipvs') findings.push(...ipvsNodeFindings(this.ns));
    else
      for (const family of FAMILIES) {
        const found = this.family(family);
        // A family without services is programmed empty, or not at all.
        if (found === undefined || !this.hasFamily(family)) continue;
        findings.push(...found.plumbing.findings, ...this.wrongPodNetwork(found.view, family));
        if (this.mode === 'nftables') findings.push(...this.overlaps(found.view.rules, family));
      }
    return { findings, skipped };
  }

  private hasFamily(family: Family): boolean {
    for (const { clusterIps } of this.cluster.services.values())
      if (clusterIps.some((ip) => familyOf(ip) === family)) return true;
    return false;
  }

  /** No rule of any mode. Clusters without kube-proxy are like that; where one should run it is the finding. */
  private noRules(): ProxyCheck {
    const { source, told } = this.config;
    const expected = source.startsWith('ConfigMap') || told !== undefined || this.kubeProxyPod() !== undefined;
    if (!expected)
      return {
        findings: [],
        skipped: [
          {
            code: 'FEATURE_UNSUPPORTED',
            reason: `${this.at.name} has no rule of kube-proxy in any mode and nothing says that it should: services are not compared`,
            at: this.at,
          },
        ],
      };
    const { mode } = this.config;
    const locator = mode === 'nftables' ? 'ip kube-proxy' : mode === 'ipvs' ? 'ipvs' : 'nat/KUBE-SERVICES';
    const evidence: Evidence[] = [
      { kind: 'chain', at: this.at, locator, text: `there are no rules of kube-proxy in ${told ?? 'any'} mode` },
      ...this.modes.map((one): Evidence => ({ kind: 'chain', at: this.at, locator: one.locator, text: one.text })),
      ...this.configEvidence(),
    ];
    return {
      findings: [
        {
          code: 'PROXY_RULES_MISSING',
          subject: this.at,
          evidence,
          details: { node: this.at.name, subject: 'any service' },
        },
      ],
      skipped: [],
    };
  }

  private kubeProxyPod(): string | undefined {
    for (const { name, node, labels } of this.cluster.podsIn('kube-system'))
      if (node === this.at.name && (labels['k8s-app'] === 'kube-proxy' || labels.component === 'kube-proxy'))
        return name;
    return undefined;
  }

  private configEvidence(): Evidence[] {
    const { source, mode, told } = this.config;
    if (told !== undefined)
      return [{ kind: 'object', at: this.at, locator: 'overrides/proxyMode', text: `the user says: ${told}` }];
    if (!source.startsWith('ConfigMap')) return [];
    return [{ kind: 'object', at: this.at, locator: source, text: `mode: ${mode ?? 'not readable'}` }];
  }

  /** Service rules in more than one back end or mode: the kernel asks all of them. */
  private mixed(): Finding[] {
    const [first, second] = this.modes;
    if (first === undefined || second === undefined) return [];
    // ipvs mode keeps a few rules in iptables; those are its own.
    if (first.mode === 'ipvs' && !second.hasEndpointChains) return [];
    return [
      {
        code: 'BACKENDS_MIXED',
        subject: this.at,
        evidence: this.modes.map(({ locator, text }) => ({ kind: 'chain', at: this.at, locator, text })),
        details: { node: this.at.name },
        remedy: `Remove the rules that kube-proxy left behind: kube-proxy --cleanup on ${this.at.name}, then restart it.`,
      },
    ];
  }

  private otherMode(): Finding[] {
    const { mode } = this.config;
    if (mode === undefined || mode === this.mode) return [];
    return [
      {
        code: 'PROXY_MODE_MISMATCH',
        subject: this.at,
        evidence: [
          ...this.configEvidence(),
          ...this.modes
            .slice(0, 1)
            .map(({ locator, text }): Evidence => ({ kind: 'chain', at: this.at, locator, text })),
        ],
        details: { actual: this.mode, expected: mode },
      },
    ];
  }

  /** Pods of the node that its rules do not take for pods: they are masqueraded, and not short-cut to external addresses. */
  private wrongPodNetwork({ local }: NodeView, family: Family): Finding[] {
    if (local.kind !== 'network' || local.rule === undefined) return [];
    const outside = (ip: Ip): boolean => familyOf(ip) === family && !local.nets.some((net) => cidrContains(net, ip));
    const pod = [...this.cluster.pods.values()].find(
      ({ node, hostNetwork, ips }) => node === this.at.name && !hostNetwork && ips.some(outside),
    );
    const cidr = this.node?.podCidrs.find(({ net }) => outside(net));
    if (pod === undefined && cidr === undefined) return [];
    const evidence: Evidence[] = [
      ruleEvidence(local.rule, this.at),
      ...this.configEvidence(),
      ...(cidr === undefined
        ? []
        : [
            {
              kind: 'object' as const,
              at: this.at,
              locator: `Node/${this.at.name}:spec.podCIDRs`,
              text: formatCidr(cidr),
            },
          ]),
      ...(pod === undefined
        ? []
        : [
            {
              kind: 'object' as const,
              at: this.at,
              locator: `Pod/${pod.namespace}/${pod.name}:status.podIPs`,
              text: pod.ips.map(formatIp).join(', '),
            },
          ]),
    ];
    const expected = cidr === undefined ? this.cluster.podCidrs.map(formatCidr).join(',') : formatCidr(cidr);
    return [
      {
        code: 'PROXY_CLUSTER_CIDR_WRONG',
        subject: this.at,
        evidence,
        details: { node: this.at.name, actual: local.text, expected: expected || 'not known' },
      },
    ];
  }

  /** "Drop traffic to unallocated ClusterIPs": nodes and pods inside the service network are cut off (nftables mode only). */
  private overlaps(rules: ProxyRules, family: Family): Finding[] {
    const findings: Finding[] = [];
    for (const rule of rules.all('cluster-ips-check') ?? []) {
      if (!rule.actions.some(({ kind }) => kind === 'drop')) continue;
      for (const test of rule.tests) {
        if (test.kind !== 'destination' || test.invert) continue;
        const hit = this.insideOf(test.nets, family);
        if (hit === undefined) continue;
        findings.push({
          code: 'SERVICE_CIDR_OVERLAP',
          subject: this.at,
          evidence: [ruleEvidence(rule, this.at), hit.evidence],
          details: {
            node: this.at.name,
            actual: test.nets.map(formatCidr).join(', '),
            destination: hit.address,
            owner: hit.owner,
          },
        });
      }
    }
    return findings;
  }

  private insideOf(
    nets: readonly { readonly net: Ip; readonly length: number }[],
    family: Family,
  ): { readonly address: string; readonly owner: string; readonly evidence: Evidence } | undefined {
    const contained = (ip: Ip): boolean => familyOf(ip) === family && nets.some((net) => cidrContains(net, ip));
    for (const { name, internalIps } of this.cluster.nodes.values()) {
      const ip = internalIps.find(contained);
      if (ip !== undefined) return overlap(this.at, `Node/${name}:status.addresses`, formatIp(ip), `node ${name}`);
    }
    for (const { name, podCidrs } of this.cluster.nodes.values()) {
      const cidr = podCidrs.find(({ net }) => contained(net));
      if (cidr !== undefined)
        return overlap(this.at, `Node/${name}:spec.podCIDRs`, formatCidr(cidr), `pods of node ${name}`);
    }
    return undefined;
  }

  private notSynced(count: number, total: number, checks: readonly ProxyCheck[]): Finding {
    const evidence = checks
      .flatMap(({ findings }) => findings.slice(0, 1))
      .flatMap((finding) => finding.evidence.slice(0, 1))
      .slice(0, 3);
    return { code: 'PROXY_NOT_SYNCED', subject: this.at, evidence, details: { node: this.at.name, count, total } };
  }

  /** Programmed entries that no service of the snapshot has. */
  private unwanted(): Finding[] {
    const wanted = this.wantedKeys();
    if (this.mode === 'ipvs') return unwantedServers(this.ns, this.cluster, wanted);
    const findings: Finding[] = [];
    for (const family of FAMILIES)
      for (const [key, rule] of this.family(family)?.view.rules.entries() ?? []) {
        if (wanted.has(key)) continue;
        findings.push({
          code: 'PROXY_STALE_SERVICE',
          subject: this.at,
          evidence: [ruleEvidence(rule, this.at)],
          details: { node: this.at.name, destination: destinationText(key) },
        });
      }
    return findings;
  }

  private wantedKeys(): ReadonlySet<string> {
    const wanted = new Set<string>();
    for (const service of this.cluster.services.values())
      for (const port of service.ports) {
        const protocol = protocolNumber(port.protocol) ?? 0;
        for (const { ip, dport, kind } of entriesOf({ service, port }, this.node))
          wanted.add(entryKey(kind === 'nodePort' ? undefined : ip, protocol, dport));
        if (port.nodePort !== undefined && notProxied(service) === undefined)
          wanted.add(entryKey(undefined, protocol, port.nodePort));
      }
    return wanted;
  }
}

/** Findings of a node that has not heard of a change. A forged or broken rule is another matter. */
const OLD_STATE: ReadonlySet<string> = new Set([
  'PROXY_RULES_MISSING',
  'PROXY_STALE_ENDPOINT',
  'PROXY_ENDPOINT_MISSING',
  'IPVS_SERVICE_MISSING',
  'IPVS_SERVER_MISSING',
  'IPVS_SERVER_EXTRA',
]);

function isCollected(ns: NetNamespace): boolean {
  return ns.iptables(4).some((ruleset) => ruleset !== undefined) || ns.native !== undefined;
}

function* chainsOf(pools: Iterable<{ readonly chain: string }>): Generator<string> {
  for (const { chain } of pools) yield chain;
}

/** Whether a service port with endpoints has a node port in the family of an address: without endpoints it has no rule to NAT. */
function isExpectedAt({ service }: ServicePortRef, node: Ip): boolean {
  return notProxied(service) === undefined && service.clusterIps.some((ip) => familyOf(ip) === familyOf(node));
}

function isSame(a: ServiceEntry, b: ServiceEntry): boolean {
  return a.ip === b.ip && a.dport === b.dport && a.kind === b.kind;
}

function overlap(
  at: Place,
  locator: string,
  address: string,
  owner: string,
): { readonly address: string; readonly owner: string; readonly evidence: Evidence } {
  return { address, owner, evidence: { kind: 'object', at, locator, text: address } };
}

function contains(text: string, ip: Ip): boolean {
  const network = parseCidr(text);
  return network !== undefined && cidrContains(network, ip);
}

function destinationText(key: string): string {
  const [ip = '', protocol = '', port = ''] = key.split(' ');
  const name = { '6': 'TCP', '17': 'UDP', '132': 'SCTP' }[protocol] ?? protocol;
  return `${ip === '*' ? 'node port ' : `${ip}:`}${port}/${name}`;
}
