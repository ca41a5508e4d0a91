import { familyOf, formatIp, type Evidence, type Ip, type Place } from '#libs/model';
import { deleteCommand } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { backendText, type ProxyEndpoint } from '../intent/endpoints.js';
import type { Expected, ServiceIntent } from '../intent/expected.js';
import { isExternalLocal, placeOfService, type ServiceEntry } from '../intent/service-entry.js';
import { ChainNames, poolKind } from '../programmed/chain-names.js';
import { evaluate, Sightings, type Evaluation, type Leaf } from '../programmed/evaluate.js';
import { entryKey } from '../programmed/iptables.js';
import { protocolNumber } from '../programmed/iptables-rule.js';
import { hairpinMember } from '../programmed/nftables.js';
import type { ProxyRules } from '../programmed/proxy-rules.js';
import { ruleEvidence, type ProxyRule } from '../programmed/rule.js';
import { affinityProblems } from './affinity.js';
import { calleesOf, callee, isAt, isOwn, leafText, percent, poolOf, sourceText } from './leaf.js';
import { isMarkRule, type LocalTraffic } from './local-traffic.js';
import { probesOf, type Probe, type ProbeContext } from './probes.js';
import { uniqueFindings, type ProxyCheck } from './proxy-check.js';

/** iptables-save prints eleven digits of a 31-bit fraction. */
const TOLERANCE = 1e-6;

/** One node and family, as far as the comparison of an entry needs it. */
export interface NodeView extends ProbeContext {
  readonly at: Place;
  readonly rules: ProxyRules;
  readonly local: LocalTraffic;
  readonly masqueradeAll: boolean;
  /** False: the marks cannot work on this node at all, which is said once and not for every service. */
  readonly marksWork: boolean;
  /** False: chains have names of somebody else's making, and tell nothing. */
  readonly namesHold: boolean;
}

/**
 * What the node does with packets to the entries of one service port and family, against what the objects imply. They are
 * compared together: only then can it be told that no packet takes a rule.
 */
export function comparePort(
  view: NodeView,
  intent: ServiceIntent,
  entries: readonly ServiceEntry[],
): ReadonlyMap<ServiceEntry, ProxyCheck> {
  const seen = new Sightings();
  const [first] = entries;
  if (first === undefined) return new Map();
  const names = new ChainNames(first);
  const comparisons = entries.map((entry) => new EntryComparison({ view, intent, seen, names }, entry));
  const found = new Map(comparisons.map((comparison) => [comparison.entry, comparison.run()]));
  const named = [...found.values()].flatMap((findings) => findings);
  const unused = comparisons.flatMap((comparison) => comparison.unused(named));
  const skipped = [...seen.unknown].map(({ locator, text }) => ({
    code: 'FEATURE_UNSUPPORTED',
    reason: `the check of kube-proxy's rules does not understand ${locator}: ${text}`,
    at: view.at,
  }));
  return new Map(
    [...found].map(([entry, findings]) => [entry, { findings: uniqueFindings([...findings, ...unused]), skipped }]),
  );
}

/** What the comparisons of the entries of one service port share. */
interface PortView {
  readonly view: NodeView;
  readonly intent: ServiceIntent;
  readonly seen: Sightings;
  readonly names: ChainNames;
}

class EntryComparison {
  private readonly findings: Finding[] = [];
  private readonly subject: Place;
  private readonly node: string;
  private readonly view: NodeView;
  private readonly intent: ServiceIntent;
  private readonly seen: Sightings;
  private readonly names: ChainNames;

  constructor(
    shared: PortView,
    readonly entry: ServiceEntry,
  ) {
    this.view = shared.view;
    this.intent = shared.intent;
    this.seen = shared.seen;
    this.names = shared.names;
    this.subject = placeOfService(entry.service);
    this.node = shared.view.at.name;
  }

  run(): readonly Finding[] {
    const endpoints = new Map<string, Leaf>();
    for (const probe of probesOf(this.entry, this.view)) {
      const expected = this.intent.expected(this.entry, probe.asker);
      const { before, nat } = this.walk(probe);
      if (before !== undefined) this.compareRefusal(probe, expected, before);
      else {
        const leaves = nat.leaves.filter(({ kind }) => kind === 'dnat');
        for (const { kind, rule } of nat.leaves)
          if (kind !== 'dnat') this.wrong(rule, `it ends the way of packets from ${sourceText(probe)} (${kind})`);
        if (leaves.length > 0) this.compareBackends(probe, expected, leaves, nat);
        else this.compareNothing(probe, expected, nat);
        this.compareAffinity(expected, leaves, nat);
        for (const leaf of leaves) endpoints.set(`${leaf.rule.locator} ${leafText(leaf)}`, leaf);
      }
    }
    this.compareHairpins(endpoints.values());
    return this.findings;
  }

