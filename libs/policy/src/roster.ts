import { isAlive, type ClusterIndex, type PodObject } from '#libs/cluster';
import type { Ip } from '#libs/model';
import { z } from 'zod';
import { BitSet } from './bit-set.js';
import {
  matchLabels,
  requirementsOf,
  type KnownLabels,
  type LabelSelector,
  type Requirement,
} from './label-selector.js';
import { MAYBE, NO, YES, type Match } from './match.js';
import type { FlowEnd } from './flow.js';

/** A set of pods that a selector selects, and those of which it cannot be told. */
export interface Selection {
  readonly sure: BitSet;
  readonly unsure?: BitSet;
}

/** What a pod offers under a name. */
export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

const Ports = z
  .array(
    z.looseObject({
      restartPolicy: z.string().nullish(),
      ports: z
        .array(
          z.looseObject({
            name: z.string().nullish(),
            containerPort: z.number(),
            protocol: z.string().nullish(),
          }),
        )
        .nullish(),
    }),
  )
  .nullish();
const PodSpec = z.looseObject({
  spec: z.looseObject({
    serviceAccountName: z.string().nullish(),
    dnsPolicy: z.string().nullish(),
    containers: Ports,
    initContainers: Ports,
  }),
});
const Labels = z.looseObject({ labels: z.record(z.string(), z.string()).nullish() });

interface SpecFacts {
  readonly serviceAccount: string;
  readonly dnsPolicy: string;
  readonly ports: readonly NamedPort[];
}

/** Set by the API server on every namespace since 1.22 (KEP-2161), so it is known without the object. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/**
 * The pods that policies can select, numbered, with their labels inverted: a selector becomes a few operations on bit sets.
 * Pods on the host's network and finished pods are not in it: no policy selects them (NetworkPolicy API, `podSelector`).
 */
export class Roster {
  readonly pods: readonly PodObject[];
  readonly all: BitSet;
  private readonly numbers = new Map<string, number>();
  private readonly byKey = new Map<string, BitSet>();
  private readonly byValue = new Map<string, Map<string, BitSet>>();
  private readonly byNamespace = new Map<string, BitSet>();
  private readonly labelsOf = new Map<string, KnownLabels>();
  private readonly selections = new Map<string, Selection>();
  private readonly namespaceSelections = new Map<string, Selection>();
  private readonly specs = new Map<number, SpecFacts>();
  private readonly rawPods = new Map<string, unknown>();

  constructor(private readonly cluster: ClusterIndex) {
    this.pods = [...cluster.pods.values()].filter((pod) => !pod.hostNetwork && isAlive(pod));
    const size = this.pods.length;
    this.all = BitSet.of(size, this.pods.keys());
    const byKey = new Map<string, number[]>();
    const byValue = new Map<string, Map<string, number[]>>();
    const byNamespace = new Map<string, number[]>();
    for (const [number, pod] of this.pods.entries()) {
      this.numbers.set(`${pod.namespace}/${pod.name}`, number);
      append(byNamespace, pod.namespace, number);
      for (const [key, value] of Object.entries(pod.labels)) {
        append(byKey, key, number);
        const values = byValue.get(key) ?? new Map<string, number[]>();
        byValue.set(key, values);
        append(values, value, number);
      }
    }
    for (const [key, members] of byKey) this.byKey.set(key, BitSet.of(size, members));
    for (const [key, values] of byValue)
      this.byValue.set(key, new Map([...values].map(([value, members]) => [value, BitSet.of(size, members)])));
    for (const [name, members] of byNamespace) this.byNamespace.set(name, BitSet.of(size, members));
    for (const { metadata } of cluster.all('Namespace')) this.labelsOf.set(metadata.name, read(metadata));
    for (const object of cluster.all('Pod'))
      this.rawPods.set(`${object.metadata.namespace ?? 'default'}/${object.metadata.name}`, object);
    for (const name of byNamespace.keys())
      if (!this.labelsOf.has(name)) this.labelsOf.set(name, { labels: new Map([[NAME_LABEL, name]]), complete: false });
  }

  get namespaces(): ReadonlyMap<string, KnownLabels> {
    return this.labelsOf;
  }

  numberOf(namespace: string, name: string): number | undefined {
    return this.numbers.get(`${namespace}/${name}`);
  }

  podsAt(ip: Ip): readonly number[] {
    return this.cluster.podsAt(ip).flatMap(({ namespace, name }) => this.numberOf(namespace, name) ?? []);
  }

