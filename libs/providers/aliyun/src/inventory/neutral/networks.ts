import type {
  CloudNetwork,
  CloudRoute,
  InternetGateway,
  NextHop,
  PublicIp,
  RouteTable,
  Subnet,
} from '#libs/provider-kit';
import type { Gathered } from '../gathered.js';
import type { WireEip, WireIpv4Gateway, WireRouteEntry, WireVpc, WireVSwitch } from '../wire/vpc.js';

export function cloudNetwork(wire: WireVpc): CloudNetwork {
  const cidrs = [wire.CidrBlock, ...wire.SecondaryCidrBlocks];
  return {
    id: wire.VpcId,
    cidrs: wire.Ipv6CidrBlock === undefined ? cidrs : [...cidrs, wire.Ipv6CidrBlock],
    privateCidrs: wire.UserCidrs,
  };
}

export function subnet(wire: WireVSwitch): Subnet {
  return {
    id: wire.VSwitchId,
    networkId: wire.VpcId,
    zone: wire.ZoneId,
    cidrs: wire.Ipv6CidrBlock === undefined ? [wire.CidrBlock] : [wire.CidrBlock, wire.Ipv6CidrBlock],
    routeTableId: wire.RouteTable.RouteTableId,
    ...(wire.NetworkAclId === undefined ? {} : { networkAclId: wire.NetworkAclId }),
  };
}

export function routeTable({ table, entries }: Gathered['routeTables'][number]): RouteTable {
  const gateway = table.AssociateType?.toLowerCase() === 'gateway';
  return {
    id: table.RouteTableId,
    ...(table.VpcId === undefined ? {} : { networkId: table.VpcId }),
    kind: gateway ? 'gateway' : table.RouteTableType === 'System' ? 'main' : 'custom',
    routes: entries.map(route),
  };
}

const ORIGINS: Readonly<Record<string, CloudRoute['origin']>> = { System: 'system', Custom: 'custom' };

function route(wire: WireRouteEntry): CloudRoute {
  return {
    ...(wire.RouteEntryId === undefined ? {} : { id: wire.RouteEntryId }),
    destination: wire.DestinationCidrBlock,
    usable: wire.Status === 'Available',
    state: wire.Status,
    // The rest came by a protocol or from another service: BGP, CEN, ECR.
    origin: ORIGINS[wire.Type ?? 'Custom'] ?? 'propagated',
    nextHops: wire.NextHops.map(nextHop),
  };
}

/** Kinds of next hops: the documentation of DescribeRouteEntryList and of aliyun-ecs-route. */
const HOPS: Readonly<Record<string, NextHop['kind']>> = {
  local: 'local',
  service: 'service',
  Instance: 'instance',
  NetworkInterface: 'interface',
  HaVip: 'virtual-ip',
  NatGateway: 'nat-gateway',
  Ipv4Gateway: 'internet-gateway',
  IPv6Gateway: 'ipv6-gateway',
  VpnGateway: 'vpn-gateway',
  RouterInterface: 'peering',
  VpcPeer: 'peering',
  Attachment: 'transit',
  TransitRouter: 'transit',
  Ecr: 'transit',
  GatewayEndpoint: 'endpoint',
  GatewayLoadBalancerEndpoint: 'endpoint',
};

function nextHop(wire: WireRouteEntry['NextHops'][number]): NextHop {
  return {
    kind: HOPS[wire.NextHopType] ?? 'other',
    type: wire.NextHopType,
    ...(wire.NextHopId === undefined ? {} : { id: wire.NextHopId }),
    ...(wire.Weight === null || wire.Weight === undefined ? {} : { weight: wire.Weight }),
    enabled: wire.Enabled !== 0,
  };
}

export function internetGateway(wire: WireIpv4Gateway): InternetGateway {
  return {
    id: wire.Ipv4GatewayId,
    networkId: wire.VpcId,
    enabled: wire.Enabled,
    ...(wire.Ipv4GatewayRouteTableId === undefined ? {} : { routeTableId: wire.Ipv4GatewayRouteTableId }),
  };
}

const OWNERS: Readonly<Record<string, NonNullable<PublicIp['owner']>['kind']>> = {
  EcsInstance: 'instance',
  NetworkInterface: 'interface',
  Nat: 'nat-gateway',
  SlbInstance: 'load-balancer',
  HaVip: 'virtual-ip',
};

/** A public address works when it is in use and paid for. */
export function publicIp(wire: WireEip): PublicIp {
  const locked = wire.BusinessStatus !== undefined && wire.BusinessStatus !== 'Normal';
  return {
    id: wire.AllocationId,
    ip: wire.IpAddress,
    usable: wire.Status === 'InUse' && !locked,
    state: locked ? `${wire.Status}, ${wire.BusinessStatus}` : wire.Status,
    ...(wire.InstanceId === undefined
      ? {}
      : {
          owner: {
            kind: OWNERS[wire.InstanceType ?? ''] ?? 'other',
            id: wire.InstanceId,
            ...(wire.PrivateIpAddress === undefined ? {} : { privateIp: wire.PrivateIpAddress }),
          },
        }),
  };
}
