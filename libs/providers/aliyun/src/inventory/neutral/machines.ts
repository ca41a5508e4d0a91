import type { Instance, NetworkInterface, VirtualIp } from '#libs/provider-kit';
import type { WireInstance, WireNetworkInterface } from '../wire/ecs.js';
import type { WireHaVip } from '../wire/vpc.js';

export function instance(wire: WireInstance, region: string): Instance {
  const { VpcAttributes: vpc } = wire;
  return {
    id: wire.InstanceId,
    region,
    ...(wire.ZoneId === undefined ? {} : { zone: wire.ZoneId }),
    ...(vpc?.VpcId === undefined ? {} : { networkId: vpc.VpcId }),
    ...(vpc?.VSwitchId === undefined ? {} : { subnetId: vpc.VSwitchId }),
    usable: wire.Status === 'Running',
    state: wire.Status,
    addresses: vpc?.PrivateIpAddress ?? [],
    publicIps: wire.PublicIpAddress,
    securityGroupIds: wire.SecurityGroupIds,
  };
}

const KINDS: Readonly<Record<string, NetworkInterface['kind']>> = {
  Primary: 'primary',
  Secondary: 'secondary',
  Trunk: 'trunk',
  Member: 'member',
};

export function networkInterface(wire: WireNetworkInterface): NetworkInterface {
  const instanceId = wire.InstanceId ?? wire.Attachment?.InstanceId;
  const trunkId = wire.Attachment?.TrunkNetworkInterfaceId;
  return {
    id: wire.NetworkInterfaceId,
    ...(instanceId === undefined ? {} : { instanceId }),
    ...(trunkId === undefined ? {} : { trunkId }),
    kind: KINDS[wire.Type] ?? 'other',
    usable: wire.Status === 'InUse',
    state: wire.Status,
    networkId: wire.VpcId,
    subnetId: wire.VSwitchId,
    mac: wire.MacAddress.toLowerCase(),
    addresses: addressesOf(wire),
    prefixes: [
      ...wire.Ipv4PrefixSets.map((set) => set.Ipv4Prefix),
      ...wire.Ipv6PrefixSets.map((set) => set.Ipv6Prefix),
    ],
    securityGroupIds: wire.SecurityGroupIds,
    sourceDestCheck: wire.SourceDestCheck,
  };
}

/** The public address of an interface stands beside its primary address, or at the interface itself. */
function addressesOf(wire: WireNetworkInterface): NetworkInterface['addresses'] {
  const ofInterface = wire.AssociatedPublicIp?.PublicIpAddress;
  const listed = wire.PrivateIpSets.map(({ PrivateIpAddress: ip, Primary, AssociatedPublicIp }) => {
    const primary = Primary ?? ip === wire.PrivateIpAddress;
    const publicIp = AssociatedPublicIp?.PublicIpAddress ?? (primary ? ofInterface : undefined);
    return { ip, primary, ...(publicIp === undefined ? {} : { publicIp }) };
  });
  const own = wire.PrivateIpAddress;
  const missing = own === undefined || listed.some((item) => item.ip === own) ? [] : [own];
  return [
    ...missing.map((ip) => ({ ip, primary: true, ...(ofInterface === undefined ? {} : { publicIp: ofInterface }) })),
    ...listed,
    ...wire.Ipv6Sets.map((set) => ({ ip: set.Ipv6Address, primary: false })),
  ];
}

export function virtualIp(wire: WireHaVip): VirtualIp {
  return {
    id: wire.HaVipId,
    ip: wire.IpAddress,
    networkId: wire.VpcId,
    ...(wire.VSwitchId === undefined ? {} : { subnetId: wire.VSwitchId }),
    usable: wire.Status === undefined || wire.Status === 'InUse' || wire.Status === 'Available',
    state: wire.Status ?? 'unknown',
    ...(wire.MasterInstanceId === undefined ? {} : { masterInstanceId: wire.MasterInstanceId }),
  };
}