  inNamespace(namespace: string): BitSet {
    return this.byNamespace.get(namespace) ?? BitSet.empty(this.pods.length);
  }

  select(selector: LabelSelector): Selection {
    const key = JSON.stringify(selector);
    const known = this.selections.get(key);
    if (known !== undefined) return known;
    let sure = this.all;
    for (const requirement of requirementsOf(selector)) {
      const holders = this.holders(requirement);
      sure = requirement.wanted ? sure.and(holders) : sure.minus(holders);
    }
    const selection = { sure };
    this.selections.set(key, selection);
    return selection;
  }

  /** All pods of the namespaces that the selector selects. */
  selectNamespaces(selector: LabelSelector): Selection {
    const key = JSON.stringify(selector);
    const known = this.namespaceSelections.get(key);
    if (known !== undefined) return known;
    const requirements = requirementsOf(selector);
    const selection = this.whereNamespace((labels) => matchLabels(requirements, labels));
    this.namespaceSelections.set(key, selection);
    return selection;
  }

  whereNamespace(test: (labels: KnownLabels, name: string) => Match): Selection {
    let sure = BitSet.empty(this.pods.length);
    let unsure: BitSet | undefined;
    for (const [name, pods] of this.byNamespace) {
      const match = test(this.labelsOf.get(name) ?? { labels: new Map(), complete: false }, name);
      if (match === YES) sure = sure.or(pods);
      if (match === MAYBE) unsure = (unsure ?? BitSet.empty(this.pods.length)).or(pods);
    }
    return { sure, unsure };
  }

  /** Named container ports, also those of sidecars: init containers that keep running (KEP-753). */
  portsOf(number: number): readonly NamedPort[] {
    return this.spec(number).ports;
  }

  dnsPolicyOf(number: number): string {
    return this.spec(number).dnsPolicy;
  }

  serviceAccountOf(number: number): string {
    return this.spec(number).serviceAccount;
  }

  private spec(number: number): SpecFacts {
    const known = this.specs.get(number);
    if (known !== undefined) return known;
    const pod = this.pods[number];
    const parsed = PodSpec.safeParse(pod === undefined ? undefined : this.rawPods.get(`${pod.namespace}/${pod.name}`));
    const spec = parsed.success ? parsed.data.spec : undefined;
    const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
    const found = {
      serviceAccount: spec?.serviceAccountName ?? 'default',
      dnsPolicy: spec?.dnsPolicy ?? 'ClusterFirst',
      ports: [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports }) =>
        (ports ?? []).flatMap(({ name, containerPort, protocol }) =>
          typeof name === 'string' ? [{ name, protocol: (protocol ?? 'TCP').toLowerCase(), port: containerPort }] : [],
        ),
      ),
    };
    this.specs.set(number, found);
    return found;
  }

  private holders({ key, values }: Requirement): BitSet {
    const nobody = BitSet.empty(this.pods.length);
    if (values === undefined) return this.byKey.get(key) ?? nobody;
    const known = this.byValue.get(key);
    let holders = nobody;
    for (const value of values) holders = holders.or(known?.get(value) ?? nobody);
    return holders;
  }
}

export function intersect(a: Selection, b: Selection): Selection {
  const sure = a.sure.and(b.sure);
  if (a.unsure === undefined && b.unsure === undefined) return { sure };
  const possible = possibly(a).and(possibly(b));
  return { sure, unsure: possible.minus(sure) };
}

export function within(selection: Selection, pods: BitSet): Selection {
  return intersect(selection, { sure: pods });
}

/** Whether the end is a selected pod. An address that several pods claim is told only when all or none are selected. */
export function isSelected({ sure, unsure }: Selection, { pods }: FlowEnd): Match {
  let yes = 0;
  for (const pod of pods) {
    if (sure.has(pod)) yes++;
    else if (unsure?.has(pod) === true) return MAYBE;
  }
  if (yes === 0) return NO;
  return yes === pods.length ? YES : MAYBE;
}

function possibly({ sure, unsure }: Selection): BitSet {
  return unsure === undefined ? sure : sure.or(unsure);
}

function read(metadata: { readonly name: string; readonly [key: string]: unknown }): KnownLabels {
  const parsed = Labels.safeParse(metadata);
  const labels = new Map(Object.entries(parsed.success ? (parsed.data.labels ?? {}) : {}));
  labels.set(NAME_LABEL, metadata.name);
  return { labels, complete: parsed.success };
}

function append<K>(map: Map<K, number[]>, key: K, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
