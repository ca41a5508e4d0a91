import type { ClusterIndex, PodObject } from '#libs/cluster';
import type { Ip, Place } from '#libs/model';
import { HostPolicies, type HostPassage } from './calico/host-endpoints.js';
import type { Host } from './calico/endpoints.js';
import { compileObjects } from './compile-objects.js';
import { findEnforcement, type Enforcement } from './enforcers.js';
import { evaluate, selectingPolicy, subjectTiers, type Outcome, type SubjectTier } from './evaluate.js';
import type { FlowEnd, PolicyFlow } from './flow.js';
import type { Direction, PolicyRef } from './policy-ref.js';
import { describeProblem, type PolicyProblem } from './problem.js';
import { Roster } from './roster.js';
import type { Policy, Tier } from './rules.js';
import type { DirectionVerdict, PolicyDecision, PolicyVerdict, SelectingPolicy } from './verdict.js';

/** The policies of one pod and direction, ready to be asked. Pods with the same policies share one. */
interface PodPolicies {
  readonly tiers: readonly SubjectTier[];
  readonly selecting: readonly SelectingPolicy[];
}

const NONE: PodPolicies = { tiers: [], selecting: [] };

/**
 * What the policy objects of a cluster say about connections. Compiled once for a snapshot; a question is then a few set look-ups.
 * It is an opinion about intent: what the nodes do is for the walk to say.
 */
export class PolicyIndex {
  readonly enforcement: Enforcement;
  /** Policies, or parts, that are not evaluated. */
  readonly problems: readonly PolicyProblem[];
  private readonly roster: Roster;
  private readonly tiers: ReadonlyMap<string, Tier>;
  private readonly policies: readonly Policy[];
  private readonly byPod: Readonly<Record<Direction, readonly PodPolicies[]>>;
  private readonly hosts: HostPolicies | undefined;
  private readonly ends = new Map<Ip, FlowEnd>();
  private readonly hostNetworkPods: ReadonlyMap<string, PodObject>;
  /** Where policies that are not evaluated may have a say: a namespace, or all of them (''). */
  private readonly blindSpots = new Map<string, string[]>();

  constructor(private readonly cluster: ClusterIndex) {
    this.enforcement = findEnforcement(cluster);
    this.roster = new Roster(cluster);
    const onlyCilium =
      this.enforcement.enforcers.length > 0 && this.enforcement.enforcers.every(({ name }) => name === 'cilium');
    const compiled = compileObjects(cluster, this.roster, !onlyCilium);
    this.problems = compiled.problems;
    this.policies = compiled.policies;
    this.tiers = compiled.tiers;
    this.byPod = { ingress: this.assign('ingress'), egress: this.assign('egress') };
    this.hosts =
      compiled.endpoints === undefined || compiled.endpoints.hosts.length === 0
        ? undefined
        : new HostPolicies(cluster, compiled.policies, compiled.tiers, {
            cluster,
            roster: this.roster,
            endpoints: compiled.endpoints,
          });
    for (const problem of this.problems) {
      if (problem.code === 'TIER_MISSING') continue;
      const where = problem.namespace ?? '';
      this.blindSpots.set(where, [...(this.blindSpots.get(where) ?? []), describeProblem(problem)]);
    }
    this.hostNetworkPods = new Map(
      [...cluster.pods.values()].filter(({ hostNetwork }) => hostNetwork).map((pod) => [keyOf(pod), pod]),
    );
  }

  /** True when there is any policy to speak of: without one every answer is allow, and nothing needs to be asked. */
  get hasPolicies(): boolean {
    return this.policies.length > 0 || this.problems.length > 0;
  }

  /** Whoever owns the address: a pod, a node, or somebody outside. */
  endAt(ip: Ip): FlowEnd {
    const known = this.ends.get(ip);
    if (known !== undefined) return known;
    const pods = this.roster.podsAt(ip);
    const [first] = pods;
    const node = this.cluster.nodeAt(ip)?.name;
    const end: FlowEnd =
      first !== undefined
        ? { kind: 'pod', ip, pods, node: pods.length === 1 ? this.roster.pods[first]?.node : undefined }
        : { kind: node === undefined ? 'outside' : 'node', ip, pods: [], node };
    this.ends.set(ip, end);
    return end;
  }

  /** A pod by name, at one of its addresses. One on the host's network is its node to every policy. */
  endOfPod(namespace: string, name: string, ip: Ip): FlowEnd {
    const number = this.roster.numberOf(namespace, name);
    if (number !== undefined) return { kind: 'pod', ip, pods: [number], node: this.roster.pods[number]?.node };
    const host = this.hostNetworkPods.get(`${namespace}/${name}`);
    return host === undefined ? this.endAt(ip) : { kind: 'node', ip, pods: [], node: host.node };
  }

