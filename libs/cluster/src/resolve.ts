import {
  familyOf,
  formatEndpointRef,
  formatIp,
  isLoopback,
  type Endpoint,
  type EndpointRef,
  type Family,
  type Ip,
} from '#libs/model';
import type { ClusterIndex } from './cluster-index.js';
import { dumpKey } from './cluster-index.js';
import type { PodObject, ServiceObject } from './objects.js';

/** A reference after look-up: who it is, its address, and the network namespace (dump key) that it lives in. */
export interface Resolved {
  readonly endpoint: Endpoint;
  readonly ip?: Ip;
  /** `node/<name>`, `pod/<namespace>/<name>` or `external/<name>`; undefined for services and unknown hosts. */
  readonly namespaceKey?: string;
  readonly pod?: PodObject;
  readonly service?: ServiceObject;
  /** Others that claim the same address. */
  readonly alsoClaimedBy: readonly string[];
  /** Set when the reference is well formed and names nothing that is there. */
  readonly missing?: string;
}

/** Addresses that a namespace dump owns, asked for by address: gateways, bridges, hosts outside. */
export type OwnerOf = (ip: Ip) => string | undefined;

/** Looks a reference up. `family` is that of the other end, when known: names have more than one address. */
export function resolveEndpoint(index: ClusterIndex, ownerOf: OwnerOf, ref: EndpointRef, family?: Family): Resolved {
  const text = formatEndpointRef(ref);
  switch (ref.kind) {
    case 'ip':
      return resolveIp(index, ownerOf, ref.ip, text);
    case 'external':
      return external(index, ownerOf, ref.ip, text);
    case 'pod': {
      const pod = index.pods.get(`${ref.namespace}/${ref.name}`);
      if (pod === undefined) return notFound(text, `pod ${ref.namespace}/${ref.name}`, index);
      return ofPod(pod, chooseIp(pod.ips, family), text);
    }
    case 'node': {
      const node = index.nodes.get(ref.name);
      const dumped = index.dumps.has(`node/${ref.name}`);
      if (node === undefined && !dumped) return notFound(text, `node ${ref.name}`, index);
      const ip = chooseIp(node?.internalIps.length ? node.internalIps : (node?.addresses ?? []), family);
      return {
        endpoint: {
          kind: 'node',
          name: ref.name,
          node: ref.name,
          ip: ip === undefined ? null : formatIp(ip),
          ref: text,
        },
        ip,
        namespaceKey: `node/${ref.name}`,
        alsoClaimedBy: [],
        missing: ip === undefined ? `node ${ref.name} has no address in its status` : undefined,
      };
    }
    case 'service': {
      const service = index.services.get(`${ref.namespace}/${ref.name}`);
      if (service === undefined) return notFound(text, `service ${ref.namespace}/${ref.name}`, index);
      return ofService(service, chooseIp(service.clusterIps, family), text);
    }
  }
}

function resolveIp(index: ClusterIndex, ownerOf: OwnerOf, ip: Ip, ref: string): Resolved {
  const pods = index.podsAt(ip);
  const services = index.servicesAt(ip);
  const node = index.nodeAt(ip);
  const claims = [
    ...pods.map((pod) => `pod ${pod.namespace}/${pod.name}`),
    ...(node === undefined ? [] : [`node ${node.name}`]),
    ...services.map((service) => `service ${service.namespace}/${service.name}`),
  ];
  const [pod] = pods;
  if (pod !== undefined) return { ...ofPod(pod, ip, ref), alsoClaimedBy: claims.slice(1) };
  if (node !== undefined)
    return {
      endpoint: { kind: 'node', name: node.name, node: node.name, ip: formatIp(ip), ref },
      ip,
      namespaceKey: `node/${node.name}`,
      alsoClaimedBy: claims.slice(1),
    };
  const [service] = services;
  // Several services share an external address by port; that is no conflict.
  if (service !== undefined) return { ...ofService(service, ip, ref), alsoClaimedBy: [] };
  return external(index, ownerOf, ip, ref);
}

function external(index: ClusterIndex, ownerOf: OwnerOf, ip: Ip, ref: string): Resolved {
  const key = isLoopback(ip) ? undefined : ownerOf(ip);
  if (key !== undefined) {
    const dump = index.dumps.get(key);
    const name = dump?.name ?? key;
    const kind = dump?.kind ?? 'external';
    const pod = kind === 'pod' ? { namespace: dump?.namespace } : {};
    return {
      endpoint: { kind, ...pod, name, ...(kind === 'node' ? { node: name } : {}), ip: formatIp(ip), ref },
      ip,
      namespaceKey: key,
      alsoClaimedBy: [],
    };
  }
  return { endpoint: { kind: 'external', ip: formatIp(ip), ref }, ip, alsoClaimedBy: [] };
}

function ofPod(pod: PodObject, ip: Ip | undefined, ref: string): Resolved {
  const key = pod.hostNetwork
    ? pod.node === undefined
      ? undefined
      : `node/${pod.node}`
    : dumpKey({ kind: 'pod', namespace: pod.namespace, name: pod.name });
  return {
    endpoint: {
      kind: 'pod',
      namespace: pod.namespace,
      name: pod.name,
      ...(pod.node === undefined ? {} : { node: pod.node }),
      ip: ip === undefined ? null : formatIp(ip),
      ref,
    },
    ip,
    namespaceKey: key,
    pod,
    alsoClaimedBy: [],
  };
}

function ofService(service: ServiceObject, ip: Ip | undefined, ref: string): Resolved {
  const endpoint: Endpoint = {
    kind: 'service',
    namespace: service.namespace,
    name: service.name,
    ip: ip === undefined ? null : formatIp(ip),
    ref,
  };
  return { endpoint, ip, service, alsoClaimedBy: [] };
}

function notFound(ref: string, what: string, index: ClusterIndex): Resolved {
  const missing = index.objectsCollected
    ? `${what} is not in the snapshot`
    : `${what} cannot be looked up: kubernetes.json was not collected`;
  return { endpoint: { kind: 'unknown', ip: null, ref }, alsoClaimedBy: [], missing };
}

function chooseIp(ips: readonly Ip[], family: Family | undefined): Ip | undefined {
  return ips.find((ip) => familyOf(ip) === family) ?? ips[0];
}
