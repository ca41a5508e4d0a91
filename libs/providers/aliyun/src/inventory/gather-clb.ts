import type { CloudApi } from './cloud-api.js';
import type { Failures } from './failures.js';
import type { GatheredClb } from './gathered.js';
import { inChunks } from './in-chunks.js';
import type { LoadBalancerRef } from './load-balancer-refs.js';
import { allByNumber, allByToken } from './pages.js';
import {
  ClbAclEntries,
  ClbAttribute,
  ClbHealth,
  ClbListeners,
  ClbLoadBalancers,
  MasterSlaveServerGroup,
  VServerGroup,
  type WireClb,
  type WireClbBackend,
  type WireClbListener,
} from './wire/clb.js';

/** The calls take this many ids at a time. */
const IDS_AT_ONCE = 10;

/** The classic load balancers of services, with listeners, servers, health and access lists. */
export async function gatherClbs(
  api: CloudApi,
  refs: readonly LoadBalancerRef[],
  failures: Failures,
): Promise<readonly GatheredClb[]> {
  const ids = refs.map((ref) => ref.id).filter((id) => id !== undefined);
  const addresses = refs.filter((ref) => ref.id === undefined).flatMap((ref) => ref.addresses);
  const balancers = [
    ...inChunks(ids, IDS_AT_ONCE).map((some) => ({ loadBalancerId: some.join(',') })),
    ...addresses.map((address) => ({ address })),
  ].map((filter) => failures.keep<readonly WireClb[]>('loadBalancers', undefined, () => balancersOf(api, filter), []));
  const found = new Map((await Promise.all(balancers)).flat().map((item) => [item.LoadBalancerId, item]));
  const acls = new AccessLists(api);
  const whole = inChunks([...found.values()], IDS_AT_ONCE).map((some) => withPartsOf(api, some, acls, failures));
  return (await Promise.all(whole)).flat();
}

const balancersOf = (api: CloudApi, parameters: Readonly<Record<string, string>>) =>
  allByNumber(api, { action: 'DescribeLoadBalancers', parameters, schema: ClbLoadBalancers, pageSize: 100 });

async function withPartsOf(
  api: CloudApi,
  balancers: readonly WireClb[],
  acls: AccessLists,
  failures: Failures,
): Promise<readonly GatheredClb[]> {
  const ids = balancers.map((item) => item.LoadBalancerId);
  const look = () =>
    allByToken(api, {
      action: 'DescribeLoadBalancerListeners',
      parameters: { loadBalancerId: ids },
      schema: ClbListeners,
      pageSize: 100,
    });
  const all = await failures.keep<readonly WireClbListener[] | undefined>(
    'loadBalancers',
    ids.join(', '),
    look,
    undefined,
  );
  // Without its listeners a balancer would look as if it had none.
  if (all === undefined) return [];
  const whole = balancers.map((balancer) => {
    const listeners = all.filter((listener) => listener.LoadBalancerId === balancer.LoadBalancerId);
    const one = async (): Promise<readonly GatheredClb[]> => [await withServersOf(api, balancer, listeners, acls)];
    return failures.keep('loadBalancers', balancer.LoadBalancerId, one, []);
  });
  return (await Promise.all(whole)).flat();
}

async function withServersOf(
  api: CloudApi,
  balancer: WireClb,
  listeners: readonly WireClbListener[],
  lists: AccessLists,
): Promise<GatheredClb> {
  const loadBalancerId = balancer.LoadBalancerId;
  const groupIds = unique(listeners.map((listener) => listener.VServerGroupId));
  const pairIds = unique(listeners.map(pairGroupOf));
  const aclIds = unique(
    listeners
      .filter((listener) => listener.AclStatus === 'on')
      .flatMap((listener) => [listener.AclId, ...(listener.AclIds ?? [])].filter((id) => id !== undefined)),
  );
  const ownServers = listeners.some((item) => item.VServerGroupId === undefined && pairGroupOf(item) === undefined);
  const [groups, pairs, own, health, acls] = await Promise.all([
    each(groupIds, (vServerGroupId) => api.call('DescribeVServerGroupAttribute', { vServerGroupId }, VServerGroup)),
    each(pairIds, (masterSlaveServerGroupId) =>
      api.call('DescribeMasterSlaveServerGroupAttribute', { masterSlaveServerGroupId }, MasterSlaveServerGroup),
    ),
    ownServers ? api.call('DescribeLoadBalancerAttribute', { loadBalancerId }, ClbAttribute) : undefined,
    listeners.length === 0 ? [] : api.call('DescribeHealthStatus', { loadBalancerId }, ClbHealth),
    each(aclIds, (aclId) => lists.entriesOf(aclId)),
  ]);
  const ownGroup: readonly (readonly [string, readonly WireClbBackend[]])[] =
    own === undefined ? [] : [['', own.BackendServers]];
  return { balancer, listeners, groups: new Map([...groups, ...pairs, ...ownGroup]), health, acls };
}

/** The group of a master and a slave that a listener sends to, when it does. */
export function pairGroupOf(listener: WireClbListener): string | undefined {
  return (listener.TCPListenerConfig ?? listener.UDPListenerConfig)?.MasterSlaveServerGroupId;
}

/** Its pages are numbered by `Page`, and the total has a name of its own. */
const aclEntriesOf = (api: CloudApi, aclId: string) =>
  allByNumber(api, {
    action: 'DescribeAccessControlListAttribute',
    parameters: { aclId },
    schema: ClbAclEntries,
    pageSize: 50,
    numberName: 'page',
    totalName: 'TotalAclEntry',
  });

/** Many listeners share a list: each is asked for once in a look. */
class AccessLists {
  private readonly asked = new Map<string, Promise<readonly string[]>>();

  constructor(private readonly api: CloudApi) {}

  entriesOf(aclId: string): Promise<readonly string[]> {
    const known = this.asked.get(aclId);
    if (known !== undefined) return known;
    const entries = aclEntriesOf(this.api, aclId);
    this.asked.set(aclId, entries);
    return entries;
  }
}

async function each<T>(
  ids: readonly string[],
  look: (id: string) => Promise<readonly T[]>,
): Promise<ReadonlyMap<string, readonly T[]>> {
  return new Map(await Promise.all(ids.map(async (id) => [id, await look(id)] as const)));
}

const unique = (ids: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(ids.filter((id) => id !== undefined)),
];
