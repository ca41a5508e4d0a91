import { isAlive, type ClusterIndex, type PodObject, type ServiceObject, type SliceObject } from '#libs/cluster';
import { familyOf, formatCidr, formatIp, type Evidence, type Ip } from '#libs/model';
import type { Finding } from '#libs/provider-kit';
import { backendText, type ProxyEndpoint } from './endpoints.js';
import type { Asker, Expected, ServiceIntent } from './expected.js';
import { notProxied, placeOfService, type ServiceEntry, type ServicePortRef } from './service-entry.js';

/** Names in a list before "and N more". */
const SHOWN = 5;

/** What the objects say is wrong, or worth knowing, when somebody asks for an entry. Empty for a service that is well. */
export function serviceFindings(
  cluster: ClusterIndex,
  intent: ServiceIntent,
  entry: ServiceEntry,
  asker: Asker & { readonly node: string },
): Finding[] {
  const expected = intent.expected(entry, asker);
  const { all } = intent.categories(entry);
  return [
    ...emptinessFinding(cluster, entry, expected, all, asker),
    ...typeFindings(entry.service),
    ...affinityFinding(entry.service),
    ...withoutPod(cluster, entry, expected.endpoints),
  ];
}

function emptinessFinding(
  cluster: ClusterIndex,
  entry: ServiceEntry,
  expected: Expected,
  all: readonly ProxyEndpoint[],
  asker: Asker & { readonly node: string },
): Finding[] {
  const { service } = entry;
  switch (expected.empty) {
    case undefined:
      return [];
    case 'no-endpoints': {
      const found = noEndpoints(cluster, entry, all);
      return found.code === 'NO_ENDPOINTS' ? [found, ...selectorFinding(cluster, service)] : [found];
    }
    case 'no-local-endpoint-internal':
    case 'no-local-endpoint-external': {
      const isInternal = expected.empty === 'no-local-endpoint-internal';
      const field = isInternal ? 'internalTrafficPolicy' : 'externalTrafficPolicy';
      const elsewhere = all
        .filter(({ ready }) => ready)
        .map((one) => `${backendText(one)} on ${one.node ?? 'no node'}`);
      return [
        {
          code: isInternal ? 'INTERNAL_POLICY_LOCAL_NO_ENDPOINT' : 'EXTERNAL_POLICY_LOCAL_NO_ENDPOINT',
          subject: placeOfService(service),
          evidence: [
            object(service, `Service/${nameOf(service)}:spec.${field}`, 'Local'),
            object(service, sliceLocator(service, all), `ready: ${listed(elsewhere)}`),
          ],
          details: { node: asker.node },
        },
      ];
    }
    case 'source-range':
      return [
        {
          code: 'SOURCE_RANGE_DENIED',
          subject: placeOfService(service),
          evidence: [
            object(
              service,
              `Service/${nameOf(service)}:spec.loadBalancerSourceRanges`,
              service.sourceRanges.map(formatCidr).join(', '),
            ),
          ],
          details: { source: asker.ip === undefined ? asker.kind : formatIp(asker.ip) },
        },
      ];
  }
}

/** Why nothing can be chosen: the first cause on the way from the selector to the ready endpoint. */
function noEndpoints(cluster: ClusterIndex, entry: ServiceEntry, all: readonly ProxyEndpoint[]): Finding {
  const { service } = entry;
  const slices = cluster.slices(service).filter(({ ignoredByKubeProxy }) => !ignoredByKubeProxy);
  const listedEndpoints = slices.flatMap(({ endpoints }) => endpoints);
  if (all.length > 0) return notReady(cluster, entry, all);
  if (listedEndpoints.length > 0) return portOrFamily(cluster, entry, slices);
  return noneListed(cluster, entry);
}

function notReady(cluster: ClusterIndex, { service }: ServiceEntry, all: readonly ProxyEndpoint[]): Finding {
  const states = all.map((endpoint) => `${backendText(endpoint)} (${stateOf(cluster, endpoint)})`);
  const pods = all.flatMap(({ pod }) => (pod === undefined ? [] : [`${pod.namespace}/${pod.name}`]));
  return {
    code: 'NO_READY_ENDPOINTS',
    subject: placeOfService(service),
    evidence: [object(service, sliceLocator(service, all), listed(states))],
    details: { pods: pods.length === 0 ? `the endpoints of ${nameOf(service)}` : `pods ${listed(pods)}` },
  };
}

function stateOf(cluster: ClusterIndex, { pod, terminating }: ProxyEndpoint): string {
  if (terminating) return 'terminating';
  const object = pod === undefined ? undefined : cluster.pods.get(`${pod.namespace}/${pod.name}`);
  return `not ready${object?.notReadyReason === undefined ? '' : `: ${object.notReadyReason}`}`;
}