  private walk({ packet }: Probe): { before: Leaf | undefined; nat: Evaluation } {
    const { rules } = this.view;
    const before = rules.before(packet, this.seen);
    const nat = evaluate(rules.nat, rules.start, packet, rules.markBit, this.seen);
    return { before, nat };
  }

  /** Nothing translates the packet: right when it should be refused, and then something has to refuse it. */
  private compareNothing(probe: Probe, expected: Expected, nat: Evaluation): void {
    const refusals = this.view.rules.after(probe.packet, this.seen);
    const [first] = refusals;
    if (expected.outcome === 'backends') {
      this.missingRules(expected, nat, first);
      return;
    }
    if (first !== undefined) this.compareRefusal(probe, expected, first);
    this.compareGuard(probe, expected, nat);
    const place = this.refusalPlace(expected);
    if (this.isRefusedFor(probe) && !refusals.some((leaf) => isAt(leaf, place)))
      this.add('PROXY_RULES_MISSING', [this.chainEvidence(place, this.notRefused(expected, probe))], {
        node: this.node,
      });
  }

  /** Sources in the ranges have to get past the guard also where no local endpoint waits behind it. */
  private compareGuard(probe: Probe, { empty }: Expected, nat: Evaluation): void {
    const { kind, service } = this.entry;
    if (empty !== 'no-local-endpoint-external' || kind !== 'loadBalancer' || service.sourceRanges.length === 0) return;
    const guards = [...nat.visited].filter((chain) => chain.startsWith('KUBE-FW-'));
    if (guards.length === 0 || [...nat.visited].some((chain) => chain.startsWith('KUBE-EXT-'))) return;
    this.add(
      'PROXY_RULE_WRONG',
      [
        ...nat.deadEnds.map((rule) => ruleEvidence(rule, this.view.at)),
        ...guards.map((chain) => this.chainEvidence(this.view.rules.chainLocator(chain), 'no rule lets them on')),
      ],
      { node: this.node, problem: `it keeps out ${sourceText(probe)}, which is in loadBalancerSourceRanges` },
    );
  }

  private refusalPlace({ empty }: Expected): string {
    const { refusals } = this.view.rules.entryPlace;
    if (empty === 'source-range') return refusals.sourceRanges;
    return this.entry.kind === 'clusterIP'
      ? refusals.clusterIP
      : this.entry.kind === 'nodePort'
        ? refusals.nodePort
        : refusals.external;
  }

  private notRefused({ empty }: Expected, probe: Probe): string {
    return empty === 'source-range'
      ? `nothing drops packets from ${sourceText(probe)} to ${this.entryText()}`
      : `nothing refuses ${this.entryText()}, which has no endpoint to go to`;
  }

  /** KUBE-EXTERNAL-SERVICES is not asked in OUTPUT: what a node sends itself to external addresses is not refused in iptables mode. */
  private isRefusedFor({ asker }: Probe): boolean {
    return asker.kind !== 'node' || this.entry.kind === 'clusterIP' || this.view.rules.mode === 'nftables';
  }

  private compareRefusal(probe: Probe, expected: Expected, refusal: Leaf): void {
    const wanted = expected.outcome === 'rejected' ? 'reject' : expected.outcome === 'dropped' ? 'drop' : undefined;
    if (refusal.kind === wanted) return;
    const does = refusal.kind === 'reject' ? 'rejects' : 'drops';
    const should =
      wanted === undefined
        ? `it has ${expected.endpoints.length} ready endpoints`
        : `kube-proxy ${wanted === 'reject' ? 'rejects' : 'drops'} them here`;
    this.add('PROXY_RULE_WRONG', [ruleEvidence(refusal.rule, this.view.at), ...this.pathEvidence(refusal)], {
      node: this.node,
      problem: `it ${does} packets from ${sourceText(probe)} to ${this.entryText()}, though ${should}`,
    });
  }

