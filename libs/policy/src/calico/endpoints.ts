import { type ClusterIndex } from '#libs/cluster';
import { parseIp, type Cidr, type Ip, type KubernetesObject } from '#libs/model';
import { CidrSet, readCidrs } from '../cidr-set.js';
import type { FlowEnd } from '../flow.js';
import type { KnownLabels } from '../label-selector.js';
import { either, matchOf, MAYBE, NO, YES, type Match } from '../match.js';
import type { PolicyProblem } from '../problem.js';
import { isSelected, type Roster, type Selection } from '../roster.js';
import { matchSelector, NAMESPACE_LABEL } from './match-selector.js';
import type { Selector } from './parse-selector.js';
import { HostEndpoint, isCalico, labelsOf, NetworkSet } from './shapes.js';
import { LabelIndex } from './label-index.js';

export const NAMESPACE_PREFIX = 'pcns.';
export const ACCOUNT_PREFIX = 'pcsa.';
export const ACCOUNT_LABEL = 'projectcalico.org/serviceaccount';

/** A host endpoint, with the labels that policies select it by. */
export interface Host {
  readonly name: string;
  readonly node: string;
  /** `*`, a device, or nothing: then the device that has one of the expected addresses. */
  readonly interfaceName?: string;
  readonly ips: ReadonlySet<Ip>;
  readonly profiles: readonly string[];
  readonly labels: KnownLabels;
}

/** What a selector in a rule selects: pods, and the addresses of host endpoints and network sets. */
export interface Selected {
  readonly pods: Selection;
  readonly nets: CidrSet;
  readonly unsureNets: CidrSet;
}

/**
 * Everything that Calico's selectors can select. A pod is known by its own labels, its namespace and service account, and inherits
 * the labels of both with a prefix (libcalico-go/lib/backend/k8s/conversion: workload endpoints and the kns/ksa profiles).
 */
export class CalicoEndpoints {
  readonly hosts: readonly Host[];
  readonly problems: PolicyProblem[] = [];
  private readonly sets: readonly { readonly cidrs: readonly Cidr[]; readonly labels: KnownLabels }[];
  private readonly index: LabelIndex;
  private readonly selections = new Map<string, Selected>();

  constructor(
    cluster: ClusterIndex,
    private readonly roster: Roster,
  ) {
    const accounts = readAccounts(cluster);
    this.index = new LabelIndex(roster.pods.length);
    for (const [number, pod] of roster.pods.entries()) {
      const account = roster.serviceAccountOf(number);
      const namespaceLabels = roster.namespaces.get(pod.namespace);
      const accountLabels = accounts.get(`${pod.namespace}/${account}`);
      // Own labels win over inherited ones, and Calico's own over both.
      const labels = new Map([
        ...prefixed(NAMESPACE_PREFIX, namespaceLabels),
        ...prefixed(ACCOUNT_PREFIX, accountLabels),
        [`${NAMESPACE_PREFIX}projectcalico.org/name`, pod.namespace],
        [`${ACCOUNT_PREFIX}projectcalico.org/name`, account],
        ...Object.entries(pod.labels),
        [NAMESPACE_LABEL, pod.namespace],
        ['projectcalico.org/orchestrator', 'k8s'],
        [ACCOUNT_LABEL, account],
      ]);
      this.index.add(number, labels);
      if (namespaceLabels?.complete !== true) this.index.addIncomplete(number, NAMESPACE_PREFIX);
      if (accountLabels === undefined) this.index.addIncomplete(number, ACCOUNT_PREFIX);
    }
    this.index.seal();
    this.sets = ['NetworkSet', 'GlobalNetworkSet'].flatMap((kind) =>
      cluster.all(kind).flatMap((object) => this.readSet(object)),
    );
    this.hosts = cluster.all('HostEndpoint').flatMap((object) => this.readHost(object, cluster));
  }

  /** The pods of which the selector holds. */
  pods(selector: Selector): Selection {
    return this.index.select(selector, this.roster.all);
  }

