import { z } from 'zod';
import { parseCidr, parseIp } from '#libs/model';

/** An address of either family, as text. */
export const IpText = z.string().refine((text) => parseIp(text) !== undefined, 'is not an IP address');

/** A prefix of either family, as text. */
export const CidrText = z.string().refine((text) => parseCidr(text) !== undefined, 'is not a prefix');

const Port = z.int().min(0).max(65535);

export const PortRange = z
  .strictObject({ from: Port, to: Port })
  .refine(({ from, to }) => from <= to, 'ends before it begins')
  .readonly();
export type PortRange = z.infer<typeof PortRange>;

/** Whether a thing does its work, and the provider's own word for its state, which is shown. */
export const condition = { usable: z.boolean(), state: z.string() };

/** A transport protocol, every protocol, or an IANA number. */
export const CloudProtocol = z.union([z.enum(['all', 'tcp', 'udp', 'icmp', 'icmpv6', 'gre']), z.int().min(0).max(255)]);
export type CloudProtocol = z.infer<typeof CloudProtocol>;

/** Ports of a rule. `unknown`: a named list that could not be read. */
export const PortMatch = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('any') }).readonly(),
  z
    .strictObject({ kind: z.literal('ranges'), ranges: z.array(PortRange).readonly(), list: z.string().optional() })
    .readonly(),
  z.strictObject({ kind: z.literal('unknown'), list: z.string() }).readonly(),
]);
export type PortMatch = z.infer<typeof PortMatch>;

/** One end of the packets that a rule is for. `unknown`: a named list that could not be read. */
export const Peer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('any') }).readonly(),
  z
    .strictObject({ kind: z.literal('networks'), cidrs: z.array(CidrText).readonly(), list: z.string().optional() })
    .readonly(),
  /** The addresses of the network interfaces that are in a security group. */
  z.strictObject({ kind: z.literal('group'), id: z.string() }).readonly(),
  z.strictObject({ kind: z.literal('unknown'), list: z.string() }).readonly(),
]);
export type Peer = z.infer<typeof Peer>;
