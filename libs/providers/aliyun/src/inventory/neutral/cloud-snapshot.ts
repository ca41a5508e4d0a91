import type { CloudResource, CloudSnapshot, LoadBalancer, Unavailable } from '#libs/provider-kit';
import type { Gathered, LookedUp, LookUpFailure } from '../gathered.js';
import type { LoadBalancerRef } from '../load-balancer-refs.js';
import type { Looked } from '../look.js';
import { classicLoadBalancer } from './clb.js';
import { instance, networkInterface, virtualIp } from './machines.js';
import { natGateway } from './nat.js';
import { networkAcl } from './network-acls.js';
import { cloudNetwork, internetGateway, publicIp, routeTable, subnet } from './networks.js';
import { networkLoadBalancer } from './nlb.js';
import { securityGroups } from './rules.js';

/** What a look found, in words of no cloud in particular. Lists are in the order of their ids: the same cloud gives the same text. */
export function cloudSnapshot(looked: Looked, takenAt: string): CloudSnapshot {
  const { regions } = looked;
  const all = <T extends { readonly id: string }>(of: (region: Gathered) => readonly T[]): readonly T[] =>
    byId(regions.flatMap((region) => of(region)));
  const loadBalancers = all((region) => [
    ...region.clbs.map(classicLoadBalancer),
    ...region.nlbs.map(networkLoadBalancer),
  ]);
  return {
    v: 1,
    provider: 'aliyun',
    takenAt,
    nodes: [
      ...looked.nodes.map(({ node, instanceId }) => ({ name: node, instanceId })),
      ...looked.foreignNodes.map(({ node }) => ({ name: node })),
    ].toSorted((a, b) => compare(a.name, b.name)),
    services: looked.services.map((ref) => ({
      namespace: ref.namespace,
      name: ref.name,
      loadBalancerIds: balancersOf(ref, loadBalancers),
    })),
    instances: all((region) => region.instances.map((item) => instance(item, region.region))),
    interfaces: all((region) => region.networkInterfaces.map(networkInterface)),
    networks: all((region) => region.vpcs.map(cloudNetwork)),
    subnets: all((region) => region.vSwitches.map(subnet)),
    routeTables: all((region) => region.routeTables.map(routeTable)),
    securityGroups: all(securityGroups),
    networkAcls: all((region) => region.networkAcls.map(networkAcl)),
    natGateways: all((region) => region.natGateways.map(natGateway)),
    internetGateways: all((region) => region.ipv4Gateways.map(internetGateway)),
    publicIps: all((region) => region.eips.map(publicIp)),
    virtualIps: all((region) => region.haVips.map(virtualIp)),
    loadBalancers,
    unavailable: regions.flatMap((region) => region.failures.map((failure) => unavailable(failure, region.region))),
  };
}

/** By the id that the objects name; else by an address or name that only one balancer has. */
function balancersOf(ref: LoadBalancerRef, balancers: readonly LoadBalancer[]): readonly string[] {
  return balancers
    .filter(({ id, addresses, dnsName }) =>
      ref.id === undefined
        ? addresses.some(({ ip }) => ref.addresses.includes(ip)) ||
          (dnsName !== undefined && ref.hostnames.includes(dnsName))
        : ref.id === id,
    )
    .map(({ id }) => id);
}

const RESOURCES: Readonly<Record<LookedUp, CloudResource>> = {
  instances: 'instances',
  networkInterfaces: 'interfaces',
  securityGroups: 'securityGroups',
  prefixLists: 'lists',
  portLists: 'lists',
  vpcs: 'networks',
  subnets: 'subnets',
  routeTables: 'routeTables',
  networkAcls: 'networkAcls',
  natGateways: 'natGateways',
  internetGateways: 'internetGateways',
  publicIps: 'publicIps',
  virtualIps: 'virtualIps',
  loadBalancers: 'loadBalancers',
};

function unavailable({ kind, id, error }: LookUpFailure, region: string): Unavailable {
  const { code, requestId } = error.details;
  return {
    resource: RESOURCES[kind],
    ...(id === undefined ? {} : { id }),
    ...(region === '' ? {} : { region }),
    reason: error.kind,
    call: error.action,
    ...(code === undefined ? {} : { code }),
    ...(requestId === undefined ? {} : { requestId }),
    message: error.message,
  };
}

/** Each once: a list may move on while its pages are turned. */
function byId<T extends { readonly id: string }>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()].toSorted((a, b) => compare(a.id, b.id));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
