import { pageByNumber, pageByToken } from '../paging.js';
import { Refusal } from '../refusal.js';
import { known, where, whereIn, type Product } from './handler.js';

const NOT_FOUND = 'InvalidLoadBalancerId.NotFound';

/** CLB, 2014-05-15: https://api.aliyun.com/document/Slb/2014-05-15 */
export const slb: Product = {
  DescribeLoadBalancers: (params, world, smallPage) => {
    const ids = params.get('LoadBalancerId')?.split(',');
    if (ids !== undefined && ids.length > 10) throw new Refusal(400, 'InvalidParameter', 'At most 10 ids at a time.');
    // A page size without a page number is refused.
    if (params.get('PageSize') !== undefined) params.need('PageNumber');
    const found = whereIn(where(world.clbs, 'Address', params.get('Address')), 'LoadBalancerId', ids);
    const page = pageByNumber(found, params, { default: 50, max: 100 }, smallPage);
    return { LoadBalancers: { LoadBalancer: page.items }, ...page.marks };
  },

  DescribeLoadBalancerListeners: (params, world, smallPage) => {
    const found = whereIn(world.clbListeners, 'LoadBalancerId', params.list('LoadBalancerId', 10));
    const page = pageByToken(found, params, { default: 20, max: 100 }, smallPage);
    return { ...(page.items.length === 0 ? {} : { Listeners: page.items }), ...page.marks };
  },

  DescribeLoadBalancerAttribute: (params, world) => {
    const id = params.need('LoadBalancerId');
    const balancer = world.clbs.find((item) => item['LoadBalancerId'] === id);
    if (balancer === undefined) throw new Refusal(404, NOT_FOUND, 'The specified LoadBalancerId does not exist.');
    return { ...balancer, BackendServers: { BackendServer: world.clbServers[id] ?? [] } };
  },

  DescribeVServerGroupAttribute: (params, world) => {
    const id = params.need('VServerGroupId');
    const servers = known(world.clbGroups, id, 'The specified VServerGroupId does not exist');
    return { VServerGroupId: id, BackendServers: { BackendServer: servers } };
  },

  DescribeMasterSlaveServerGroupAttribute: (params, world) => {
    const id = params.need('MasterSlaveServerGroupId');
    const servers = known(world.clbPairs, id, 'InvalidMasterSlaveServerGroupId.NotFound');
    return { MasterSlaveServerGroupId: id, MasterSlaveBackendServers: { MasterSlaveBackendServer: servers } };
  },

  DescribeHealthStatus: (params, world) => ({
    BackendServers: { BackendServer: known(world.clbHealth, params.need('LoadBalancerId'), NOT_FOUND) },
  }),

  DescribeAccessControlListAttribute: (params, world, smallPage) => {
    const id = params.need('AclId');
    const entries = known(world.clbAcls, id, 'AclNotExist');
    const page = pageByNumber(entries, params, { default: 10, max: 50, numberName: 'Page' }, smallPage);
    return {
      AclId: id,
      // No list at all stands there for an empty one.
      AclEntrys: page.items.length === 0 ? {} : { AclEntry: page.items.map((AclEntryIP) => ({ AclEntryIP })) },
      TotalAclEntry: entries.length,
    };
  },
};
