import { z } from 'zod';
import { CidrText, CloudProtocol, Peer, PortMatch } from './text.js';

const Action = z.enum(['allow', 'deny']);

/** A rule of a security group. Which of several rules wins is for the provider's evaluation to say. */
export const SecurityRule = z
  .strictObject({
    id: z.string().optional(),
    direction: z.enum(['ingress', 'egress']),
    action: Action,
    /** Lower goes first; absent where the provider has no order. */
    priority: z.int().optional(),
    protocol: CloudProtocol,
    sourcePorts: PortMatch,
    /** Of the destination. */
    ports: PortMatch,
    source: Peer,
    destination: Peer,
  })
  .readonly();
export type SecurityRule = z.infer<typeof SecurityRule>;

/** A stateful filter of network interfaces. */
export const SecurityGroup = z
  .strictObject({
    id: z.string(),
    networkId: z.string().optional(),
    /** The provider's own word for its kind. */
    type: z.string(),
    /** What happens to a packet that no rule matches. */
    defaults: z.strictObject({ ingress: Action, egress: Action }).readonly(),
    /** Whether interfaces that share the group talk freely. */
    insideGroup: z.enum(['allow', 'rules']),
    rules: z.array(SecurityRule).readonly(),
  })
  .readonly();
export type SecurityGroup = z.infer<typeof SecurityGroup>;

/** An entry of a network ACL: the peer is the source of what comes in, the destination of what goes out. */
export const AclEntry = z
  .strictObject({
    id: z.string().optional(),
    action: Action,
    protocol: CloudProtocol,
    /** Of the destination, in both directions. */
    ports: PortMatch,
    peer: Peer,
  })
  .readonly();
export type AclEntry = z.infer<typeof AclEntry>;

/** A stateless filter of subnets: the first entry that matches decides, in each direction anew. */
export const NetworkAcl = z
  .strictObject({
    id: z.string(),
    networkId: z.string().optional(),
    /** In the order in which they are asked. */
    ingress: z.array(AclEntry).readonly(),
    egress: z.array(AclEntry).readonly(),
    defaultAction: Action,
    /** What passes whatever the entries say. */
    alwaysAllowed: z.array(CidrText).readonly(),
    /** Subnets that it filters; `usable` is false while it is being bound or taken off. */
    subnets: z.array(z.strictObject({ id: z.string(), usable: z.boolean(), state: z.string() }).readonly()).readonly(),
  })
  .readonly();
export type NetworkAcl = z.infer<typeof NetworkAcl>;
