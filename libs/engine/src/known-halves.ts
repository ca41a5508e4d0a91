import { isAlive } from '#libs/cluster';
import { type DiagnosisRequest, type EndpointRef, type Ip } from '#libs/model';
import { AddressClasses, type NetNamespace } from '#libs/netstack';
import type { Exchange } from './exchange.js';
import type { World } from './world.js';

/**
 * What exchanges between two nodes have in common. Such an exchange has two halves, the client's pod and node and the server's, and
 * each half knows the other end by its address only. So once pod a has reached b' on node B, and a' of a's node has reached b, a
 * reaches b too, if a's half cannot tell b from b', nor b's half a from a' (AddressClasses): every packet meets the same as one that
 * was walked. Only exchanges that stayed on the two nodes and were not translated are remembered.
 * All pairs of 1,000 pods on 20 nodes are some 40,000 walks instead of a million (docs/explanation/speed.md).
 */
export class KnownHalves {
  private readonly ends = new Map<string, PodEnd | undefined>();
  private readonly classes = new Map<NetNamespace, AddressClasses>();
  private readonly owners = new Map<Ip, number>();

  /** `ignoresPackets`: see InfraShim. */
  constructor(
    private readonly world: World,
    private readonly ignoresPackets: boolean,
  ) {
    for (const ns of world.namespaces.values())
      for (const ip of ns.addresses) this.owners.set(ip, (this.owners.get(ip) ?? 0) + 1);
  }

  /** undefined: no pair of this kind. */
  pairOf(request: DiagnosisRequest): HalvedPair | undefined {
    if (!this.ignoresPackets || typeof request.port !== 'number' || request.sourcePort !== undefined) return undefined;
    const client = this.endOf(request.source);
    const server = this.endOf(request.destination);
    if (client === undefined || server === undefined || client.node === server.node) return undefined;
    const asked = `${request.protocol} ${request.port}`;
    return {
      client,
      server,
      clientHalf: `${asked} ${server.node.id} ${this.view(client, server.ip)}`,
      serverHalf: `${asked} ${client.node.id} ${this.view(server, client.ip)}`,
    };
  }

  isKnown({ client, server, clientHalf, serverHalf }: HalvedPair): boolean {
    return client.asClient.has(clientHalf) && server.asServer.has(serverHalf);
  }

  /** Keeps the halves of an exchange that reached its end. */
  remember({ client, server, clientHalf, serverHalf }: HalvedPair, { isPlain, touched }: Exchange): void {
    if (!isPlain) return;
    for (const ns of touched)
      if (ns !== client.ns && ns !== client.node && ns !== server.ns && ns !== server.node) return;
    client.asClient.add(clientHalf);
    server.asServer.add(serverHalf);
  }

  /** The class of the other end's address, as the pod and its node see it. */
  private view({ ns, node }: PodEnd, other: Ip): string {
    return `${this.classesOf(ns).of(other)} ${this.classesOf(node).of(other)}`;
  }

  private classesOf(ns: NetNamespace): AddressClasses {
    let known = this.classes.get(ns);
    if (known === undefined)
      this.classes.set(ns, (known = new AddressClasses(ns, (ip) => this.world.cluster.podsAt(ip).length > 0)));
    return known;
  }

  private endOf(ref: EndpointRef): PodEnd | undefined {
    const key =
      ref.kind === 'pod' ? `${ref.namespace}/${ref.name}` : ref.kind === 'ip' ? this.podAt(ref.ip) : undefined;
    if (key === undefined) return undefined;
    if (!this.ends.has(key)) this.ends.set(key, this.findEnd(key));
    return this.ends.get(key);
  }

  private podAt(ip: Ip): string | undefined {
    const [pod, ...others] = this.world.cluster.podsAt(ip);
    return pod === undefined || others.length > 0 ? undefined : `${pod.namespace}/${pod.name}`;
  }

  /** A pod with one IPv4 address that nothing else in the snapshot has, on a node of its own name space. */
  private findEnd(key: string): PodEnd | undefined {
    const { cluster, fabric, namespaces } = this.world;
    const pod = cluster.pods.get(key);
    const [ip, ...others] = pod?.ips ?? [];
    if (pod === undefined || typeof ip !== 'number' || others.length > 0 || pod.hostNetwork || !isAlive(pod))
      return undefined;
    const isOthers =
      cluster.podsAt(ip).length !== 1 || cluster.nodeAt(ip) !== undefined || cluster.servicesAt(ip).length > 0;
    if (isOthers || this.owners.get(ip) !== 1 || fabric.outsideOwner(ip) !== undefined) return undefined;
    const ns = namespaces.get(`pod/${key}`);
    const node = namespaces.get(`node/${pod.node ?? ''}`);
    if (ns?.owns(ip) === undefined || node === undefined) return undefined;
    return { ip, ns, node, asClient: new Set(), asServer: new Set() };
  }
}

interface PodEnd {
  readonly ip: Ip;
  readonly ns: NetNamespace;
  readonly node: NetNamespace;
  /** Halves by which it has reached, and was reached. */
  readonly asClient: Set<string>;
  readonly asServer: Set<string>;
}

export interface HalvedPair {
  readonly client: PodEnd;
  readonly server: PodEnd;
  readonly clientHalf: string;
  readonly serverHalf: string;
}
