import type { ClusterIndex } from '#libs/cluster';
import { canonicalJson, type Ip, type Place } from '#libs/model';
import { NetNamespace } from '#libs/netstack';
import type { CniNetwork, InfraAnswer, InfraQuestion } from '#libs/provider-kit';
import type { KubeProxy } from '#libs/kube-proxy';
import type { PolicyIndex } from '#libs/policy';
import { Fabric } from './fabric.js';
import type { Inspection } from './inspection.js';

/** Everything that a walk may read. Facts only; what is not here is asked for by name. */
export interface World {
  readonly cluster: ClusterIndex;
  /** By dump key: `node/<name>`, `pod/<namespace>/<name>`, `external/<name>`. */
  readonly namespaces: ReadonlyMap<string, NetNamespace>;
  readonly fabric: Fabric;
  readonly cni: CniNetwork;
  readonly inspection: Inspection;
  readonly proxy: KubeProxy;
  readonly policies: PolicyIndex;
  /** Whether any namespace has traffic control filters: without them frames need no second look. */
  readonly filtersFrames: boolean;
  /** What the InfraShim says of a crossing; undefined when it has to be asked first. */
  infra(question: InfraQuestion): InfraAnswer | undefined;
  /** The dump key of the namespace that has an address on one of its interfaces. */
  ownerOf(ip: Ip): string | undefined;
}

/** The namespace that a place names; undefined when it is no namespace's, or was not collected. */
export function namespaceAt(world: World, { kind, namespace, name }: Place): NetNamespace | undefined {
  return world.namespaces.get(namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`);
}

const numberings = new WeakMap<World, ReadonlyMap<Place, NumberedNamespace>>();

interface NumberedNamespace {
  readonly ns: NetNamespace;
  /** Its place in the order of the snapshot. */
  readonly number: number;
}

/** The namespaces by their places; asked for each answer, so kept with the world. */
export function numberedPlaces(world: World): ReadonlyMap<Place, NumberedNamespace> {
  let known = numberings.get(world);
  if (known === undefined) {
    known = new Map([...world.namespaces.values()].map((ns, number) => [ns.place, { ns, number }]));
    numberings.set(world, known);
  }
  return known;
}

export function infraKey(question: InfraQuestion): string {
  return canonicalJson(question);
}

/** Ends a walk that needs a fact that is not there; the caller fetches it and walks again. */
export class MissingFact extends Error {
  constructor(readonly question: InfraQuestion) {
    super(`not known yet: ${question.kind}`);
    this.name = 'MissingFact';
  }
}

export function buildNamespaces(cluster: ClusterIndex): Map<string, NetNamespace> {
  const namespaces = new Map<string, NetNamespace>();
  for (const [key, dump] of cluster.dumps) {
    const node =
      dump.kind === 'pod' ? (dump.node ?? cluster.pods.get(`${dump.namespace ?? ''}/${dump.name}`)?.node) : dump.node;
    namespaces.set(key, new NetNamespace(node === undefined ? dump : { ...dump, node }));
  }
  return namespaces;
}

/** The dump key of the namespace that has the address on an interface: nodes first, then hosts outside, then pods. */
export function ownerOf(namespaces: ReadonlyMap<string, NetNamespace>): (ip: Ip) => string | undefined {
  const owners = new Map<Ip, string>();
  for (const kind of ['pod', 'external', 'node'])
    for (const [key, ns] of namespaces)
      if (ns.place.kind === kind)
        for (const link of ns.links?.values() ?? []) for (const address of link.addresses) owners.set(address.ip, key);
  return (ip) => owners.get(ip);
}