  /** The service has endpoints, and the packet meets none. */
  private missingRules(expected: Expected, nat: Evaluation, refusal: Leaf | undefined): void {
    const { rules } = this.view;
    const { ip, dport, kind } = this.entry;
    const place = kind === 'nodePort' ? rules.entryPlace.nodePorts : rules.entryPlace.services;
    const dead = nat.deadEnds.filter((rule) => !this.leadsToOthers(rule));
    const backends = expected.endpoints.map(backendText).join(', ');
    const early = nat.returned.map((rule) => ruleEvidence(rule, this.view.at));
    const evidence = [
      ...early,
      ...dead.flatMap((rule) => this.deadEndEvidence(rule)),
      ...(refusal === undefined ? [] : [ruleEvidence(refusal.rule, this.view.at)]),
    ];
    const programmed = rules.entries().get(this.key());
    const called = programmed === undefined ? undefined : callee(programmed);
    if (programmed !== undefined) evidence.push(ruleEvidence(programmed, this.view.at));
    if (called !== undefined)
      evidence.push(
        this.chainEvidence(
          rules.chainLocator(called),
          nat.visited.has(called)
            ? `it does not lead to ${backends}`
            : 'no packet comes to it: its rule is not reached',
        ),
      );
    if (dead.length === 0)
      evidence.unshift(this.chainEvidence(place, `no rule leads ${this.entryText()} to ${backends}`));
    if (kind === 'nodePort' && rules.mode === 'nftables' && nat.deadEnds.length === 0)
      evidence.push(
        this.chainEvidence(
          rules.chainLocator('@nodeport-ips'),
          `node ports are served at the addresses of this set; asked at ${formatIp(ip)}:${dport}`,
        ),
      );
    const [first] = early;
    const remedy =
      first === undefined
        ? undefined
        : `On node ${this.node}: remove the rule that ends the chain before kube-proxy's: ${deleteCommand(first, familyOf(ip))}`;
    this.add('PROXY_RULES_MISSING', evidence, { node: this.node }, remedy);
  }

  /** KUBE-SERVICES leads all packets to the node on to KUBE-NODEPORTS; that is no dead end of this service. */
  private leadsToOthers({ actions }: ProxyRule): boolean {
    return actions.some((action) => action.kind === 'call' && action.chain === 'KUBE-NODEPORTS');
  }

  private compareBackends(probe: Probe, expected: Expected, leaves: readonly Leaf[], nat: Evaluation): void {
    const wanted = new Map(expected.endpoints.map((endpoint) => [backendText(endpoint), endpoint]));
    const found = new Map<string, Leaf[]>();
    for (const leaf of leaves) found.set(leafText(leaf), [...(found.get(leafText(leaf)) ?? []), leaf]);
    const extra = leaves.filter((leaf) => !wanted.has(leafText(leaf)));
    const missing = [...wanted].filter(([backend]) => !found.has(backend)).map(([, endpoint]) => endpoint);
    for (const leaf of extra) this.stale(leaf, expected, probe);
    const twice = [...found.values()].flatMap((same) => same.slice(1));
    for (const endpoint of missing) this.missing(endpoint, leaves, [...extra, ...twice], nat);
    if (missing.length === 0 && extra.length === 0) this.compareShares(leaves, nat, wanted.size);
    if (expected.outcome !== 'backends') return;
    this.compareMarks(probe, leaves, nat);
    for (const leaf of leaves) this.compareWay(leaf, expected, probe);
  }

  /** The right endpoint by a wrong way: a chain of another service, or the pool of the other traffic policy. */
  private compareWay(leaf: Leaf, expected: Expected, probe: Probe): void {
    const backend = leaf.ip === undefined ? undefined : { ip: leaf.ip, port: leaf.port ?? 0 };
    for (const rule of this.rulesOf(leaf)) {
      for (const chain of calleesOf(rule, leaf)) {
        if (this.names.isOwn(chain, backend) === false && this.view.namesHold)
          this.wrong(rule, `it leads to ${chain}, which is of another service port or endpoint`);
        const pool = poolKind(chain);
        if (pool === undefined || (pool === 'local') === expected.localOnly) continue;
        const who = sourceText(probe);
        const should = expected.localOnly ? 'the endpoints of this node only' : 'all endpoints';
        this.add(
          'PROXY_RULE_WRONG',
          [ruleEvidence(rule, this.view.at), ...this.pathEvidence(leaf), ...this.enteredEvidence(leaf)],
          { node: this.node, problem: `packets from ${who} come to ${chain}, they are for ${should}` },
        );
      }
    }
  }