/** Endpoints are listed, and none of them has this port, this protocol or this family. */
function portOrFamily(cluster: ClusterIndex, entry: ServiceEntry, slices: readonly SliceObject[]): Finding {
  const { service, port } = entry;
  const subject = placeOfService(service);
  const samePort = slices.filter(({ ports }) => ports.some((one) => (one.name ?? '') === (port.name ?? '')));
  const sameProtocol = samePort.filter(({ ports }) => ports.some((one) => one.protocol === port.protocol));
  if (sameProtocol.length > 0) {
    const families = new Set(
      sameProtocol.flatMap(({ endpoints }) => endpoints.flatMap(({ addresses }) => addresses)).map(familyOf),
    );
    return {
      code: 'FAMILY_MISMATCH',
      subject,
      evidence: [
        object(
          service,
          `EndpointSlice/${sameProtocol[0]?.namespace ?? ''}/${sameProtocol[0]?.name ?? ''}:addressType`,
          `endpoints of IPv${[...families].join(', IPv')} only; asked for IPv${familyOf(entry.ip)}`,
        ),
      ],
    };
  }
  const declared = declaredPorts(cluster, service);
  const target: Evidence = object(
    service,
    `Service/${nameOf(service)}:spec.ports`,
    `port ${port.port}/${port.protocol} -> targetPort ${port.targetPort}`,
  );
  const pods = object(
    service,
    `Pod/${service.namespace}:spec.containers.ports`,
    `the pods declare ${listed(declared)}`,
  );
  if (samePort.length > 0)
    return {
      code: 'PROTOCOL_MISMATCH',
      subject,
      evidence: [
        target,
        object(
          service,
          `EndpointSlice/${samePort[0]?.namespace ?? ''}/${samePort[0]?.name ?? ''}:ports`,
          listed(samePort.flatMap(({ ports }) => ports.map((one) => `${one.port ?? '?'}/${one.protocol}`))),
        ),
      ],
      details: {
        port: port.port,
        actual: samePort[0]?.ports[0]?.protocol ?? '',
        protocol: port.protocol,
      },
    };
  if (typeof port.targetPort === 'string')
    return {
      code: 'NAMED_PORT_UNRESOLVED',
      subject,
      evidence: [target, pods],
      details: { port: `${port.targetPort} (${port.protocol})` },
    };
  return {
    code: 'TARGET_PORT_MISMATCH',
    subject,
    evidence: [
      target,
      object(
        service,
        sliceLocator(service, []),
        `its endpoint slices list other ports: ${listed(slices.flatMap(({ ports }) => ports.map((one) => `${one.name ?? ''}:${one.port ?? '?'}/${one.protocol}`)))}`,
      ),
    ],
    details: { port: port.targetPort },
  };
}

/** No slice lists an endpoint. */
function noneListed(cluster: ClusterIndex, { service }: ServiceEntry): Finding {
  const subject = placeOfService(service);
  const selector = selectorText(service);
  const slices = object(service, sliceLocator(service, []), 'no endpoint slice of the service lists an endpoint');
  if (selector === '')
    return {
      code: 'NO_ENDPOINTS',
      subject,
      evidence: [slices],
      details: { selector: 'it has no selector, so its EndpointSlices are written by somebody else' },
      remedy: 'It has no selector: write an EndpointSlice with the addresses that it stands for.',
    };
  const selected = cluster.podsSelectedBy(service);
  const spec = object(service, `Service/${nameOf(service)}:spec.selector`, selector);
  if (selected.length === 0)
    return {
      code: 'NO_ENDPOINTS',
      subject,
      evidence: [slices, spec],
      details: { selector },
      remedy: `Its selector matches no pod: correct it, or start pods in namespace ${service.namespace} with the labels ${selector}.`,
    };
  const states = selected.map((pod) => `${pod.name}: ${whyNoEndpoint(pod)}`);
  return {
    code: 'NO_ENDPOINTS',
    subject,
    evidence: [slices, object(service, `Pod/${service.namespace}:status`, listed(states))],
    details: { selector },
    remedy: `Its selector matches pods that give no endpoint (${listed(states)}): get them running.`,
  };
}

/** A selector that no pod of the namespace has the labels for, with those that come near. */
function selectorFinding(cluster: ClusterIndex, service: ServiceObject): Finding[] {
  const selector = selectorText(service);
  if (selector === '' || cluster.podsSelectedBy(service).length > 0) return [];
  const spec = object(service, `Service/${nameOf(service)}:spec.selector`, selector);
  return [
    {
      code: 'SELECTOR_MATCHES_NOTHING',
      subject: placeOfService(service),
      evidence: [spec, ...nearMisses(cluster, service)],
      details: { selector },
    },
  ];
}