  /** A node, at any of its addresses, also those that no object names (a bridge, a tunnel). */
  endOfNode(name: string, ip: Ip): FlowEnd {
    return { kind: 'node', ip, pods: [], node: name };
  }

  verdict(flow: PolicyFlow): PolicyVerdict {
    const egress = this.ask('egress', flow);
    const ingress = this.ask('ingress', flow);
    const hosts = this.hosts === undefined ? [] : this.onTheWay(flow, this.hosts);
    return { egress, ingress, hosts, decision: overall([egress, ingress, ...hosts]) };
  }

  /** What the policies of the source say. */
  egress(flow: PolicyFlow): DirectionVerdict {
    return this.ask('egress', flow);
  }

  /** What the policies of the destination say. `source` is who the destination sees: the node, after masquerading. */
  ingress(flow: PolicyFlow): DirectionVerdict {
    return this.ask('ingress', flow);
  }

  /** Every policy that selects the pod in a direction, whatever the flow. */
  selecting(direction: Direction, namespace: string, name: string): readonly SelectingPolicy[] {
    const number = this.roster.numberOf(namespace, name);
    return number === undefined ? [] : this.of(direction, number).selecting;
  }

  /** The pods that an end may be. */
  podsOf({ pods }: FlowEnd): readonly PodObject[] {
    return pods.flatMap((pod) => this.roster.pods[pod] ?? []);
  }

  dnsPolicyOf(namespace: string, name: string): string | undefined {
    const number = this.roster.numberOf(namespace, name);
    return number === undefined ? undefined : this.roster.dnsPolicyOf(number);
  }

  /** Every policy that is evaluated: the candidates for a hashed chain name (recogniseDrop). */
  get refs(): readonly PolicyRef[] {
    return this.policies.map(({ ref }) => ref);
  }

  private ask(direction: Direction, flow: PolicyFlow): DirectionVerdict {
    const self = direction === 'ingress' ? flow.destination : flow.source;
    if (!this.cluster.objectsCollected)
      return undecided(direction, undefined, [], ['the Kubernetes objects were not collected']);
    if (self.pods.length > 1) return this.askAll(direction, flow, self);
    const [number] = self.pods;
    const pod = number === undefined ? undefined : this.roster.pods[number];
    if (number === undefined || pod === undefined) return this.askHost(direction, flow, self);
    const subject = placeOf(pod);
    const { tiers, selecting } = this.of(direction, number);
    const exempt = this.exemption(direction, flow);
    if (exempt !== undefined)
      return { direction, decision: 'allow', reason: { kind: 'exempt', why: exempt }, subject, selecting };
    const blind = this.blindSpotsOf(pod.namespace);
    if (blind.length > 0) return undecided(direction, subject, selecting, blind);
    if (tiers.length === 0)
      return { direction, decision: 'allow', reason: { kind: 'not-selected' }, subject, selecting };
    const { decision, reason } = evaluate(tiers, flow, endOfPods);
    return { direction, decision, reason, subject, selecting };
  }

  /** An address that several pods claim: their policies must agree. */
  private askAll(direction: Direction, flow: PolicyFlow, self: FlowEnd): DirectionVerdict {
    const verdicts = self.pods.map((pod) => {
      const one: FlowEnd = { ...self, pods: [pod], node: this.roster.pods[pod]?.node };
      return this.ask(direction, direction === 'ingress' ? { ...flow, destination: one } : { ...flow, source: one });
    });
    const [first] = verdicts;
    if (first !== undefined && verdicts.every(({ decision }) => decision === first.decision)) return first;
    const names = verdicts.map(({ subject }) => `${subject?.namespace ?? ''}/${subject?.name ?? ''}`).join(', ');
    return undecided(
      direction,
      undefined,
      verdicts.flatMap(({ selecting }) => selecting),
      [`which of ${names} has the address`],
    );
  }

  private askHost(direction: Direction, flow: PolicyFlow, self: FlowEnd): DirectionVerdict {
    const hosts = this.hosts;
    const node = self.node;
    if (hosts === undefined || node === undefined || self.kind !== 'node')
      return { direction, decision: 'allow', reason: { kind: 'no-subject' }, selecting: [] };
    const endpoints = hosts.hostsOf(node).filter((host) => host.interfaceName === '*' || host.ips.has(self.ip));
    const verdicts = endpoints.map((host) => hostVerdict(hosts, host, direction, 'local', flow));
    return (
      verdicts.find(({ decision }) => decision !== 'allow') ??
      verdicts[0] ?? { direction, decision: 'allow', reason: { kind: 'no-subject' }, selecting: [] }
    );
  }

