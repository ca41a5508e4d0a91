import { z } from 'zod';
import { CidrText, condition, IpText, PortRange } from './text.js';

/** An address that a load balancer answers on. */
export const LoadBalancerAddress = z
  .strictObject({
    ip: IpText,
    public: z.boolean(),
    zone: z.string().optional(),
    subnetId: z.string().optional(),
    interfaceId: z.string().optional(),
    ...condition,
  })
  .readonly();
export type LoadBalancerAddress = z.infer<typeof LoadBalancerAddress>;

export const Listener = z
  .strictObject({
    id: z.string(),
    protocol: z.enum(['tcp', 'udp', 'tls', 'http', 'https', 'other']),
    ports: PortRange,
    ...condition,
    /** Whom it takes connections from: only these, or all but these. Absent: from everybody. */
    access: z
      .strictObject({
        mode: z.enum(['allow', 'deny']),
        lists: z.array(z.string()).readonly(),
        cidrs: z.array(CidrText).readonly(),
      })
      .readonly()
      .optional(),
    /** Absent: not known. */
    healthCheck: z.boolean().optional(),
    /** Whether backends see the client's address as the source. */
    keepsClientIp: z.boolean(),
    /** Whether a backend may be a client of the same listener. */
    backendMayBeClient: z.boolean(),
    groupId: z.string().optional(),
  })
  .readonly();
export type Listener = z.infer<typeof Listener>;

export const Backend = z
  .strictObject({
    /** The instance, the interface, or the address. */
    id: z.string(),
    kind: z.enum(['instance', 'interface', 'ip', 'other']),
    ip: IpText.optional(),
    /** Absent: the listener's own port, or that of the group's settings. */
    port: z.int().min(0).max(65535).optional(),
    /** 0 gets no new connections. */
    weight: z.int().min(0),
    zone: z.string().optional(),
    ...condition,
  })
  .readonly();
export type Backend = z.infer<typeof Backend>;

export const BackendGroup = z
  .strictObject({
    id: z.string(),
    /** Whether the port of the connection is kept and that of the backend does not count. */
    anyPort: z.boolean(),
    backends: z.array(Backend).readonly(),
  })
  .readonly();
export type BackendGroup = z.infer<typeof BackendGroup>;

export const BackendHealth = z
  .strictObject({
    listenerId: z.string(),
    backendId: z.string(),
    ip: IpText.optional(),
    port: z.int().min(0).max(65535).optional(),
    /** `unknown`: not checked, or not yet. */
    health: z.enum(['normal', 'abnormal', 'unknown']),
    reason: z.string().optional(),
  })
  .readonly();
export type BackendHealth = z.infer<typeof BackendHealth>;

export const LoadBalancer = z
  .strictObject({
    id: z.string(),
    /** The provider's own word for its kind. */
    type: z.string(),
    scheme: z.enum(['internet', 'internal']),
    ...condition,
    dnsName: z.string().optional(),
    networkId: z.string().optional(),
    addresses: z.array(LoadBalancerAddress).readonly(),
    securityGroupIds: z.array(z.string()).readonly(),
    /** Whether an address sends to backends of other zones. */
    crossZone: z.boolean(),
    listeners: z.array(Listener).readonly(),
    groups: z.array(BackendGroup).readonly(),
    health: z.array(BackendHealth).readonly(),
    /** True when `health` names only backends that are not well: who is not in it is. */
    healthListsOnlyTrouble: z.boolean(),
  })
  .readonly();
export type LoadBalancer = z.infer<typeof LoadBalancer>;
