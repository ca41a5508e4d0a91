import { cidrContains, familyOf, parseIp, ipv4, ipv6, type Cidr, type Ip } from '#libs/model';
import { protocolNumber } from '../programmed/iptables-rule.js';
import type { ProxyPacket } from '../programmed/rule.js';
import { isDeniedSource, type Asker } from '../intent/expected.js';
import type { ServiceEntry } from '../intent/service-entry.js';
import type { LocalTraffic } from './local-traffic.js';

/** One kind of packet to an entry, and who sends it. */
export interface Probe {
  readonly asker: Asker & { readonly ip: Ip };
  readonly packet: ProxyPacket;
}

/** Of networks for documentation and benchmarks: nobody's (RFC 2544, RFC 3849). */
const STRANGERS = { 4: parseIp('198.18.7.77'), 6: parseIp('2001:db8:7::77') } as const;

export interface ProbeContext {
  readonly local: LocalTraffic;
  readonly pod: Ip | undefined;
  /** The node's own address of the family. */
  readonly node: Ip | undefined;
}

/** A pod, the node, a stranger, and for source ranges one from each: together they take every rule that kube-proxy writes. */
export function probesOf(entry: ServiceEntry, context: ProbeContext): Probe[] {
  const family = familyOf(entry.ip);
  const sources = [context.pod, context.node, STRANGERS[family], ...rangeSources(entry)];
  const unique = [...new Set(sources.filter((ip) => ip !== undefined))];
  return [...unique.map((src) => probe(entry, context, src)), ...loopedBack(entry, context)];
}

/** Where the balancer's address is configured on the node itself, the node's own packets to it have it as their source too. */
function loopedBack(entry: ServiceEntry, context: ProbeContext): Probe[] {
  const { node } = context;
  const asker = { kind: 'node' as const, ip: node ?? entry.ip };
  if (node === undefined || rangeSources(entry).length === 0 || isDeniedSource(entry, asker)) return [];
  const { packet } = probe(entry, context, node);
  return [{ asker, packet: { ...packet, src: entry.ip } }];
}

function probe(entry: ServiceEntry, { local, pod, node }: ProbeContext, src: Ip): Probe {
  const isNode = src === node;
  const isPod = !isNode && (src === pod || local.nets.some((net) => cidrContains(net, src)));
  return {
    asker: { kind: isNode ? 'node' : isPod ? 'pod' : 'outside', ip: src },
    packet: {
      src,
      srcIsLocal: isNode,
      fromPod: isPod,
      dst: entry.ip,
      dstIsLocal: entry.kind === 'nodePort',
      protocol: protocolNumber(entry.port.protocol) ?? 0,
      dport: entry.dport,
    },
  };
}

/** One address of each range that may use the balancer's address. */
function rangeSources({ kind, ip, service }: ServiceEntry): Ip[] {
  if (kind !== 'loadBalancer') return [];
  return service.sourceRanges.filter(({ net }) => familyOf(net) === familyOf(ip)).map(inside);
}

function inside({ net, length }: Cidr): Ip {
  if (typeof net === 'number') return length > 30 ? net : ipv4(net + 2);
  return length > 126 ? net : ipv6(net + 2n);
}
