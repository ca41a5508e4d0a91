import { podNetnsName } from '../cluster/names.js';
import type { ClusterSpec, PodSpec, Protocol, ServiceSpec } from '../cluster/spec.js';
import type { Probe } from '../traffic/agents.js';
import type { LabPair } from './pairs.js';

/** A question for the program and the same question for the kernel. */
export interface LabProbe {
  readonly pair: LabPair;
  readonly probe: Probe;
  readonly kind: string;
}

const ATTEMPTS = 6;

interface Source {
  readonly reference: string;
  readonly netns: string;
}

/** Every way that traffic takes in a cluster; `thorough` also asks what only repeats another way with other names. */
export function probesOf(cluster: ClusterSpec, thorough: boolean): readonly LabProbe[] {
  return new Questions(cluster, thorough).all();
}

class Questions {
  private readonly probes: LabProbe[] = [];
  private readonly pods: readonly PodSpec[];
  private readonly outside: readonly Source[];

  constructor(
    private readonly cluster: ClusterSpec,
    private readonly thorough: boolean,
  ) {
    this.pods = cluster.pods.filter(({ hostNetwork }) => hostNetwork !== true);
    this.outside = cluster.external.map(({ name, address }) => ({ reference: `external/${address}`, netns: name }));
  }

  all(): readonly LabProbe[] {
    this.podToPod();
    this.podsAndNodes();
    for (const service of this.cluster.services) if (service.clusterIp !== 'None') this.service(service);
    this.outsideWorld();
    this.nothingThere();
    return this.probes;
  }

  private podToPod(): void {
    for (const [index, from] of this.pods.entries())
      for (const to of this.pods) {
        if (from === to) continue;
        this.ask('pod-pod', podSource(from), to.address, 8080, 'tcp');
        // UDP takes the same way; every other pod shows it.
        if (this.thorough || index % 2 === 0) this.ask('pod-pod', podSource(from), to.address, 5353, 'udp');
      }
  }

  private podsAndNodes(): void {
    const { nodes } = this.cluster;
    for (const node of nodes) {
      for (const pod of this.thorough ? this.pods : this.pods.filter(({ owner }) => owner === 'client')) {
        this.ask('pod-node', podSource(pod), node.address, 9100, 'tcp');
        this.ask('pod-node', podSource(pod), node.address, 9053, 'udp');
      }
      for (const pod of this.pods) {
        this.ask('node-pod', nodeSource(node.name), pod.address, 8080, 'tcp');
        if (this.thorough) this.ask('node-pod', nodeSource(node.name), pod.address, 5353, 'udp');
      }
      for (const other of nodes) {
        this.ask('node-node', nodeSource(node.name), other.address, 9100, 'tcp');
        if (this.thorough) this.ask('node-node', nodeSource(node.name), other.address, 9053, 'udp');
      }
    }
  }

  private service(service: ServiceSpec): void {
    const { clusterIp, port, loadBalancer, externalIps = [] } = service;
    const askers = this.askers();
    for (const source of askers) this.ask('service', source, clusterIp, port.port, port.protocol, ATTEMPTS);
    const outside = [...externalIps, ...(loadBalancer === undefined ? [] : [loadBalancer.ip])];
    for (const ip of outside)
      for (const source of [...this.outside, ...askers])
        this.ask('vip', source, ip, port.port, port.protocol, ATTEMPTS);
    if (port.nodePort === undefined) return;
    for (const node of this.cluster.nodes)
      for (const source of [...this.outside, ...askers])
        this.ask('nodeport', source, node.address, port.nodePort, port.protocol, ATTEMPTS);
    for (const node of this.cluster.nodes.slice(0, this.thorough ? 2 : 1))
      this.ask('nodeport-localhost', nodeSource(node.name), '127.0.0.1', port.nodePort, port.protocol, ATTEMPTS);
  }

  /** Clients on all nodes, pods that are backends themselves, nodes. */
  private askers(): readonly Source[] {
    const named = new Set(
      this.thorough ? ['client-0', 'client-1', 'client-2', 'web-0', 'web-1'] : ['client-0', 'client-1', 'web-0'],
    );
    const nodes = this.cluster.nodes.slice(0, 2).map(({ name }) => nodeSource(name));
    return [...this.pods.filter(({ name }) => named.has(name)).map(podSource), ...nodes];
  }

  private outsideWorld(): void {
    for (const { address } of this.cluster.external)
      for (const source of [...this.pods.map(podSource), ...this.cluster.nodes.map(({ name }) => nodeSource(name))]) {
        this.ask('outside', source, address, 8080, 'tcp');
        if (this.thorough) this.ask('outside', source, address, 5353, 'udp');
      }
    for (const source of this.outside)
      for (const node of this.cluster.nodes) this.ask('from-outside', source, node.address, 9100, 'tcp');
  }

  private nothingThere(): void {
    const [client] = this.pods.filter(({ owner }) => owner === 'client').map(podSource);
    const [web, neighbour] = this.pods.filter(({ owner }) => owner === 'web');
    const service = this.cluster.services.find(({ name }) => name === 'single');
    if (client === undefined || web === undefined || neighbour === undefined || service === undefined) return;
    for (const source of this.outside) {
      this.ask('outside-to-inside', source, service.clusterIp, 80, 'tcp');
      this.ask('outside-to-inside', source, web.address, 8080, 'tcp');
    }
    this.ask('closed-service-port', client, service.clusterIp, 81, 'tcp');
    this.ask('no-such-service', client, '10.96.200.200', 80, 'tcp');
    this.ask('closed-port', client, neighbour.address, 8081, 'tcp');
    this.ask('closed-port', client, neighbour.address, 8081, 'udp');
    for (const { address } of [web, neighbour])
      this.ask(
        'dead-address',
        client,
        address.replace(/\d+$/, (last) => String(Number(last) + 18)),
        8080,
        'tcp',
      );
  }

  private ask(kind: string, from: Source, address: string, port: number, protocol: Protocol, attempts = 1): void {
    const id = String(this.probes.length + 1);
    this.probes.push({
      kind,
      pair: { id, source: from.reference, destination: address, port, protocol },
      probe: { id, from: from.netns, address, port, protocol, attempts },
    });
  }
}

function podSource(pod: PodSpec): Source {
  return { reference: `pod/${pod.namespace}/${pod.name}`, netns: podNetnsName(pod) };
}

function nodeSource(name: string): Source {
  return { reference: `node/${name}`, netns: name };
}
