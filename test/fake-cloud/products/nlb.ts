import { pageByToken } from '../paging.js';
import { known, where, whereIn, type Product } from './handler.js';

const LIMITS = { default: 20, max: 100 };

/** NLB, 2022-04-30: https://api.aliyun.com/document/Nlb/2022-04-30. Lists are plain, parameters come as a form. */
export const nlb: Product = {
  ListLoadBalancers: (params, world, smallPage) => {
    const named = where(world.nlbs, 'DNSName', params.get('DNSName'));
    const page = pageByToken(
      whereIn(named, 'LoadBalancerId', params.list('LoadBalancerIds', 20)),
      params,
      LIMITS,
      smallPage,
    );
    return { LoadBalancers: page.items, ...page.marks };
  },
  ListListeners: (params, world, smallPage) => {
    const found = whereIn(world.nlbListeners, 'LoadBalancerId', params.list('LoadBalancerIds', 20));
    const page = pageByToken(found, params, LIMITS, smallPage);
    return { Listeners: page.items, ...page.marks };
  },
  ListServerGroups: (params, world, smallPage) => {
    const found = whereIn(world.nlbGroups, 'ServerGroupId', params.list('ServerGroupIds', 20));
    const page = pageByToken(found, params, LIMITS, smallPage);
    return { ServerGroups: page.items, ...page.marks };
  },
  ListServerGroupServers: (params, world, smallPage) => {
    const found = where(world.nlbServers, 'ServerGroupId', params.need('ServerGroupId'));
    const page = pageByToken(found, params, LIMITS, smallPage);
    return { Servers: page.items, ...page.marks };
  },
  GetListenerHealthStatus: (params, world, smallPage) => {
    const found = known(world.nlbHealth, params.need('ListenerId'), 'ResourceNotFound.listener');
    const page = pageByToken(found, params, { default: 20, max: 30 }, smallPage);
    return { ListenerHealthStatus: page.items, ...page.marks };
  },
};
