import { cidrContains, parseCidr, parseIp } from '#libs/model';
import { NODE, type ClusterObjects, type Mode, type Service, type Slice } from './kube-proxy-case.js';

/** Where the packet is made: kube-proxy treats the three differently. */
export type Origin = 'pod' | 'node' | 'outside';
const ORIGINS: readonly Origin[] = ['pod', 'node', 'outside'];

export const SOURCES = { pod: '10.244.0.200', node: '10.99.0.11', outside: '203.0.113.200' } as const;
const NODE_IP = SOURCES.node;

/** One address and port that a service is asked at. */
export interface Frontend {
  readonly service: string;
  readonly kind: 'ClusterIP' | 'NodePort' | 'externalIP' | 'LoadBalancer';
  readonly ip: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

export type Expected =
  | { readonly kind: 'backends'; readonly backends: readonly string[] }
  | { readonly kind: 'dropped' | 'rejected' | 'untouched' };

export interface Case {
  readonly frontend: Frontend;
  readonly origin: Origin;
  readonly expected: Expected;
}

/**
 * The two services whose branches are, by design, not all ready endpoints of their slices: `web-zone` has
 * trafficDistribution PreferClose, so node1 (zone a) uses the endpoints of its zone only; `web-itp-local` has
 * internalTrafficPolicy Local and its only endpoint is on node2.
 */
export const EXCEPTIONS: Readonly<Record<string, Expected>> = {
  'demo/web-zone': { kind: 'backends', backends: ['10.244.0.2:8080', '10.244.4.2:8080'] },
  'demo/web-itp-local': { kind: 'dropped' },
};

/** Every port of every service that kube-proxy serves, asked from a pod, from the node and from outside. */
export function expectedCases(objects: ClusterObjects, mode: Mode): Case[] {
  return objects.services.flatMap((service) => {
    const slices = objects.slices.get(nameOf(service)) ?? [];
    return frontendsOf(service).flatMap(({ frontend, portName }) =>
      ORIGINS.map((origin) => ({
        frontend,
        origin,
        expected: expect({ service, frontend, portName, slices, origin, mode }),
      })),
    );
  });
}

/** Services without an address: kube-proxy writes no rule for them. */
export function withoutFrontend(objects: ClusterObjects): string[] {
  return objects.services.filter((service) => frontendsOf(service).length === 0).map(nameOf);
}

function nameOf({ metadata }: Service): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function frontendsOf(service: Service): { frontend: Frontend; portName: string | undefined }[] {
  const { spec, status } = service;
  const { clusterIP } = spec;
  if (clusterIP === undefined || clusterIP === 'None') return [];
  const name = nameOf(service);
  return spec.ports.flatMap(({ port, protocol, nodePort, name: portName }) => {
    const at = (kind: Frontend['kind'], ip: string, on = port) => ({
      frontend: { service: name, kind, ip, port: on, protocol },
      portName,
    });
    return [
      at('ClusterIP', clusterIP),
      ...(nodePort === undefined ? [] : [at('NodePort', NODE_IP, nodePort)]),
      ...spec.externalIPs.map((ip) => at('externalIP', ip)),
      // ipMode Proxy: the balancer sends with another destination, so kube-proxy leaves the address alone.
      ...status.loadBalancer.ingress.filter(({ ipMode }) => ipMode === 'VIP').map(({ ip }) => at('LoadBalancer', ip)),
    ];
  });
}

interface Question {
  readonly service: Service;
  readonly frontend: Frontend;
  readonly portName: string | undefined;
  readonly slices: readonly Slice[];
  readonly origin: Origin;
  readonly mode: Mode;
}

function expect({ service, frontend, portName, slices, origin, mode }: Question): Expected {
  const exception = EXCEPTIONS[frontend.service];
  if (exception !== undefined) return exception;
  const ready = readyEndpoints(slices, portName);
  if (ready.length === 0) return { kind: isAsked(frontend, origin, mode) ? 'rejected' : 'untouched' };
  if (frontend.kind === 'LoadBalancer' && !isSourceAllowed(service, origin)) return { kind: 'dropped' };
  // Traffic from pods and from the node is short-circuited to any endpoint, whatever externalTrafficPolicy says.
  const local = frontend.kind !== 'ClusterIP' && service.spec.externalTrafficPolicy === 'Local' && origin === 'outside';
  const used = local ? ready.filter(({ node }) => node === NODE) : ready;
  if (used.length === 0) return { kind: 'dropped' };
  return { kind: 'backends', backends: used.map(({ socket }) => socket) };
}

/** In its iptables modes kube-proxy jumps to KUBE-EXTERNAL-SERVICES from INPUT and FORWARD only: what the node itself sends out is not rejected. */
function isAsked({ kind }: Frontend, origin: Origin, mode: Mode): boolean {
  return origin !== 'node' || mode === 'nftables' || kind === 'ClusterIP' || kind === 'NodePort';
}

function readyEndpoints(slices: readonly Slice[], portName: string | undefined): { socket: string; node?: string }[] {
  const found = new Map<string, { socket: string; node?: string }>();
  for (const { ports, endpoints } of slices)
    for (const { port } of (ports ?? []).filter(({ name }) => (name ?? '') === (portName ?? '')))
      for (const { addresses, conditions, nodeName } of endpoints ?? []) {
        const socket = `${addresses[0] ?? ''}:${port ?? 0}`;
        if (conditions.ready) found.set(socket, { socket, node: nodeName });
      }
  return [...found.values()];
}

function isSourceAllowed({ spec }: Service, origin: Origin): boolean {
  const ranges = spec.loadBalancerSourceRanges;
  const source = parseIp(SOURCES[origin]);
  if (ranges.length === 0 || source === undefined) return true;
  return ranges.some((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && cidrContains(cidr, source);
  });
}
