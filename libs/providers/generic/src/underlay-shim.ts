import { cidrContains, parseCidr, parseIp, type Ip, type Packet } from '#libs/model';
import type { InfraAnswer, InfraDelivery, InfraQuestion, InfraShim, NodeRef, ServiceRef } from '#libs/provider-kit';
import type { Underlay } from './underlay.js';

/** Answers from underlay.json; without one it knows nothing and says so. */
export class UnderlayShim implements InfraShim {
  readonly ignoresPackets = true;

  constructor(private readonly underlay: Underlay | undefined) {}

  /** Everything it knows is in memory, so no walk has to wait. */
  evaluate(question: InfraQuestion): InfraAnswer {
    switch (question.kind) {
      // The operator's description says nothing against packets to a node: they arrive.
      case 'nodeToNode':
      case 'externalToNode':
        return answer(
          this.underlay === undefined ? { kind: 'unknown' } : { kind: 'node', name: question.destination.name },
        );
      case 'nodeToExternal':
      case 'externalToLoadBalancer':
        return this.byDestination(question.packet);
    }
  }

  nodeToNode(source: NodeRef, oif: string, destination: NodeRef, packet: Packet): Promise<InfraAnswer> {
    return Promise.resolve(this.evaluate({ kind: 'nodeToNode', source, oif, destination, packet }));
  }

  nodeToExternal(source: NodeRef, oif: string, packet: Packet): Promise<InfraAnswer> {
    return Promise.resolve(this.evaluate({ kind: 'nodeToExternal', source, oif, packet }));
  }

  externalToNode(destination: NodeRef, packet: Packet): Promise<InfraAnswer> {
    return Promise.resolve(this.evaluate({ kind: 'externalToNode', destination, packet }));
  }

  externalToLoadBalancer(service: ServiceRef, packet: Packet, backends: readonly string[]): Promise<InfraAnswer> {
    return Promise.resolve(this.evaluate({ kind: 'externalToLoadBalancer', service, packet, backends }));
  }

  private byDestination(packet: Packet): InfraAnswer {
    const dst = parseIp(packet.dst);
    if (this.underlay === undefined || dst === undefined) return answer({ kind: 'unknown' });
    const via = longestMatch(this.underlay.routes, dst);
    if (via !== undefined)
      return answer({ kind: 'node', name: via }, undefined, `the network outside routes ${packet.dst} via ${via}`);
    const src = parseIp(packet.src);
    const snat = src === undefined ? undefined : this.underlay.snat.find(({ source }) => contains(source, src));
    return answer({ kind: this.underlay.unknown }, snat?.to);
  }
}

function answer(delivery: InfraDelivery, translatedSource?: string, text?: string): InfraAnswer {
  return {
    delivery,
    ...(translatedSource === undefined ? {} : { translatedSource }),
    suspicions: [],
    steps: text === undefined ? [] : [{ kind: 'infra', text }],
    skipped: [],
  };
}

function longestMatch(routes: Underlay['routes'], dst: Ip): string | undefined {
  let best: { via: string; length: number } | undefined;
  for (const { destination, via } of routes) {
    const cidr = parseCidr(destination);
    if (cidr !== undefined && cidrContains(cidr, dst) && (best === undefined || cidr.length > best.length))
      best = { via, length: cidr.length };
  }
  return best?.via;
}

function contains(prefix: string, ip: Ip): boolean {
  const cidr = parseCidr(prefix);
  return cidr !== undefined && cidrContains(cidr, ip);
}
