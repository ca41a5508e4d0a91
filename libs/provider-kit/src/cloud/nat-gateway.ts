import { z } from 'zod';
import { CidrText, CloudProtocol, condition, IpText, PortRange } from './text.js';

/** Whose packets get which public addresses on their way out. */
export const SnatEntry = z
  .strictObject({
    id: z.string(),
    ...condition,
    match: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('network'), cidr: CidrText }).readonly(),
      z.strictObject({ kind: z.literal('subnet'), id: z.string() }).readonly(),
      z.strictObject({ kind: z.literal('interface'), id: z.string() }).readonly(),
    ]),
    addresses: z.array(IpText).readonly(),
  })
  .readonly();
export type SnatEntry = z.infer<typeof SnatEntry>;

/** To whom packets to a public address go. Without ports: every port, as it is. */
export const DnatEntry = z
  .strictObject({
    id: z.string(),
    ...condition,
    protocol: CloudProtocol,
    externalIp: IpText,
    externalPorts: PortRange.optional(),
    internalIp: IpText,
    internalPorts: PortRange.optional(),
  })
  .readonly();
export type DnatEntry = z.infer<typeof DnatEntry>;

export const NatGateway = z
  .strictObject({
    id: z.string(),
    networkId: z.string(),
    subnetId: z.string().optional(),
    /** Whether it leads to the internet, or only to other private networks. */
    public: z.boolean(),
    ...condition,
    addresses: z.array(IpText).readonly(),
    snat: z.array(SnatEntry).readonly(),
    dnat: z.array(DnatEntry).readonly(),
  })
  .readonly();
export type NatGateway = z.infer<typeof NatGateway>;