/** What the endpoint slice controller asks (ShouldPodBeInEndpoints of staging/src/k8s.io/endpointslice/util). */
function whyNoEndpoint(pod: PodObject): string {
  if (!isAlive(pod)) return `it is over (${pod.phase})`;
  if (pod.ips.length === 0) return pod.node === undefined ? 'it is not scheduled' : 'it has no address';
  return 'it has an address, and the endpoint slice controller has not listed it';
}

/** Pods that all labels but one would select: mostly a spelling mistake. */
function nearMisses(cluster: ClusterIndex, service: ServiceObject): Evidence[] {
  const wanted = Object.entries(service.selector);
  const misses = cluster.podsIn(service.namespace).flatMap((pod) => {
    const wrong = wanted.filter(([key, value]) => pod.labels[key] !== value);
    const [first] = wrong;
    if (first === undefined || wrong.length !== 1 || (wanted.length === 1 && pod.labels[first[0]] === undefined))
      return [];
    return [`pod ${pod.name} has ${first[0]}=${pod.labels[first[0]] ?? '(none)'}`];
  });
  if (misses.length === 0) return [];
  return [object(service, `Pod/${service.namespace}:metadata.labels`, `near: ${listed(misses)}`)];
}

/** Kinds of service that have no address to send to, and balancers that have not got one. */
export function typeFindings(service: ServiceObject): Finding[] {
  const subject = placeOfService(service);
  const spec = (field: string, text: string): Evidence => object(service, `Service/${nameOf(service)}:${field}`, text);
  const findings: Finding[] = [];
  const why = notProxied(service);
  if (why === 'external-name') {
    const name = service.externalName ?? 'no name';
    findings.push({
      code: 'EXTERNAL_NAME_SERVICE',
      subject,
      evidence: [spec('spec.externalName', name)],
      details: { name },
    });
  }
  if (why === 'headless')
    findings.push({ code: 'HEADLESS_SERVICE', subject, evidence: [spec('spec.clusterIP', 'None')] });
  const { type, ingressIps, proxyIngressIps, ingressHostnames } = service;
  if (type === 'LoadBalancer' && ingressIps.length + proxyIngressIps.length + ingressHostnames.length === 0)
    findings.push({
      code: 'LOAD_BALANCER_PENDING',
      subject,
      evidence: [spec('status.loadBalancer.ingress', 'empty')],
      remedy:
        'Look at the events of the service: its cloud controller or load balancer controller has given no address.',
    });
  return findings;
}

function affinityFinding(service: ServiceObject): Finding[] {
  const { affinitySeconds } = service;
  if (affinitySeconds === undefined) return [];
  return [
    {
      code: 'SESSION_AFFINITY',
      subject: placeOfService(service),
      evidence: [
        object(service, `Service/${nameOf(service)}:spec.sessionAffinity`, `ClientIP, ${affinitySeconds} seconds`),
      ],
    },
  ];
}

/** Endpoints that stand for a pod which is gone, is over, or has another address. Without pods in the snapshot nothing can be said. */
function withoutPod(
  cluster: ClusterIndex,
  { service }: ServicePortRef,
  endpoints: readonly ProxyEndpoint[],
): Finding[] {
  if (cluster.pods.size === 0) return [];
  return endpoints.flatMap((endpoint): Finding[] => {
    const { pod: ref, ip, slice } = endpoint;
    if (ref === undefined) return [];
    const pod = cluster.pods.get(`${ref.namespace}/${ref.name}`);
    const problem = podProblem(pod, ip);
    if (problem === undefined) return [];
    return [
      {
        code: 'ENDPOINT_WITHOUT_POD',
        subject: placeOfService(service),
        evidence: [
          object(
            service,
            `EndpointSlice/${slice}:endpoints`,
            `${backendText(endpoint)} stands for pod ${ref.namespace}/${ref.name}, which ${problem}`,
          ),
        ],
        details: { backend: backendText(endpoint) },
        remedy: 'The endpoint slice is out of date: look at the logs of kube-controller-manager.',
      },
    ];
  });
}

function podProblem(pod: PodObject | undefined, ip: Ip): string | undefined {
  if (pod === undefined) return 'is not there';
  if (!isAlive(pod)) return `is over (${pod.phase})`;
  return pod.ips.includes(ip) ? undefined : `has ${pod.ips.map(formatIp).join(', ') || 'no address'}`;
}

