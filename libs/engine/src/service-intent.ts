import type { ServiceObject, ServicePort, SliceEndpoint } from '#libs/cluster';
import { formatIp, formatSocket, type Evidence, type Ip, type Place } from '#libs/model';
import { TCP, type NetNamespace, type Skb } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { World } from './world.js';

/** What the objects say of a service port: its endpoints, as kube-proxy should program them. */
export interface ServiceIntent {
  readonly service: ServiceObject;
  readonly port: ServicePort;
  readonly ready: readonly { readonly ip: Ip; readonly port: number; readonly node?: string }[];
  readonly notReady: number;
}

/** The service and port that the destination means; a node port counts when the address is a node's. */
export function findService(world: World, dst: Ip, port: number, protocol: 'TCP' | 'UDP'): ServiceIntent | undefined {
  const { cluster } = world;
  for (const service of cluster.servicesAt(dst)) {
    const found = service.ports.find((one) => one.port === port && one.protocol === protocol);
    if (found !== undefined) return intentOf(world, service, found);
  }
  if (cluster.nodeAt(dst) === undefined) return undefined;
  for (const service of cluster.services.values()) {
    const found = service.ports.find((one) => one.nodePort === port && one.protocol === protocol);
    if (found !== undefined) return intentOf(world, service, found);
  }
  return undefined;
}

function intentOf(world: World, service: ServiceObject, port: ServicePort): ServiceIntent {
  const ready: { ip: Ip; port: number; node?: string }[] = [];
  let notReady = 0;
  for (const slice of world.cluster.slices(service)) {
    const slicePort = slice.ports.find(
      (one) => (one.name ?? '') === (port.name ?? '') && one.protocol === port.protocol,
    );
    for (const endpoint of slice.endpoints) {
      if (slicePort?.port === undefined || !usable(endpoint)) notReady += 1;
      else for (const ip of endpoint.addresses) ready.push({ ip, port: slicePort.port, node: endpoint.node });
    }
  }
  return { service, port, ready, notReady };
}

function usable(endpoint: SliceEndpoint): boolean {
  return endpoint.ready;
}

/** Why the service has nothing to send to; undefined when it has. */
export function emptyServiceFinding(intent: ServiceIntent): Finding | undefined {
  if (intent.ready.length > 0) return undefined;
  const { service, notReady } = intent;
  const subject = placeOfService(service);
  const selector = Object.entries(service.selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const locator = `EndpointSlice/${service.namespace}/${service.name}:endpoints`;
  const text =
    notReady === 0
      ? 'no endpoint slice of the service lists an endpoint'
      : `${notReady} endpoints, none ready for port ${intent.port.port}`;
  return {
    code: notReady === 0 ? 'NO_ENDPOINTS' : 'NO_READY_ENDPOINTS',
    subject,
    evidence: [{ kind: 'object', at: subject, locator, text }],
    details: {
      selector: selector === '' ? 'it has no selector' : selector,
      pods: `the pods of ${service.namespace}/${service.name}`,
    },
  };
}

/** A packet to a service address that no rule of the node translated. */
export function serviceFinding(world: World, from: NetNamespace | undefined, skb: Skb, route: Evidence): Finding {
  const protocol = skb.protocol === TCP ? 'TCP' : 'UDP';
  const [service] = world.cluster.servicesAt(skb.dst);
  const destination = formatIp(skb.dst);
  if (service === undefined)
    return {
      code: 'SERVICE_NOT_FOUND',
      subject: { kind: 'service', name: destination },
      evidence: [route],
      details: { destination },
    };
  const subject = placeOfService(service);
  const port = service.ports.find((one) => one.port === skb.dport && one.protocol === protocol);
  const ports = service.ports.map((one) => `${one.port}/${one.protocol}`).join(', ');
  const object: Evidence = {
    kind: 'object',
    at: subject,
    locator: `Service/${service.namespace}/${service.name}:spec.ports`,
    text: ports,
  };
  if (port === undefined) {
    const other = service.ports.find((one) => one.port === skb.dport);
    return {
      code: other === undefined ? 'SERVICE_PORT_UNDEFINED' : 'PROTOCOL_MISMATCH',
      subject,
      evidence: [object],
      details: { protocol, port: skb.dport, ports, actual: other?.protocol ?? '' },
    };
  }
  const node = from?.place.name ?? 'the node';
  return {
    code: 'PROXY_RULES_MISSING',
    subject,
    evidence: [
      {
        ...route,
        text: `${formatSocket(destination, skb.dport)} was not translated on ${node}; it took: ${route.text}`,
      },
      object,
    ],
    details: { node },
  };
}

function placeOfService(service: ServiceObject): Place {
  return { kind: 'service', namespace: service.namespace, name: service.name };
}