  select(selector: Selector): Selected {
    const key = JSON.stringify(selector, (_, value: unknown) => (value instanceof Set ? [...value] : value));
    const known = this.selections.get(key);
    if (known !== undefined) return known;
    const nets: Cidr[] = [];
    const unsure: Cidr[] = [];
    const addressed = [
      ...this.sets,
      ...this.hosts.map(({ ips, labels }) => ({ cidrs: [...ips].map(hostPrefix), labels })),
    ];
    for (const { cidrs, labels } of addressed) {
      const match = matchSelector(selector, labels);
      if (match === YES) nets.push(...cidrs);
      if (match === MAYBE) unsure.push(...cidrs);
    }
    const selected = { pods: this.pods(selector), nets: new CidrSet(nets), unsureNets: new CidrSet(unsure) };
    this.selections.set(key, selected);
    return selected;
  }

  private readSet(object: KubernetesObject): { cidrs: readonly Cidr[]; labels: KnownLabels }[] {
    if (!isCalico(object)) return [];
    const parsed = NetworkSet.safeParse(object);
    if (!parsed.success) return this.malformed(object, 'is not shaped like a network set');
    const { metadata, spec } = parsed.data;
    const cidrs = readCidrs(spec?.nets ?? [], (text) => this.malformed(object, `${text} is not a prefix`));
    const labels = new Map(labelsOf(metadata));
    labels.set('projectcalico.org/name', metadata.name).set('projectcalico.org/kind', object.kind);
    if (object.kind === 'GlobalNetworkSet') return [{ cidrs, labels: { labels, complete: true } }];
    const namespace = metadata.namespace ?? 'default';
    const inherited = this.roster.namespaces.get(namespace);
    labels.set(NAMESPACE_LABEL, namespace).set(`${NAMESPACE_PREFIX}projectcalico.org/name`, namespace);
    for (const [key, value] of prefixed(NAMESPACE_PREFIX, inherited)) labels.set(key, value);
    return [{ cidrs, labels: { labels, complete: inherited?.complete === true } }];
  }

  private readHost(object: KubernetesObject, cluster: ClusterIndex): Host[] {
    if (!isCalico(object)) return [];
    const parsed = HostEndpoint.safeParse(object);
    if (!parsed.success) return this.malformed(object, 'is not shaped like a host endpoint');
    const { metadata, spec } = parsed.data;
    const expected = (spec.expectedIPs ?? []).flatMap((text): Ip[] => {
      const ip = parseIp(text);
      return ip === undefined ? this.malformed(object, `${text} is not an address`) : [ip];
    });
    const own = expected.length > 0 ? expected : (cluster.nodes.get(spec.node)?.internalIps ?? []);
    return [
      {
        name: metadata.name,
        node: spec.node,
        interfaceName: spec.interfaceName ?? undefined,
        ips: new Set(own),
        profiles: spec.profiles ?? [],
        labels: { labels: labelsOf(metadata), complete: true },
      },
    ];
  }

  private malformed({ kind, metadata }: KubernetesObject, message: string): [] {
    const { namespace, name } = metadata;
    this.problems.push({ code: 'POLICY_MALFORMED', policy: { kind, namespace, name }, namespace, message });
    return [];
  }
}

export function isIn({ pods, nets, unsureNets }: Selected, end: FlowEnd): Match {
  const match = either(isSelected(pods, end), matchOf(nets.contains(end.ip)));
  return match === NO && unsureNets.contains(end.ip) ? MAYBE : match;
}

function prefixed(prefix: string, known: KnownLabels | undefined): readonly [string, string][] {
  return [...(known?.labels ?? [])].map(([key, value]) => [prefix + key, value]);
}

function hostPrefix(net: Ip): Cidr {
  return { net, length: typeof net === 'number' ? 32 : 128 };
}

function readAccounts(cluster: ClusterIndex): ReadonlyMap<string, KnownLabels> {
  return new Map(
    cluster.all('ServiceAccount').flatMap((object) => {
      const parsed = NetworkSet.pick({ metadata: true }).safeParse(object);
      if (!parsed.success) return [];
      const { namespace, name, labels } = parsed.data.metadata;
      const known = { labels: new Map(Object.entries(labels ?? {})), complete: true };
      return [[`${namespace ?? 'default'}/${name}`, known] as const];
    }),
  );
}
