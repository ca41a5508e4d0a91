import type { CloudSnapshot, Instance, NetworkInterface } from '#libs/provider-kit';
import type { WireObject } from '../wire-world.js';

export function wireInstance(instance: Instance, cloud: CloudSnapshot): WireObject {
  const eip = cloud.publicIps.find(({ owner }) => owner?.kind === 'instance' && owner.id === instance.id);
  return {
    InstanceId: instance.id,
    RegionId: instance.region,
    Status: instance.state,
    ZoneId: instance.zone ?? '',
    InstanceNetworkType: 'vpc',
    VpcAttributes: {
      VpcId: instance.networkId ?? '',
      VSwitchId: instance.subnetId ?? '',
      PrivateIpAddress: { IpAddress: instance.addresses },
    },
    SecurityGroupIds: { SecurityGroupId: instance.securityGroupIds },
    EipAddress: { IpAddress: eip?.ip ?? '', AllocationId: eip?.id ?? '' },
    PublicIpAddress: { IpAddress: instance.publicIps },
  };
}

const TYPES: Readonly<Record<NetworkInterface['kind'], string>> = {
  primary: 'Primary',
  secondary: 'Secondary',
  trunk: 'Trunk',
  member: 'Member',
  other: 'Other',
};

export function wireNetworkInterface(eni: NetworkInterface): WireObject {
  const v4 = eni.addresses.filter(({ ip }) => !ip.includes(':'));
  const prefixes = (family: 4 | 6): readonly string[] => eni.prefixes.filter((p) => p.includes(':') === (family === 6));
  return {
    NetworkInterfaceId: eni.id,
    Type: TYPES[eni.kind],
    Status: eni.state,
    VpcId: eni.networkId,
    VSwitchId: eni.subnetId,
    MacAddress: eni.mac,
    PrivateIpAddress: v4.find(({ primary }) => primary)?.ip ?? '',
    ...(eni.instanceId === undefined ? {} : { InstanceId: eni.instanceId }),
    Attachment: { InstanceId: eni.instanceId ?? '', TrunkNetworkInterfaceId: eni.trunkId ?? '' },
    SecurityGroupIds: { SecurityGroupId: eni.securityGroupIds },
    PrivateIpSets: {
      PrivateIpSet: v4.map(({ ip, primary, publicIp }) => ({
        PrivateIpAddress: ip,
        Primary: primary,
        ...(publicIp === undefined ? {} : { AssociatedPublicIp: { PublicIpAddress: publicIp, AllocationId: '' } }),
      })),
    },
    Ipv6Sets: {
      Ipv6Set: eni.addresses.filter(({ ip }) => ip.includes(':')).map(({ ip }) => ({ Ipv6Address: ip })),
    },
    Ipv4PrefixSets: { Ipv4PrefixSet: prefixes(4).map((Ipv4Prefix) => ({ Ipv4Prefix })) },
    Ipv6PrefixSets: { Ipv6PrefixSet: prefixes(6).map((Ipv6Prefix) => ({ Ipv6Prefix })) },
    SourceDestCheck: eni.sourceDestCheck,
  };
}

export function wireHaVip(vip: CloudSnapshot['virtualIps'][number]): WireObject {
  return {
    HaVipId: vip.id,
    VpcId: vip.networkId,
    VSwitchId: vip.subnetId ?? '',
    IpAddress: vip.ip,
    Status: vip.state,
    MasterInstanceId: vip.masterInstanceId ?? '',
  };
}
