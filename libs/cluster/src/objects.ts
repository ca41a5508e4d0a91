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
  readonly zone?: string;
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
  readonly terminating: boolean;
  readonly labels: Readonly<Record<string, string>>;
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
  readonly headless: boolean;
  readonly ports: readonly ServicePort[];
  readonly selector: Readonly<Record<string, string>>;
  readonly externalTrafficPolicy: string;
  readonly internalTrafficPolicy: string;
}

export interface SliceObject {
  readonly namespace: string;
  readonly name: string;
  readonly service?: string;
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
}

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
const Conditions = z.array(z.looseObject({ type: z.string(), status: z.string() })).nullish();

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

const PodShape = z.looseObject({
  metadata: Meta,
  spec: z.looseObject({ nodeName: z.string().nullish(), hostNetwork: z.boolean().nullish() }).nullish(),
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
          ingress: z.array(z.looseObject({ ip: z.string().nullish(), ipMode: z.string().nullish() })).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const SliceShape = z.looseObject({
  metadata: Meta,
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
    terminating: typeof metadata.deletionTimestamp === 'string',
    labels: metadata.labels ?? {},
    owner: owner === undefined ? undefined : { kind: owner.kind, name: owner.name },
  };
}

export function toService(object: KubernetesObject): ServiceObject | undefined {
  const parsed = ServiceShape.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const clusterIps = spec.clusterIPs ?? (typeof spec.clusterIP === 'string' ? [spec.clusterIP] : []);
  const ingress = (status?.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode !== 'Proxy');
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name,
    type: spec.type ?? 'ClusterIP',
    clusterIps: ips(clusterIps),
    externalIps: ips(spec.externalIPs ?? []),
    ingressIps: ips(ingress.flatMap(({ ip }) => (typeof ip === 'string' ? [ip] : []))),
    headless: clusterIps.includes('None'),
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
    ports: (ports ?? []).map(({ name, port, protocol }) => ({
      name: name ?? undefined,
      port: port ?? undefined,
      protocol: protocol ?? 'TCP',
    })),
    endpoints: (endpoints ?? []).map(({ addresses, conditions, nodeName }) => ({
      addresses: ips(addresses),
      ready: conditions?.ready ?? true,
      serving: conditions?.serving ?? conditions?.ready ?? true,
      terminating: conditions?.terminating ?? false,
      node: nodeName ?? undefined,
    })),
  };
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
