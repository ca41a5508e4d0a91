import { z } from 'zod';
import { CidrText, condition, IpText } from './text.js';

/** A machine of the cloud. */
export const Instance = z
  .strictObject({
    id: z.string(),
    region: z.string(),
    zone: z.string().optional(),
    networkId: z.string().optional(),
    subnetId: z.string().optional(),
    ...condition,
    addresses: z.array(IpText).readonly(),
    /** Public addresses that belong to the machine itself and to no record of their own. */
    publicIps: z.array(IpText).readonly(),
    securityGroupIds: z.array(z.string()).readonly(),
  })
  .readonly();
export type Instance = z.infer<typeof Instance>;

/** A network interface: what packets really come out of, with the subnet, groups and addresses that count for them. */
export const NetworkInterface = z
  .strictObject({
    id: z.string(),
    instanceId: z.string().optional(),
    /** Of a `member`: the interface that carries it. */
    trunkId: z.string().optional(),
    kind: z.enum(['primary', 'secondary', 'trunk', 'member', 'other']),
    ...condition,
    networkId: z.string(),
    subnetId: z.string(),
    /** `00:16:3e:...`, in lower case. */
    mac: z.string(),
    addresses: z
      .array(z.strictObject({ ip: IpText, primary: z.boolean(), publicIp: IpText.optional() }).readonly())
      .readonly(),
    /** Networks of which every address is the interface's. */
    prefixes: z.array(CidrText).readonly(),
    securityGroupIds: z.array(z.string()).readonly(),
    /** When on, packets are dropped that are neither from nor to an address of the interface. */
    sourceDestCheck: z.boolean(),
  })
  .readonly();
export type NetworkInterface = z.infer<typeof NetworkInterface>;

/** An address that moves between machines; packets to it go to the one that holds it now. */
export const VirtualIp = z
  .strictObject({
    id: z.string(),
    ip: IpText,
    networkId: z.string(),
    subnetId: z.string().optional(),
    ...condition,
    masterInstanceId: z.string().optional(),
  })
  .readonly();
export type VirtualIp = z.infer<typeof VirtualIp>;