  private rulesOf({ rule, path }: Leaf): ProxyRule[] {
    return path.includes(rule) ? [...path] : [...path, rule];
  }

  private enteredEvidence(leaf: Leaf): Evidence[] {
    const [entered] = this.chainsOf(leaf);
    return entered === undefined
      ? []
      : [this.chainEvidence(this.view.rules.chainLocator(entered), 'the first chain of the service on the way')];
  }

  private stale(leaf: Leaf, expected: Expected, probe: Probe): void {
    const backend = leafText(leaf);
    const evidence = [ruleEvidence(leaf.rule, this.view.at), ...this.pathEvidence(leaf), this.sliceEvidence()];
    if (expected.empty === 'source-range') {
      const problem = `it lets ${sourceText(probe)} in, which is in none of loadBalancerSourceRanges`;
      const firewall = this.view.rules.firewall(this.key());
      this.add(
        'PROXY_RULE_WRONG',
        [
          ...this.pathEvidence(leaf),
          ...(firewall === undefined ? [] : [this.chainEvidence(firewall, 'it does not drop them')]),
          this.chainEvidence(this.view.rules.entryPlace.refusals.sourceRanges, 'it does not drop them'),
        ],
        { node: this.node, problem },
      );
      return;
    }
    this.add('PROXY_STALE_ENDPOINT', evidence, { node: this.node, backend });
  }

  private missing(endpoint: ProxyEndpoint, leaves: readonly Leaf[], suspects: readonly Leaf[], nat: Evaluation): void {
    const pool = poolOf(leaves[0]);
    const evidence = [
      ...nat.deadEnds.filter((rule) => !this.leadsToOthers(rule)).flatMap((rule) => this.deadEndEvidence(rule)),
      ...suspects.flatMap((leaf) => [ruleEvidence(leaf.rule, this.view.at), ...this.pathEvidence(leaf)]),
      this.chainEvidence(
        pool,
        `leads to ${[...new Set(leaves.map(leafText))].join(', ')}, not to ${backendText(endpoint)}`,
      ),
      this.sliceEvidence(endpoint),
    ];
    this.add('PROXY_ENDPOINT_MISSING', evidence, { node: this.node, backend: backendText(endpoint) });
  }

  /** The same endpoints, not each as likely. The first rule whose own chance is not 1/(what is left) is the wrong one. */
  private compareShares(leaves: readonly Leaf[], { rest }: Evaluation, count: number): void {
    let left = 1;
    for (const [at, leaf] of leaves.entries()) {
      const chance = left <= 0 ? 0 : leaf.probability / left;
      const fair = at < count ? 1 / (count - at) : 0;
      left -= leaf.probability;
      if (Math.abs(chance - fair) <= TOLERANCE) continue;
      const [rule] = leaf.path.slice(-1);
      this.add(
        'PROXY_ENDPOINT_WEIGHT',
        [
          ruleEvidence(this.isSpread(leaf.rule) ? leaf.rule : (rule ?? leaf.rule), this.view.at),
          ruleEvidence(leaf.rule, this.view.at),
        ],
        { node: this.node, backend: leafText(leaf), actual: percent(leaf.probability), expected: percent(1 / count) },
      );
      return;
    }
    if (rest.weight > TOLERANCE)
      this.add(
        'PROXY_RULES_MISSING',
        [this.chainEvidence(poolOf(leaves[0]), `${percent(rest.weight)} of the connections are not translated`)],
        { node: this.node },
      );
  }

  private isSpread({ actions }: ProxyRule): boolean {
    return actions.some(({ kind }) => kind === 'spread');
  }

