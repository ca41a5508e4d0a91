import { pageByToken } from '../paging.js';
import { Refusal } from '../refusal.js';
import { known, where, whereIn, type Product } from './handler.js';

/** ECS, 2014-05-26: https://api.aliyun.com/document/Ecs/2014-05-26 */
export const ecs: Product = {
  DescribeInstances: (params, world, smallPage) => {
    const found = whereIn(world.instances, 'InstanceId', params.jsonList('InstanceIds', 100));
    const page = pageByToken(found, params, { default: 10, max: 100 }, smallPage);
    return { Instances: { Instance: page.items }, ...page.marks };
  },

  DescribeNetworkInterfaces: (params, world, smallPage) => {
    const byVpc = where(world.networkInterfaces, 'VpcId', params.get('VpcId'));
    const byInstance = where(byVpc, 'InstanceId', params.get('InstanceId'));
    const found = whereIn(byInstance, 'NetworkInterfaceId', params.list('NetworkInterfaceId', 100));
    const page = pageByToken(found, params, { default: 10, max: 500, min: 10 }, smallPage);
    return { NetworkInterfaceSets: { NetworkInterfaceSet: page.items }, ...page.marks };
  },

  DescribeSecurityGroups: (params, world, smallPage) => {
    const groups = world.securityGroups.map(({ group }) => group);
    const found = whereIn(
      where(groups, 'VpcId', params.get('VpcId')),
      'SecurityGroupId',
      params.jsonList('SecurityGroupIds', 100),
    );
    const page = pageByToken(found, params, { default: 10, max: 100 }, smallPage);
    return { SecurityGroups: { SecurityGroup: page.items }, ...page.marks };
  },

  DescribeSecurityGroupAttribute: (params, world, smallPage) => {
    const id = params.need('SecurityGroupId');
    const found = world.securityGroups.find(({ group }) => group['SecurityGroupId'] === id);
    if (found === undefined) {
      throw new Refusal(404, 'InvalidSecurityGroupId.NotFound', 'The specified SecurityGroupId does not exist.');
    }
    const direction = params.get('Direction') ?? 'all';
    const rules = found.permissions.filter((rule) => direction === 'all' || rule['Direction'] === direction);
    const page = pageByToken(rules, params, { default: 500, max: 1000, min: 10 }, smallPage);
    return {
      SecurityGroupId: id,
      VpcId: found.group['VpcId'],
      InnerAccessPolicy: found.innerAccessPolicy,
      Permissions: { Permission: page.items },
      NextToken: page.marks['NextToken'],
    };
  },

  DescribePrefixListAttributes: (params, world) => {
    const id = params.need('PrefixListId');
    const cidrs = known(world.prefixLists, id, 'InvalidPrefixListId.NotFound');
    return { PrefixListId: id, Entries: { Entry: cidrs.map((Cidr) => ({ Cidr })) } };
  },

  DescribePortRangeListEntries: (params, world) => {
    const ranges = known(world.portLists, params.need('PortRangeListId'), 'InvalidPortRangeListId.NotFound');
    return { Entries: ranges.map((PortRange) => ({ PortRange })) };
  },
};
