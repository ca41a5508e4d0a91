import type { ClusterIndex } from '#libs/cluster';
import { z } from 'zod';
import { evaluate, subjectTiers, type Outcome } from '../evaluate.js';
import type { PolicyFlow } from '../flow.js';
import { BitSet } from '../bit-set.js';
import { MAYBE } from '../match.js';
import type { Direction } from '../policy-ref.js';
import type { HostStage, Policy, Rule, Tier } from '../rules.js';
import { compileRules, type CalicoWorld } from './compile-rules.js';
import type { Host } from './endpoints.js';
import { isCalico, Profile } from './shapes.js';

/** Allowed at host endpoints whatever policy says (felix/config, FailsafeInboundHostPorts and FailsafeOutboundHostPorts). */
const FAILSAFE: Readonly<Record<Direction, readonly string[]>> = {
  ingress: ['tcp:22', 'udp:68', 'tcp:179', 'tcp:2379', 'tcp:2380', 'tcp:5473', 'tcp:6443', 'tcp:6666', 'tcp:6667'],
  egress: ['udp:53', 'udp:67', 'tcp:179', 'tcp:2379', 'tcp:2380', 'tcp:5473', 'tcp:6443', 'tcp:6666', 'tcp:6667'],
};

const FailsafePort = z.object({ protocol: z.string().nullish(), port: z.number() });
const FelixConfiguration = z.looseObject({
  spec: z
    .looseObject({
      failsafeInboundHostPorts: z.array(FailsafePort).nullish(),
      failsafeOutboundHostPorts: z.array(FailsafePort).nullish(),
    })
    .nullish(),
});

/** Profiles are asked after the last tier, in the order in which the host endpoint names them. */
const PROFILES: Tier = { name: 'profiles', order: 0, otherwise: 'pass', tiesUndefined: false };
const ALLOWS = both([{ action: 'allow', path: 'spec', conditions: [] }]);
const UNSEEN = both([
  { action: 'allow', path: 'spec', conditions: [[{ path: '', test: () => MAYBE, why: 'it is not in the snapshot' }]] },
]);

/** `local`: to or from the host itself. `forward`: through it, to or from a pod; only policies with applyOnForward look at that. */
export type HostPassage = 'local' | 'forward';

/** Calico's policies for the nodes themselves, where host endpoints say so. A node without one is open. */
export class HostPolicies {
  private readonly byNode = new Map<string, Host[]>();
  private readonly profiles = new Map<string, Readonly<Record<Direction, readonly Rule[]>>>();
  private readonly failsafe: Readonly<Record<Direction, ReadonlySet<string>>>;

  constructor(
    cluster: ClusterIndex,
    private readonly policies: readonly Policy[],
    private readonly tiers: ReadonlyMap<string, Tier>,
    world: CalicoWorld,
  ) {
    for (const host of world.endpoints.hosts) {
      const list = this.byNode.get(host.node);
      if (list === undefined) this.byNode.set(host.node, [host]);
      else list.push(host);
    }
    for (const object of cluster.all('Profile').filter(isCalico)) {
      const parsed = Profile.safeParse(object);
      if (!parsed.success) continue; // Then it counts as one that is not there, and whoever names it is undecided.
      const { metadata, spec } = parsed.data;
      this.profiles.set(metadata.name, {
        ingress: compileRules('spec.ingress', spec?.ingress ?? [], undefined, world),
        egress: compileRules('spec.egress', spec?.egress ?? [], undefined, world),
      });
    }
    this.failsafe = readFailsafe(cluster);
  }

  hostsOf(node: string): readonly Host[] {
    return this.byNode.get(node) ?? [];
  }

  /** Policies that select the host endpoint and have a say in the direction. */
  selecting(host: Host, direction: Direction): readonly Policy[] {
    return this.policies.filter(
      (policy) => policy.hosts?.has(host.name) === true && policy.rules[direction] !== undefined,
    );
  }

  /** One host endpoint, stage after stage: what accepts early is not asked again later. */
  evaluate(host: Host, direction: Direction, passage: HostPassage, flow: PolicyFlow): Outcome {
    if (passage === 'local' && this.failsafe[direction].has(`${flow.protocol}:${flow.port ?? ''}`))
      return { decision: 'allow', reason: { kind: 'exempt', why: 'failsafe-port' } };
    const before = { ...flow, ...(flow.original ?? {}) };
    const end = (asked: PolicyFlow): Outcome => this.end(host, direction, passage, asked);
    const last = this.tiersOf(host, direction, 'normal', passage);
    const normal = (): Outcome => evaluate(last, flow, end);
    const preDnat = (): Outcome =>
      direction === 'ingress' ? evaluate(this.tiersOf(host, direction, 'pre-dnat', passage), before, normal) : normal();
    return evaluate(this.tiersOf(host, direction, 'untracked', passage), before, preDnat);
  }

  private tiersOf(host: Host, direction: Direction, stage: HostStage, passage: HostPassage) {
    const asked = this.selecting(host, direction).filter(
      (policy) => policy.stage === stage && (stage !== 'normal' || passage === 'local' || policy.onForward === true),
    );
    const tiers = subjectTiers(
      direction,
      this.tiers,
      asked.map((policy) => [policy, true] as const),
    );
    // felix/rules/endpoints.go: untracked and pre-DNAT chains have no drop at the end of a tier.
    return stage === 'normal'
      ? tiers
      : tiers.map((at) => ({ ...at, tier: { ...at.tier, otherwise: 'pass' as const } }));
  }

  private end(host: Host, direction: Direction, passage: HostPassage, flow: PolicyFlow): Outcome {
    if (passage === 'forward')
      return ended('allow', 'forwarded traffic that no applyOnForward policy denies is allowed');
    const policies = host.profiles.map((name, order) => this.profilePolicy(name, order));
    const tiers = subjectTiers(
      direction,
      new Map([[PROFILES.name, PROFILES]]),
      policies.map((policy) => [policy, true] as const),
    );
    return evaluate(tiers, flow, () => ended('deny', `no profile of host endpoint ${host.name} allows`));
  }

  private profilePolicy(name: string, order: number): Policy {
    return {
      ref: { kind: 'projectcalico.org/Profile', name },
      family: 'calico',
      tier: PROFILES.name,
      order,
      subject: { sure: BitSet.empty(0) },
      rules: name === 'projectcalico-default-allow' ? ALLOWS : (this.profiles.get(name) ?? UNSEEN),
      spec: undefined,
    };
  }
}

function both(rules: readonly Rule[]): Readonly<Record<Direction, readonly Rule[]>> {
  return { ingress: rules, egress: rules };
}

function ended(decision: 'allow' | 'deny', text: string): Outcome {
  return { decision, reason: { kind: 'end', text } };
}

function readFailsafe(cluster: ClusterIndex): Readonly<Record<Direction, ReadonlySet<string>>> {
  const config = cluster.all('FelixConfiguration').find(({ metadata }) => metadata.name === 'default');
  const parsed = FelixConfiguration.safeParse(config);
  const spec = parsed.success ? parsed.data.spec : undefined;
  const read = (ports: readonly z.infer<typeof FailsafePort>[] | null | undefined, direction: Direction) =>
    new Set(ports?.map(({ protocol, port }) => `${(protocol ?? 'tcp').toLowerCase()}:${port}`) ?? FAILSAFE[direction]);
  return {
    ingress: read(spec?.failsafeInboundHostPorts, 'ingress'),
    egress: read(spec?.failsafeOutboundHostPorts, 'egress'),
  };
}
