import { z } from 'zod';

/** The kinds of things that a cloud is asked for. */
const CLOUD_RESOURCES = [
  'instances',
  'interfaces',
  'networks',
  'subnets',
  'routeTables',
  'securityGroups',
  'networkAcls',
  'natGateways',
  'internetGateways',
  'publicIps',
  'virtualIps',
  'loadBalancers',
  'lists',
] as const;
export type CloudResource = (typeof CLOUD_RESOURCES)[number];

/** Why something could not be looked up; what the user can do differs for each. */
const UnavailableReason = z.enum([
  'auth',
  'forbidden',
  'throttled',
  'not-found',
  'unavailable',
  'timeout',
  'malformed',
  'bad-request',
]);

/** What could not be looked up: all of a kind, or what the id names (the thing itself, or the network that it is in). */
export const Unavailable = z
  .strictObject({
    resource: z.enum(CLOUD_RESOURCES),
    id: z.string().optional(),
    region: z.string().optional(),
    reason: UnavailableReason,
    /** The call of the provider's API. */
    call: z.string(),
    /** The provider's own error code. */
    code: z.string().optional(),
    requestId: z.string().optional(),
    message: z.string(),
  })
  .readonly();
export type Unavailable = z.infer<typeof Unavailable>;
