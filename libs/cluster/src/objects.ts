import { parseCidr, parseIp, type Cidr, type Ip, type KubernetesObject } from '#libs/model';
import { z } from 'zod';

/** The parts of the API objects that a diagnosis reads. Unknown fields are left alone, missing ones have the API's defaults. */
export interface NodeObject {
  readonly name: string;
  readonly addresses: readonly Ip[];
  readonly internalIps: readonly Ip[];
  readonly podCidrs: readonly Cidr[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  /** What the kubelet or the node controller says, when the node is not ready. */
  readonly notReadyReason?: string;
  readonly zone?: string;
}

export interface ContainerPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
  readonly hostPort?: number;
}

export interface PodObject {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly node?: string;
  readonly hostNetwork: boolean;
  readonly phase: string;
  readonly ips: readonly Ip[];
  readonly ready: boolean;
  /** Reason and message of the condition Ready, when it is not true. */
  readonly notReadyReason?: string;
  readonly terminating: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Declared ports of all its containers: names that a service may ask for, and documentation of what listens. */
  readonly ports: readonly ContainerPort[];
  readonly owner?: { readonly kind: string; readonly name: string };
}

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
  readonly nodePort?: number;
  readonly targetPort: number | string;
}

export interface ServiceObject {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly clusterIps: readonly Ip[];
  readonly externalIps: readonly Ip[];
  /** Load balancer addresses that kube-proxy takes for itself (ipMode VIP or unset). */
  readonly ingressIps: readonly Ip[];
  /** Load balancer addresses that kube-proxy leaves alone: the balancer writes the destination anew (ipMode Proxy, KEP-1860). */
  readonly proxyIngressIps: readonly Ip[];
  /** Load balancers known by a name only. */
  readonly ingressHostnames: readonly string[];
  readonly headless: boolean;
  /** The name that a service of type ExternalName stands for. */
  readonly externalName?: string;
  readonly ports: readonly ServicePort[];
  readonly selector: Readonly<Record<string, string>>;
  readonly externalTrafficPolicy: string;
  readonly internalTrafficPolicy: string;
  readonly sourceRanges: readonly Cidr[];
  /** Session affinity ClientIP with its timeout; undefined when every connection is free. */
  readonly affinitySeconds?: number;
  readonly publishNotReadyAddresses: boolean;
  readonly trafficDistribution?: string;
  /** Label service.kubernetes.io/service-proxy-name: somebody else than kube-proxy serves it. */
  readonly proxyName?: string;
}

