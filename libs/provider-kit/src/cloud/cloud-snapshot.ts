import { z } from 'zod';
import { HopscopeError } from '#libs/model';
import { NetworkAcl, SecurityGroup } from './filter.js';
import { Instance, NetworkInterface, VirtualIp } from './instance.js';
import { LoadBalancer } from './load-balancer.js';
import { NatGateway } from './nat-gateway.js';
import { CloudNetwork, InternetGateway, PublicIp, RouteTable, Subnet } from './network.js';
import { Unavailable } from './unavailable.js';

/**
 * What a look at a cluster's cloud found: `cloud.json` of a snapshot. In words of no provider in particular; where the provider's own
 * word helps the reader it stands beside, as text. A thing that is not in a list does not exist, unless `unavailable` says that it could
 * not be looked up.
 */
export const CloudSnapshot = z
  .strictObject({
    v: z.literal(1),
    /** The provider that looked. */
    provider: z.string(),
    /** RFC 3339, UTC. */
    takenAt: z.string(),
    /** Which machine a node is; without `instanceId` it is none of this cloud. */
    nodes: z.array(z.strictObject({ name: z.string(), instanceId: z.string().optional() }).readonly()).readonly(),
    /** Which load balancers belong to a service; none when it names one that does not exist. */
    services: z
      .array(
        z
          .strictObject({ namespace: z.string(), name: z.string(), loadBalancerIds: z.array(z.string()).readonly() })
          .readonly(),
      )
      .readonly(),
    instances: z.array(Instance).readonly(),
    interfaces: z.array(NetworkInterface).readonly(),
    networks: z.array(CloudNetwork).readonly(),
    subnets: z.array(Subnet).readonly(),
    routeTables: z.array(RouteTable).readonly(),
    securityGroups: z.array(SecurityGroup).readonly(),
    networkAcls: z.array(NetworkAcl).readonly(),
    natGateways: z.array(NatGateway).readonly(),
    internetGateways: z.array(InternetGateway).readonly(),
    publicIps: z.array(PublicIp).readonly(),
    virtualIps: z.array(VirtualIp).readonly(),
    loadBalancers: z.array(LoadBalancer).readonly(),
    unavailable: z.array(Unavailable).readonly(),
  })
  .readonly();
export type CloudSnapshot = z.infer<typeof CloudSnapshot>;

/** Reads cloud.json, all problems at once. `from` names the file in the error. */
export function parseCloudSnapshot(value: unknown, from = 'cloud.json'): CloudSnapshot {
  const parsed = CloudSnapshot.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, code, message }) => ({
    path: `/${path.map(String).join('/')}`,
    code,
    message,
  }));
  throw new HopscopeError(
    'INVALID_SNAPSHOT',
    `${from} is not what a look at a cloud writes; record the snapshot anew.`,
    {
      problems,
    },
  );
}
