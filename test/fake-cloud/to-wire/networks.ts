import type { CloudSnapshot, NatGateway, PublicIp } from '#libs/provider-kit';
import type { WireObject, WireWorld } from '../wire-world.js';

export function wireVpcs(cloud: CloudSnapshot): readonly WireObject[] {
  return cloud.networks.map(({ id, cidrs, privateCidrs }) => {
    const [CidrBlock, ...secondary] = cidrs.filter((cidr) => !cidr.includes(':'));
    return {
      VpcId: id,
      CidrBlock,
      SecondaryCidrBlocks: { SecondaryCidrBlock: secondary },
      UserCidrs: { UserCidr: privateCidrs },
      Ipv6CidrBlock: cidrs.find((cidr) => cidr.includes(':')) ?? '',
    };
  });
}

export function wireVSwitches(cloud: CloudSnapshot): readonly WireObject[] {
  return cloud.subnets.map((subnet) => ({
    VSwitchId: subnet.id,
    VpcId: subnet.networkId,
    ZoneId: subnet.zone,
    CidrBlock: subnet.cidrs.find((cidr) => !cidr.includes(':')),
    Ipv6CidrBlock: subnet.cidrs.find((cidr) => cidr.includes(':')) ?? '',
    NetworkAclId: subnet.networkAclId ?? '',
    RouteTable: { RouteTableId: subnet.routeTableId, RouteTableType: 'System' },
  }));
}

const ORIGINS = { system: 'System', custom: 'Custom', propagated: 'CEN' } as const;

export function wireRouteTables(cloud: CloudSnapshot): WireWorld['routeTables'] {
  return cloud.routeTables.map(({ id, networkId, kind, routes }) => ({
    table: {
      RouteTableId: id,
      VpcId: networkId ?? '',
      RouteTableType: kind === 'main' ? 'System' : 'Custom',
      AssociateType: kind === 'gateway' ? 'Gateway' : 'VSwitch',
    },
    entries: routes.map((route) => ({
      RouteEntryId: route.id ?? '',
      DestinationCidrBlock: route.destination,
      Status: route.state,
      Type: ORIGINS[route.origin],
      NextHops: {
        NextHop: route.nextHops.map((hop) => ({
          NextHopType: hop.type,
          NextHopId: hop.id ?? '',
          Enabled: hop.enabled ? 1 : 0,
          ...(hop.weight === undefined ? {} : { Weight: hop.weight }),
        })),
      },
    })),
  }));
}

export function wireIpv4Gateways(cloud: CloudSnapshot): readonly WireObject[] {
  return cloud.internetGateways.map((gateway) => ({
    Ipv4GatewayId: gateway.id,
    VpcId: gateway.networkId,
    Enabled: gateway.enabled,
    Status: 'Created',
    Ipv4GatewayRouteTableId: gateway.routeTableId ?? '',
  }));
}

const OWNERS: Readonly<Record<NonNullable<PublicIp['owner']>['kind'], string>> = {
  instance: 'EcsInstance',
  interface: 'NetworkInterface',
  'nat-gateway': 'Nat',
  'load-balancer': 'SlbInstance',
  'virtual-ip': 'HaVip',
  other: 'IpAddress',
};

export function wireEips(cloud: CloudSnapshot): readonly WireObject[] {
  return cloud.publicIps.map(({ id, ip, state, owner }) => ({
    AllocationId: id,
    IpAddress: ip,
    ...statusOf(state),
    InstanceId: owner?.id ?? '',
    InstanceType: owner === undefined ? '' : OWNERS[owner.kind],
    PrivateIpAddress: owner?.privateIp ?? '',
  }));
}

export function wireNat(cloud: CloudSnapshot): Pick<WireWorld, 'natGateways' | 'snatEntries' | 'forwardEntries'> {
  return {
    natGateways: cloud.natGateways.map((gateway) => ({
      NatGatewayId: gateway.id,
      VpcId: gateway.networkId,
      ...statusOf(gateway.state),
      NetworkType: gateway.public ? 'internet' : 'intranet',
      SnatTableIds: { SnatTableId: [`stb-${gateway.id}`] },
      ForwardTableIds: { ForwardTableId: [`ftb-${gateway.id}`] },
      IpLists: { IpList: gateway.addresses.map((IpAddress) => ({ IpAddress, AllocationId: '' })) },
      NatGatewayPrivateInfo: { VswitchId: gateway.subnetId ?? '' },
    })),
    snatEntries: cloud.natGateways.flatMap((gateway) => snatEntries(gateway, cloud)),
    forwardEntries: cloud.natGateways.flatMap(forwardEntries),
  };
}

function snatEntries(gateway: NatGateway, cloud: CloudSnapshot): readonly WireObject[] {
  return gateway.snat.map(({ id, state, match, addresses }) => ({
    SnatEntryId: id,
    SnatTableId: `stb-${gateway.id}`,
    NatGatewayId: gateway.id,
    Status: state,
    SnatIp: addresses.join(','),
    ...(match.kind === 'network' ? { SourceCIDR: match.cidr } : {}),
    ...(match.kind === 'interface' ? { NetworkInterfaceId: match.id } : {}),
    // The cloud shows the subnet's prefix as well.
    ...(match.kind === 'subnet'
      ? {
          SourceVSwitchId: match.id,
          SourceCIDR: cloud.subnets.find(({ id: subnet }) => subnet === match.id)?.cidrs[0] ?? '',
        }
      : {}),
  }));
}

function forwardEntries(gateway: NatGateway): readonly WireObject[] {
  const text = (range: { from: number; to: number } | undefined): string => {
    if (range === undefined) return 'Any';
    return range.from === range.to ? String(range.from) : `${range.from}/${range.to}`;
  };
  return gateway.dnat.map((entry) => ({
    ForwardEntryId: entry.id,
    ForwardTableId: `ftb-${gateway.id}`,
    NatGatewayId: gateway.id,
    Status: entry.state,
    IpProtocol: entry.protocol === 'all' ? 'Any' : String(entry.protocol).toUpperCase(),
    ExternalIp: entry.externalIp,
    ExternalPort: text(entry.externalPorts),
    InternalIp: entry.internalIp,
    InternalPort: text(entry.internalPorts),
  }));
}

/** `InUse, FinancialLocked`: the state of the thing, and that of its bill when it is not normal. */
function statusOf(state: string): WireObject {
  const [Status, BusinessStatus = 'Normal'] = state.split(', ');
  return { Status, BusinessStatus };
}