export interface SliceObject {
  readonly namespace: string;
  readonly name: string;
  readonly service?: string;
  /** IPv4, IPv6 or FQDN; kube-proxy of a family reads the slices of that family only. */
  readonly addressType?: string;
  /** Labels headless or service-proxy-name: kube-proxy does not even list it. */
  readonly ignoredByKubeProxy: boolean;
  readonly ports: readonly { readonly name?: string; readonly port?: number; readonly protocol: string }[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  readonly addresses: readonly Ip[];
  /** An endpoint without the condition counts as ready (EndpointConditions). */
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly node?: string;
  readonly zone?: string;
  /** Topology hints: where the endpoint wants its traffic from. Empty when it has none. */
  readonly forZones: readonly string[];
  readonly forNodes: readonly string[];
  /** The pod that it stands for; undefined in slices that people write. */
  readonly pod?: { readonly namespace: string; readonly name: string };
}

const PROXY_NAME = 'service.kubernetes.io/service-proxy-name';
const HEADLESS = 'service.kubernetes.io/headless';

const Strings = z.record(z.string(), z.string()).nullish();
const Meta = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  labels: Strings,
  annotations: Strings,
  deletionTimestamp: z.string().nullish(),
  ownerReferences: z
    .array(z.looseObject({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
    .nullish(),
});
const Conditions = z
  .array(
    z.looseObject({
      type: z.string(),
      status: z.string(),
      reason: z.string().nullish(),
      message: z.string().nullish(),
    }),
  )
  .nullish();

const NodeShape = z.looseObject({
  metadata: Meta,
  spec: z.looseObject({ podCIDR: z.string().nullish(), podCIDRs: z.array(z.string()).nullish() }).nullish(),
  status: z
    .looseObject({
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).nullish(),
      conditions: Conditions,
    })
    .nullish(),
});

const Container = z.looseObject({
  restartPolicy: z.string().nullish(),
  ports: z
    .array(
      z.looseObject({
        name: z.string().nullish(),
        containerPort: z.number(),
        protocol: z.string().nullish(),
        hostPort: z.number().nullish(),
      }),
    )
    .nullish(),
});

const PodShape = z.looseObject({
  metadata: Meta,
  spec: z
    .looseObject({
      nodeName: z.string().nullish(),
      hostNetwork: z.boolean().nullish(),
      containers: z.array(Container).nullish(),
      initContainers: z.array(Container).nullish(),
    })
    .nullish(),
  status: z
    .looseObject({
      phase: z.string().nullish(),
      podIP: z.string().nullish(),
      podIPs: z.array(z.looseObject({ ip: z.string() })).nullish(),
      conditions: Conditions,
    })
    .nullish(),
});

const ServiceShape = z.looseObject({
  metadata: Meta,
  spec: z.looseObject({
    type: z.string().nullish(),
    clusterIP: z.string().nullish(),
    clusterIPs: z.array(z.string()).nullish(),
    externalIPs: z.array(z.string()).nullish(),
    selector: Strings,
    externalName: z.string().nullish(),
    loadBalancerSourceRanges: z.array(z.string()).nullish(),
    sessionAffinity: z.string().nullish(),
    sessionAffinityConfig: z
      .looseObject({ clientIP: z.looseObject({ timeoutSeconds: z.number().nullish() }).nullish() })
      .nullish(),
    publishNotReadyAddresses: z.boolean().nullish(),
    trafficDistribution: z.string().nullish(),
    externalTrafficPolicy: z.string().nullish(),
    internalTrafficPolicy: z.string().nullish(),
    ports: z
      .array(
        z.looseObject({
          name: z.string().nullish(),
          port: z.number(),
          protocol: z.string().nullish(),
          nodePort: z.number().nullish(),
          targetPort: z.union([z.number(), z.string()]).nullish(),
        }),
      )
      .nullish(),
  }),
  status: z
    .looseObject({
      loadBalancer: z
        .looseObject({
          ingress: z
            .array(
              z.looseObject({
                ip: z.string().nullish(),
                hostname: z.string().nullish(),
                ipMode: z.string().nullish(),
              }),
            )
            .nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const Hints = z.array(z.looseObject({ name: z.string() })).nullish();

const SliceShape = z.looseObject({
  metadata: Meta,
  addressType: z.string().nullish(),
  ports: z
    .array(z.looseObject({ name: z.string().nullish(), port: z.number().nullish(), protocol: z.string().nullish() }))
    .nullish(),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: z
          .looseObject({
            ready: z.boolean().nullish(),
            serving: z.boolean().nullish(),
            terminating: z.boolean().nullish(),
          })
          .nullish(),
        nodeName: z.string().nullish(),
        zone: z.string().nullish(),
        hints: z.looseObject({ forZones: Hints, forNodes: Hints }).nullish(),
        targetRef: z
          .looseObject({ kind: z.string().nullish(), namespace: z.string().nullish(), name: z.string().nullish() })
          .nullish(),
      }),
    )
    .nullish(),
});

const ConfigMapShape = z.looseObject({ metadata: Meta, data: Strings });

export function toNode(object: KubernetesObject): NodeObject | undefined {
  const parsed = NodeShape.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const addresses = status?.addresses ?? [];
  return {
    name: metadata.name,
    addresses: ips(addresses.map(({ address }) => address)),
    internalIps: ips(addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address)),
    podCidrs: cidrs(spec?.podCIDRs ?? (typeof spec?.podCIDR === 'string' ? [spec.podCIDR] : [])),
    annotations: metadata.annotations ?? {},
    labels: metadata.labels ?? {},
    ready: isTrue(status?.conditions, 'Ready', true),
    notReadyReason: reasonOf(status?.conditions),
    zone: metadata.labels?.['topology.kubernetes.io/zone'],
  };
}

export function toPod(object: KubernetesObject): PodObject | undefined {
  const parsed = PodShape.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  const addresses = status?.podIPs?.map(({ ip }) => ip) ?? (typeof status?.podIP === 'string' ? [status.podIP] : []);
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name,
    uid: metadata.uid,
    node: spec?.nodeName ?? undefined,
    hostNetwork: spec?.hostNetwork ?? false,
    phase: status?.phase ?? 'Unknown',
    ips: ips(addresses),
    ready: isTrue(status?.conditions, 'Ready', false),
    notReadyReason: reasonOf(status?.conditions),
    terminating: typeof metadata.deletionTimestamp === 'string',
    labels: metadata.labels ?? {},
    ports: containerPorts(spec?.containers, spec?.initContainers),
    owner: owner === undefined ? undefined : { kind: owner.kind, name: owner.name },
  };
}

export function toService(object: KubernetesObject): ServiceObject | undefined {
  const parsed = ServiceShape.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const clusterIps = spec.clusterIPs ?? (typeof spec.clusterIP === 'string' ? [spec.clusterIP] : []);
  const ingress = status?.loadBalancer?.ingress ?? [];
  const ingressIps = (mode: boolean): Ip[] =>
    ips(ingress.flatMap(({ ip, ipMode }) => (typeof ip === 'string' && (ipMode === 'Proxy') === mode ? [ip] : [])));
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name,
    type: spec.type ?? 'ClusterIP',
    clusterIps: ips(clusterIps),
    externalIps: ips(spec.externalIPs ?? []),
    ingressIps: ingressIps(false),
    proxyIngressIps: ingressIps(true),
    ingressHostnames: ingress.flatMap(({ hostname }) => hostname ?? []),
    headless: clusterIps.includes('None'),
    externalName: spec.externalName ?? undefined,
    ports: (spec.ports ?? []).map((port) => ({
      name: port.name ?? undefined,
      port: port.port,
      protocol: port.protocol ?? 'TCP',
      nodePort: port.nodePort ?? undefined,
      targetPort: port.targetPort ?? port.port,
    })),
    selector: spec.selector ?? {},
    externalTrafficPolicy: spec.externalTrafficPolicy ?? 'Cluster',
    internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster',
    sourceRanges: cidrs((spec.loadBalancerSourceRanges ?? []).map((text) => text.trim())),
    // The API server writes the default of three hours into the object; older ones may lack it.
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) : undefined,
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
    trafficDistribution: spec.trafficDistribution ?? undefined,
    proxyName: metadata.labels?.[PROXY_NAME],
  };
}