  private compareMarks(probe: Probe, leaves: readonly Leaf[], nat: Evaluation): void {
    const wanted = this.isMasqueraded(probe);
    if (wanted === undefined || !this.view.marksWork) return;
    const wrong = leaves.find(({ marked, probability }) => Math.abs(marked - (wanted ? probability : 0)) > TOLERANCE);
    if (wrong === undefined) return;
    const source = sourceText(probe);
    const chains = this.chainsOf(wrong);
    const marks = chains.flatMap((chain) =>
      (this.view.rules.all(chain) ?? []).filter((rule) => isMarkRule(this.view.rules, rule)),
    );
    // To external addresses the mark is set where they meet, to the cluster address in the pool.
    const entered = chains.find((chain) => /^(KUBE-EXT-|external-)/.test(chain)) ?? chains[0] ?? this.view.rules.start;
    const evidence = [
      ...marks.map((rule) => ruleEvidence(rule, this.view.at)),
      ...nat.deadEnds.filter((rule) => !this.leadsToOthers(rule)).map((rule) => ruleEvidence(rule, this.view.at)),
      this.chainEvidence(
        this.view.rules.chainLocator(entered),
        `packets from ${source} ${wanted ? 'are not marked for' : 'are marked for'} masquerade on the way to ${leafText(wrong)}`,
      ),
    ];
    this.add(wanted ? 'MASQUERADE_MISSING' : 'MASQUERADE_UNEXPECTED', evidence, {
      node: this.node,
      source,
      subject: `node ${this.node} to ${this.entryText()}`,
    });
  }

  /** undefined: it cannot be told, because the rules do not tell pods from others. */
  private isMasqueraded({ asker }: Probe): boolean | undefined {
    const { local, masqueradeAll } = this.view;
    const { kind, service } = this.entry;
    if (kind === 'clusterIP') {
      if (masqueradeAll || local.kind === 'all') return true;
      return local.kind === 'none' ? false : asker.kind !== 'pod';
    }
    if (!isExternalLocal(service)) return true;
    return asker.kind === 'node';
  }

  private compareAffinity(expected: Expected, leaves: readonly Leaf[], nat: Evaluation): void {
    if (expected.affinitySeconds !== undefined) for (const { rule } of nat.affinity) this.seen.hit.add(rule);
    for (const { rules, pool, problem } of affinityProblems(this.view.rules, expected.affinitySeconds, leaves, nat))
      this.add(
        'PROXY_RULE_WRONG',
        [
          ...(pool === undefined ? [] : [this.chainEvidence(pool, problem)]),
          ...rules.map((rule) => ruleEvidence(rule, this.view.at)),
        ],
        { node: this.node, problem },
      );
  }

  /** A pod that is sent to itself has to be masqueraded, or it would answer itself past the node. */
  private compareHairpins(leaves: Iterable<Leaf>): void {
    for (const leaf of leaves) {
      // Asked in any case: so the rule for it is seen to have a use.
      const isReady = this.isHairpinReady(leaf);
      if (leaf.ip === undefined || isReady || !this.view.marksWork) continue;
      const { rules, at } = this.view;
      const marks = (rules.all(leaf.chain) ?? []).filter(
        (rule) => isMarkRule(rules, rule) || rule.tests.some(({ kind }) => kind === 'source'),
      );
      this.add(
        'HAIRPIN_MASQUERADE_MISSING',
        [
          ...marks.map((rule) => ruleEvidence(rule, at)),
          this.chainEvidence(
            rules.hairpins === undefined ? rules.chainLocator(leaf.chain) : rules.chainLocator('@hairpin-connections'),
            `${formatIp(leaf.ip)} is not masqueraded when it is sent to itself`,
          ),
        ],
        { node: this.node, backend: leafText(leaf) },
      );
    }
  }

  private isHairpinReady(leaf: Leaf): boolean {
    const { rules } = this.view;
    if (leaf.ip === undefined || leaf.port === undefined) return true;
    if (rules.hairpins !== undefined) {
      const isLocal = this.intent
        .categories(this.entry)
        .all.some(({ ip, port, node }) => ip === leaf.ip && port === leaf.port && node === this.node);
      return !isLocal || rules.hairpins.has(hairpinMember(leaf.ip, this.entry.port.protocol, leaf.port));
    }
    // Only the chain of the endpoint is asked: before it other rules may have marked the packet already.
    const { leaves } = evaluate(rules.nat, leaf.chain, this.packetFrom(leaf.ip), rules.markBit, this.seen);
    return (
      leaves.length > 0 &&
      leaves.every(({ kind, marked, probability }) => kind === 'dnat' && Math.abs(marked - probability) <= TOLERANCE)
    );
  }

  private packetFrom(src: Ip): Probe['packet'] {
    return {
      src,
      srcIsLocal: false,
      fromPod: true,
      dst: this.entry.ip,
      dstIsLocal: false,
      protocol: protocolNumber(this.entry.port.protocol) ?? 0,
      dport: this.entry.dport,
    };
  }

