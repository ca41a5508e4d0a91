import type { CloudSnapshot } from '#libs/provider-kit';
import { wireClbs, wireNlbs } from './to-wire/balancers.js';
import { wireNetworkAcls, wireSecurityGroups, type NamedLists } from './to-wire/filters.js';
import { wireHaVip, wireInstance, wireNetworkInterface } from './to-wire/machines.js';
import { wireEips, wireIpv4Gateways, wireNat, wireRouteTables, wireVpcs, wireVSwitches } from './to-wire/networks.js';
import { emptyWireWorld, type WireWorld } from './wire-world.js';

/** A cloud-neutral cloud in the words of Alibaba Cloud's API: what the provider's adapter has to turn back into the same. */
export function toWire(cloud: CloudSnapshot, region: string): WireWorld {
  const lists: NamedLists = { prefixes: {}, ports: {} };
  return {
    ...emptyWireWorld(region),
    instances: cloud.instances.map((instance) => wireInstance(instance, cloud)),
    networkInterfaces: cloud.interfaces.map(wireNetworkInterface),
    securityGroups: wireSecurityGroups(cloud, lists),
    prefixLists: lists.prefixes,
    portLists: lists.ports,
    vpcs: wireVpcs(cloud),
    vSwitches: wireVSwitches(cloud),
    routeTables: wireRouteTables(cloud),
    networkAcls: wireNetworkAcls(cloud),
    ...wireNat(cloud),
    ipv4Gateways: wireIpv4Gateways(cloud),
    eips: wireEips(cloud),
    haVips: cloud.virtualIps.map(wireHaVip),
    ...wireClbs(cloud),
    ...wireNlbs(cloud),
  };
}
