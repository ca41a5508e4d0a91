import type { CloudApi } from './cloud-api.js';
import { CloudCallError } from './cloud-call-error.js';
import { Failures } from './failures.js';
import { gatherClbs } from './gather-clb.js';
import { gatherInstances, gatherNetworkInterfaces, gatherSecurityGroups } from './gather-ecs.js';
import { gatherNlbs } from './gather-nlb.js';
import { gatherVpcs } from './gather-vpc.js';
import type { Gathered, GatheredNlb, LookedUp } from './gathered.js';
import type { LoadBalancerRef } from './load-balancer-refs.js';
import { allByNumber } from './pages.js';
import type { WireInstance, WireNetworkInterface } from './wire/ecs.js';
import { Eips } from './wire/vpc.js';

/** What of one region is looked up. */
export interface GatherScope {
  readonly region: string;
  readonly instanceIds: readonly string[];
  /** VPCs beside those that the instances are in. */
  readonly vpcIds: readonly string[];
  readonly loadBalancers: readonly LoadBalancerRef[];
}

/**
 * Looks up all that a cluster needs of its region, in few calls: lists of whole VPCs in place of one call a node. What fails is kept
 * as a failure, and the rest goes on.
 */
export async function gather(api: CloudApi, scope: GatherScope): Promise<Gathered> {
  const failures = new Failures();
  const clbRefs = scope.loadBalancers.filter((ref) => ref.kind === 'clb');
  const nlbRefs = scope.loadBalancers.filter((ref) => ref.kind === 'nlb');
  const eipCall = { action: 'DescribeEipAddresses', parameters: {}, schema: Eips, pageSize: 100 } as const;
  const [instances, eips, clbs, nlbs] = await Promise.all([
    gatherInstances(api, scope.instanceIds, failures),
    failures.keep('publicIps', undefined, () => allByNumber(api, eipCall), []),
    gatherClbs(api, clbRefs, failures),
    gatherNlbs(api, nlbRefs, failures),
  ]);
  const vpcIds = vpcsOf(scope, instances, nlbs);
  failures.follow('instances', BY_VPC);
  if (vpcIds.length === 0) failures.noneOf(BY_VPC, NO_VPC);
  const [networkInterfaces, vpcPart] = await Promise.all([
    gatherNetworkInterfaces(api, vpcIds, failures),
    gatherVpcs(api, vpcIds, failures),
  ]);
  const groupIds = groupsOf(scope, instances, networkInterfaces, nlbs);
  const groups = await gatherSecurityGroups(api, groupIds, failures);
  return {
    region: scope.region,
    instances,
    networkInterfaces,
    ...groups,
    ...vpcPart,
    eips,
    clbs,
    nlbs,
    failures: failures.list,
  };
}

/** Empty lists without a word would read as "there is nothing". */
const NO_VPC = new CloudCallError(
  'bad-request',
  'look-up',
  'no VPC is known to look in: no instance of a node was found; check the provider ids of the nodes, the account and the region, or set vpcIds',
);

/** What is looked up by VPC: an instance that could not be looked up may be in one that is not known now. */
const BY_VPC: readonly LookedUp[] = [
  'networkInterfaces',
  'securityGroups',
  'vpcs',
  'subnets',
  'routeTables',
  'networkAcls',
  'natGateways',
  'internetGateways',
  'virtualIps',
];

function vpcsOf(
  scope: GatherScope,
  instances: readonly WireInstance[],
  nlbs: readonly GatheredNlb[],
): readonly string[] {
  const ids = [
    ...scope.vpcIds,
    ...instances.map((instance) => instance.VpcAttributes?.VpcId),
    ...nlbs.map(({ balancer }) => balancer.VpcId),
  ];
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** The groups of what belongs to the cluster; a VPC may hold thousands of others. */
function groupsOf(
  scope: GatherScope,
  instances: readonly WireInstance[],
  interfaces: readonly WireNetworkInterface[],
  nlbs: readonly GatheredNlb[],
): readonly string[] {
  const ours = new Set(scope.instanceIds);
  const attached = interfaces.filter((eni) => ours.has(eni.InstanceId ?? eni.Attachment?.InstanceId ?? ''));
  return [
    ...new Set([
      ...instances.flatMap((instance) => instance.SecurityGroupIds),
      ...attached.flatMap((eni) => eni.SecurityGroupIds),
      ...nlbs.flatMap(({ balancer }) => balancer.SecurityGroupIds),
    ]),
  ];
}