/** Asked for an address of a service, and no port of it is meant; or for a node port that nobody has. */
export function portFinding(cluster: ClusterIndex, dst: Ip, dport: number, protocol: string): Finding | undefined {
  const services = cluster.servicesAt(dst);
  const [service] = services;
  if (service === undefined) {
    const node = cluster.nodeAt(dst);
    if (node !== undefined) return closedNodePort(cluster, node.name, dport, protocol);
    return unknownService(cluster, dst);
  }
  const all = services.flatMap((one) => one.ports);
  const other = all.find(({ port }) => port === dport);
  const ports = all.map((one) => `${one.port}/${one.protocol}`).join(', ');
  const evidence = [object(service, `Service/${nameOf(service)}:spec.ports`, ports || 'none')];
  if (other === undefined)
    return {
      code: 'SERVICE_PORT_UNDEFINED',
      subject: placeOfService(service),
      evidence,
      details: { protocol, port: dport, ports: ports || 'no port' },
    };
  if (other.protocol === protocol) return undefined;
  return {
    code: 'PROTOCOL_MISMATCH',
    subject: placeOfService(service),
    evidence,
    details: { protocol, port: dport, actual: other.protocol },
  };
}

/** Only a port of the usual range that nobody has is a closed node port; others belong to processes of the node. */
function closedNodePort(cluster: ClusterIndex, node: string, dport: number, protocol: string): Finding | undefined {
  if (dport < 30000 || dport > 32767 || cluster.servicesAtNodePort(dport, protocol).length > 0) return undefined;
  const other = protocol === 'TCP' ? 'UDP' : 'TCP';
  const [owner] = cluster.servicesAtNodePort(dport, other);
  const text =
    owner === undefined ? 'no service of the snapshot has it' : `${nameOf(owner.service)} has it for ${other}`;
  return {
    code: 'NODE_PORT_CLOSED',
    subject: { kind: 'node', name: node },
    evidence: [
      { kind: 'object', at: { kind: 'node', name: node }, locator: `Service:spec.ports.nodePort/${dport}`, text },
    ],
    details: { port: `${dport}/${protocol}` },
  };
}

function unknownService(cluster: ClusterIndex, dst: Ip): Finding | undefined {
  if (!cluster.isServiceAddress(dst)) return undefined;
  const destination = formatIp(dst);
  const at = { kind: 'service', name: destination };
  const text = `in the service network ${cluster.serviceCidrs.map(formatCidr).join(', ')}, and no service has it`;
  return {
    code: 'SERVICE_NOT_FOUND',
    subject: at,
    evidence: [{ kind: 'object', at, locator: 'Service:spec.clusterIPs', text }],
    details: { destination },
  };
}

/** Nothing listens at a backend: what the service says and what the pod declares, side by side. */
export function targetPortFinding(
  cluster: ClusterIndex,
  entry: ServiceEntry,
  backend: { readonly ip: Ip; readonly port: number },
): Finding {
  const { service, port } = entry;
  const pods = cluster.podsAt(backend.ip);
  const declared = pods.flatMap((pod) =>
    pod.ports.map((one) => `${pod.name}: ${one.name ?? ''} ${one.port}/${one.protocol}`),
  );
  return {
    code: 'TARGET_PORT_MISMATCH',
    subject: placeOfService(service),
    evidence: [
      object(
        service,
        `Service/${nameOf(service)}:spec.ports`,
        `port ${port.port}/${port.protocol} -> targetPort ${port.targetPort}`,
      ),
      ...(declared.length === 0
        ? []
        : [object(service, `Pod/${service.namespace}:spec.containers.ports`, listed(declared))]),
    ],
    details: { port: backend.port },
  };
}

function declaredPorts(cluster: ClusterIndex, service: ServiceObject): string[] {
  return [
    ...new Set(
      cluster
        .podsSelectedBy(service)
        .flatMap(({ ports }) => ports.map(({ name, port, protocol }) => `${name ?? '(no name)'} ${port}/${protocol}`)),
    ),
  ];
}

function selectorText({ selector }: ServiceObject): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function listed(items: readonly string[]): string {
  if (items.length === 0) return 'none';
  const rest = items.length - SHOWN;
  return `${items.slice(0, SHOWN).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function nameOf({ namespace, name }: ServiceObject): string {
  return `${namespace}/${name}`;
}

function sliceLocator(service: ServiceObject, endpoints: readonly ProxyEndpoint[]): string {
  return `EndpointSlice/${endpoints[0]?.slice ?? nameOf(service)}:endpoints`;
}

function object(service: ServiceObject, locator: string, text: string): Evidence {
  return { kind: 'object', at: placeOfService(service), locator, text };
}