  /** Host endpoints of the nodes of both ends, where a pod's packets are forwarded through a device of the host. */
  private onTheWay(flow: PolicyFlow, hosts: HostPolicies): readonly DirectionVerdict[] {
    const { source, destination } = flow;
    if (source.node === destination.node && source.node !== undefined) return [];
    const passages = [
      { end: source, direction: 'egress' as const },
      { end: destination, direction: 'ingress' as const },
    ];
    return passages.flatMap(({ end, direction }) => {
      if (end.kind !== 'pod' || end.node === undefined) return [];
      return hosts.hostsOf(end.node).flatMap((host) => {
        const verdict = hostVerdict(hosts, host, direction, 'forward', flow);
        if (verdict.decision === 'allow') return [];
        if (host.interfaceName === '*') return [verdict];
        const device = host.interfaceName ?? 'the device with its address';
        const cause = `whether the packet passes ${device} of node ${host.node} unencapsulated (host endpoint ${host.name})`;
        return [undecided(direction, verdict.subject, verdict.selecting, [cause])];
      });
    });
  }

  /**
   * "Traffic to and from the node where a Pod is running is always allowed" and a pod cannot block itself (NetworkPolicy concept page).
   * Calico asks the pod's egress policy on the way to its own node all the same (felix/rules/static.go, cali-wl-to-host), and what
   * comes back to a pod by its node passes the pod's chains like any other packet.
   */
  private exemption(
    direction: Direction,
    { source, destination, hairpins = false }: PolicyFlow,
  ): 'same-pod' | 'own-node' | undefined {
    const [from] = source.pods;
    const isSame =
      from !== undefined && source.pods.length === 1 && destination.pods.length === 1 && destination.pods[0] === from;
    const calico = this.enforcement.enforcers.some(({ name }) => name === 'calico');
    if (isSame && !(hairpins && calico)) return 'same-pod';
    const [self, other] = direction === 'ingress' ? [destination, source] : [source, destination];
    if (other.kind !== 'node' || other.node === undefined || other.node !== self.node) return undefined;
    return direction === 'egress' && calico ? undefined : 'own-node';
  }

  private blindSpotsOf(namespace: string): readonly string[] {
    if (this.blindSpots.size === 0) return [];
    return [...(this.blindSpots.get('') ?? []), ...(this.blindSpots.get(namespace) ?? [])];
  }

  private of(direction: Direction, number: number): PodPolicies {
    return this.byPod[direction][number] ?? NONE;
  }

  private assign(direction: Direction): readonly PodPolicies[] {
    const lists = this.roster.pods.map((): [number, boolean][] => []);
    for (const [index, { subject, rules }] of this.policies.entries()) {
      if (rules[direction] === undefined) continue;
      for (const pod of subject.sure) lists[pod]?.push([index, true]);
      for (const pod of subject.unsure ?? []) lists[pod]?.push([index, false]);
    }
    const shared = new Map<string, PodPolicies>();
    return lists.map((list) => {
      if (list.length === 0) return NONE;
      const key = list.map(([index, sure]) => (sure ? index : `${index}?`)).join();
      const known = shared.get(key) ?? this.together(direction, list);
      shared.set(key, known);
      return known;
    });
  }

  private together(direction: Direction, list: readonly (readonly [number, boolean])[]): PodPolicies {
    const selecting = list.flatMap(([index, sure]): (readonly [Policy, boolean])[] => {
      const policy = this.policies[index];
      return policy === undefined ? [] : [[policy, sure]];
    });
    const tiers = subjectTiers(direction, this.tiers, selecting);
    return { tiers, selecting: tiers.flatMap(({ policies }) => policies.map(selectingPolicy)) };
  }
}

/** After the last tier a pod's packet is allowed: by default, and by Calico's profile of its namespace (`kns.`) alike. */
function endOfPods(): Outcome {
  return {
    decision: 'allow',
    reason: { kind: 'end', text: 'every policy passes it on, and what none denies is allowed' },
  };
}

function hostVerdict(
  hosts: HostPolicies,
  host: Host,
  direction: Direction,
  passage: HostPassage,
  flow: PolicyFlow,
): DirectionVerdict {
  const { decision, reason } = hosts.evaluate(host, direction, passage, flow);
  return {
    direction,
    decision,
    reason,
    subject: { kind: 'host-endpoint', name: host.name, node: host.node },
    selecting: hosts.selecting(host, direction).map(selectingPolicy),
  };
}

function undecided(
  direction: Direction,
  subject: Place | undefined,
  selecting: readonly SelectingPolicy[],
  causes: readonly string[],
): DirectionVerdict {
  return { direction, decision: 'unknown', reason: { kind: 'undecided', causes }, subject, selecting };
}

function overall(verdicts: readonly DirectionVerdict[]): PolicyDecision {
  if (verdicts.some(({ decision }) => decision === 'deny')) return 'deny';
  return verdicts.some(({ decision }) => decision === 'unknown') ? 'unknown' : 'allow';
}

function placeOf({ namespace, name, node }: PodObject): Place {
  return { kind: 'pod', namespace, name, node };
}

function keyOf({ namespace, name }: PodObject): string {
  return `${namespace}/${name}`;
}