export function toSlice(object: KubernetesObject): SliceObject | undefined {
  const parsed = SliceShape.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, ports, endpoints } = parsed.data;
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name,
    service: metadata.labels?.['kubernetes.io/service-name'],
    addressType: parsed.data.addressType ?? undefined,
    ignoredByKubeProxy: metadata.labels?.[HEADLESS] !== undefined || metadata.labels?.[PROXY_NAME] !== undefined,
    ports: (ports ?? []).map(({ name, port, protocol }) => ({
      name: name ?? undefined,
      port: port ?? undefined,
      protocol: protocol ?? 'TCP',
    })),
    endpoints: (endpoints ?? []).map(({ addresses, conditions, nodeName, zone, hints, targetRef }) => ({
      addresses: ips(addresses),
      // Absent conditions are read as kube-proxy reads them (pkg/proxy/endpointslicecache.go): ready, serving, not terminating.
      ready: conditions?.ready ?? true,
      serving: conditions?.serving ?? true,
      terminating: conditions?.terminating ?? false,
      node: nodeName ?? undefined,
      zone: zone ?? undefined,
      forZones: (hints?.forZones ?? []).map(({ name }) => name),
      forNodes: (hints?.forNodes ?? []).map(({ name }) => name),
      pod:
        targetRef?.kind === 'Pod' && typeof targetRef.name === 'string'
          ? { namespace: targetRef.namespace ?? metadata.namespace ?? 'default', name: targetRef.name }
          : undefined,
    })),
  };
}

/** Ports of containers and of sidecars (init containers that are restarted, KEP-753), as pod.FindPort() in k8s.io/kubernetes/pkg/api/v1 looks. */
function containerPorts(
  containers: readonly z.output<typeof Container>[] | null | undefined,
  inits: readonly z.output<typeof Container>[] | null | undefined,
): ContainerPort[] {
  const sidecars = (inits ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...(containers ?? []), ...sidecars].flatMap(({ ports }) =>
    (ports ?? []).map(({ name, containerPort, protocol, hostPort }) => ({
      name: name ?? undefined,
      port: containerPort,
      protocol: protocol ?? 'TCP',
      hostPort: hostPort ?? undefined,
    })),
  );
}

function reasonOf(
  conditions:
    readonly { type: string; status: string; reason?: string | null; message?: string | null }[] | null | undefined,
): string | undefined {
  const ready = conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.status === 'True') return undefined;
  const said = [ready.reason, ready.message].filter((text) => typeof text === 'string' && text !== '').join(': ');
  return said === '' ? `its condition Ready is ${ready.status}` : said;
}

export function configMapData(object: KubernetesObject): Readonly<Record<string, string>> {
  const parsed = ConfigMapShape.safeParse(object);
  return parsed.success ? (parsed.data.data ?? {}) : {};
}

function ips(texts: readonly string[]): Ip[] {
  return texts.flatMap((text): Ip[] => {
    const ip = parseIp(text);
    return ip === undefined ? [] : [ip];
  });
}

function cidrs(texts: readonly string[]): Cidr[] {
  return texts.flatMap((text) => parseCidr(text) ?? []);
}

function isTrue(
  conditions: readonly { type: string; status: string }[] | null | undefined,
  type: string,
  absent: boolean,
): boolean {
  const found = conditions?.find((condition) => condition.type === type);
  return found === undefined ? absent : found.status === 'True';
}