  /** Rules in the chains of this service that no packet can take: kube-proxy writes none such. One that is named already need not be called odd as well. */
  unused(found: readonly Finding[]): readonly Finding[] {
    const named = new Set(found.flatMap(({ evidence }) => evidence.map(({ locator }) => locator)));
    const before = this.findings.length;
    const { rules } = this.view;
    for (const [name, chain] of this.seen.chains) {
      if (!isOwn(name)) continue;
      for (const rule of chain) {
        if (this.seen.hit.has(rule) || this.seen.unknown.has(rule) || named.has(rule.locator)) continue;
        if (rule.tests.some(({ kind }) => kind === 'remembered')) continue;
        if (rules.all(name) === undefined || this.isExcused(rule, chain)) continue;
        this.wrong(rule, 'no packet to this service takes it, so kube-proxy did not write it');
      }
    }
    return this.findings.slice(before);
  }

  /**
   * Rules for pods, where no address of a pod is known to ask with; and the balancer's own addresses among the source ranges,
   * which a range before them may contain, as long as they lead where the ranges lead.
   */
  private isExcused(rule: ProxyRule, chain: readonly ProxyRule[]): boolean {
    const { pod, local } = this.view;
    const sources = rule.tests.flatMap((test) => (test.kind === 'source' ? test.nets : []));
    const asksInterface = rule.tests.some(({ kind }) => kind === 'iif');
    if (pod === undefined || local.kind === 'interface') return sources.length > 0 || asksInterface;
    const isOfBalancer = sources.some(({ net }) => this.entry.service.ingressIps.includes(net));
    return (
      isOfBalancer &&
      callee(rule) !== undefined &&
      chain.some((other) => other !== rule && callee(other) === callee(rule))
    );
  }

  private wrong(rule: ProxyRule, problem: string): void {
    this.add('PROXY_RULE_WRONG', [ruleEvidence(rule, this.view.at)], { node: this.node, problem });
  }

  private add(
    code: Finding['code'],
    evidence: readonly Evidence[],
    details: Record<string, string | number>,
    remedy?: string,
  ): void {
    const unique = [...new Map(evidence.map((one) => [`${one.locator} ${one.text}`, one])).values()];
    this.findings.push({
      code,
      subject: this.subject,
      evidence: unique,
      details,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }

  private key(): string {
    const { ip, kind, dport, port } = this.entry;
    return entryKey(kind === 'nodePort' ? undefined : ip, protocolNumber(port.protocol) ?? 0, dport);
  }

  private entryText(): string {
    const { ip, dport, port } = this.entry;
    return `${formatIp(ip)}:${dport}/${port.protocol}`;
  }

  private chainEvidence(locator: string, text: string): Evidence {
    return { kind: 'chain', at: this.view.at, locator, text };
  }

  private deadEndEvidence(rule: ProxyRule): Evidence[] {
    const chain = callee(rule);
    const rules = chain === undefined ? undefined : this.view.rules.all(chain);
    const text =
      rules === undefined
        ? 'the chain is not there'
        : `no rule of it sends the packet anywhere (${rules.length} rules)`;
    return [
      ruleEvidence(rule, this.view.at),
      ...(chain === undefined ? [] : [this.chainEvidence(this.view.rules.chainLocator(chain), text)]),
    ];
  }

  private pathEvidence({ path }: Leaf): Evidence[] {
    return path.toReversed().map((rule) => ruleEvidence(rule, this.view.at));
  }

  private sliceEvidence(endpoint?: ProxyEndpoint): Evidence {
    const { all } = this.intent.categories(this.entry);
    const slice = endpoint?.slice ?? all[0]?.slice ?? `${this.subject.namespace ?? ''}/${this.subject.name}`;
    const ready = all.filter((one) => one.ready).map(backendText);
    const text = endpoint === undefined ? `ready: ${ready.join(', ') || 'none'}` : `${backendText(endpoint)} is ready`;
    return { kind: 'object', at: this.subject, locator: `EndpointSlice/${slice}:endpoints`, text };
  }

  /** The chains that a packet to the leaf went through, from the first of this service. */
  private chainsOf(leaf: Leaf): string[] {
    const called = leaf.path.flatMap((rule) => callee(rule) ?? []);
    return [...new Set([...called, leaf.chain])].filter(isOwn);
  }
}
