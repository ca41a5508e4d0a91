import { z } from 'zod';
import { CidrText, condition, IpText } from './text.js';

/** A private network (VPC). */
export const CloudNetwork = z
  .strictObject({
    id: z.string(),
    cidrs: z.array(CidrText).readonly(),
    /** Prefixes outside the network that count as private and are routed, not sent to the internet. */
    privateCidrs: z.array(CidrText).readonly(),
  })
  .readonly();
export type CloudNetwork = z.infer<typeof CloudNetwork>;

export const Subnet = z
  .strictObject({
    id: z.string(),
    networkId: z.string(),
    zone: z.string(),
    cidrs: z.array(CidrText).readonly(),
    routeTableId: z.string(),
    networkAclId: z.string().optional(),
  })
  .readonly();
export type Subnet = z.infer<typeof Subnet>;

/** Where a route leads. `other`: a kind that no evaluation knows; `type` is the provider's own word for it. */
export const NextHop = z
  .strictObject({
    kind: z.enum([
      'local',
      'service',
      'instance',
      'interface',
      'virtual-ip',
      'nat-gateway',
      'internet-gateway',
      'ipv6-gateway',
      'vpn-gateway',
      'peering',
      'transit',
      'endpoint',
      'other',
    ]),
    type: z.string(),
    id: z.string().optional(),
    /** Shares of equal ways; absent where the provider has none. */
    weight: z.number().optional(),
    enabled: z.boolean(),
  })
  .readonly();
export type NextHop = z.infer<typeof NextHop>;

export const CloudRoute = z
  .strictObject({
    id: z.string().optional(),
    destination: CidrText,
    ...condition,
    origin: z.enum(['system', 'custom', 'propagated']),
    /** Several are equal ways. */
    nextHops: z.array(NextHop).readonly(),
  })
  .readonly();
export type CloudRoute = z.infer<typeof CloudRoute>;

export const RouteTable = z
  .strictObject({
    id: z.string(),
    networkId: z.string().optional(),
    /** `gateway`: for packets that a gateway brings in, of no subnet. */
    kind: z.enum(['main', 'custom', 'gateway']),
    routes: z.array(CloudRoute).readonly(),
  })
  .readonly();
export type RouteTable = z.infer<typeof RouteTable>;

/** The door of a network to the internet, for addresses that are public themselves. */
export const InternetGateway = z
  .strictObject({
    id: z.string(),
    networkId: z.string(),
    enabled: z.boolean(),
    /** The table for what comes in. */
    routeTableId: z.string().optional(),
  })
  .readonly();
export type InternetGateway = z.infer<typeof InternetGateway>;

/** A public address with a record of its own. */
export const PublicIp = z
  .strictObject({
    id: z.string(),
    ip: IpText,
    ...condition,
    owner: z
      .strictObject({
        kind: z.enum(['instance', 'interface', 'nat-gateway', 'load-balancer', 'virtual-ip', 'other']),
        id: z.string(),
        privateIp: IpText.optional(),
      })
      .readonly()
      .optional(),
  })
  .readonly();
export type PublicIp = z.infer<typeof PublicIp>;
