import type { CloudApi } from './cloud-api.js';
import type { Failures } from './failures.js';
import type { GatheredNlb } from './gathered.js';
import { inChunks } from './in-chunks.js';
import type { LoadBalancerRef } from './load-balancer-refs.js';
import { allByToken } from './pages.js';
import {
  NlbListenerHealth,
  NlbListeners,
  NlbLoadBalancers,
  NlbServerGroups,
  NlbServers,
  type WireNlb,
  type WireNlbListener,
  type WireNlbServerGroup,
} from './wire/nlb.js';

const IDS_AT_ONCE = 20;

/** The network load balancers of services, with listeners, server groups, servers and who of them is not well. */
export async function gatherNlbs(
  api: CloudApi,
  refs: readonly LoadBalancerRef[],
  failures: Failures,
): Promise<readonly GatheredNlb[]> {
  const ids = refs.map((ref) => ref.id).filter((id) => id !== undefined);
  const names = refs.filter((ref) => ref.id === undefined).flatMap((ref) => ref.hostnames);
  const filters: readonly Readonly<Record<string, string | readonly string[]>>[] = [
    ...inChunks(ids, IDS_AT_ONCE).map((loadBalancerIds) => ({ loadBalancerIds })),
    ...names.map((DNSName) => ({ DNSName })),
  ];
  const balancers = filters.map((parameters) =>
    failures.keep<readonly WireNlb[]>(
      'loadBalancers',
      undefined,
      () => allByToken(api, { action: 'ListLoadBalancers', parameters, schema: NlbLoadBalancers, pageSize: 100 }),
      [],
    ),
  );
  const found = new Map((await Promise.all(balancers)).flat().map((item) => [item.LoadBalancerId, item]));
  const whole = inChunks([...found.values()], IDS_AT_ONCE).map((some) => withPartsOf(api, some, failures));
  return (await Promise.all(whole)).flat();
}

async function withPartsOf(
  api: CloudApi,
  balancers: readonly WireNlb[],
  failures: Failures,
): Promise<readonly GatheredNlb[]> {
  const ids = balancers.map((item) => item.LoadBalancerId);
  const parts = async (): Promise<readonly [readonly WireNlbListener[], readonly WireNlbServerGroup[]]> => {
    const listeners = await allByToken(api, {
      action: 'ListListeners',
      parameters: { loadBalancerIds: ids },
      schema: NlbListeners,
      pageSize: 100,
    });
    const groupIds = [...new Set(listeners.map((item) => item.ServerGroupId).filter((id) => id !== undefined))];
    const groups = inChunks(groupIds, IDS_AT_ONCE).map((serverGroupIds) =>
      allByToken(api, {
        action: 'ListServerGroups',
        parameters: { serverGroupIds },
        schema: NlbServerGroups,
        pageSize: 100,
      }),
    );
    return [listeners, (await Promise.all(groups)).flat()];
  };
  const all = await failures.keep('loadBalancers', ids.join(', '), parts, undefined);
  // Without its listeners a balancer would look as if it had none.
  if (all === undefined) return [];
  const [allListeners, allGroups] = all;
  const whole = balancers.map((balancer) => {
    const listeners = allListeners.filter((item) => item.LoadBalancerId === balancer.LoadBalancerId);
    const groups = allGroups.filter((group) => listeners.some((item) => item.ServerGroupId === group.ServerGroupId));
    const one = async (): Promise<readonly GatheredNlb[]> => [await withServersOf(api, balancer, listeners, groups)];
    return failures.keep('loadBalancers', balancer.LoadBalancerId, one, []);
  });
  return (await Promise.all(whole)).flat();
}

async function withServersOf(
  api: CloudApi,
  balancer: WireNlb,
  listeners: readonly WireNlbListener[],
  groups: readonly WireNlbServerGroup[],
): Promise<GatheredNlb> {
  const servers = groups.map(async ({ ServerGroupId: serverGroupId }) => {
    const call = { action: 'ListServerGroupServers', parameters: { serverGroupId } } as const;
    return [serverGroupId, await allByToken(api, { ...call, schema: NlbServers, pageSize: 100 })] as const;
  });
  const health = listeners.map(async ({ ListenerId: listenerId }) => {
    const call = { action: 'GetListenerHealthStatus', parameters: { listenerId } } as const;
    return [listenerId, await allByToken(api, { ...call, schema: NlbListenerHealth, pageSize: 30 })] as const;
  });
  return {
    balancer,
    listeners,
    groups,
    servers: new Map(await Promise.all(servers)),
    health: new Map(await Promise.all(health)),
  };
}
