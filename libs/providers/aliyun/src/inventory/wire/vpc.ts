import { z } from 'zod';
import { innerList, OptionalText, WireInteger, wireList } from './wire-list.js';

// VPC, 2016-04-28.

const Vpc = z.looseObject({
  VpcId: z.string(),
  CidrBlock: z.string(),
  SecondaryCidrBlocks: innerList('SecondaryCidrBlock', z.string()),
  UserCidrs: innerList('UserCidr', z.string()),
  Ipv6CidrBlock: OptionalText,
});
export const Vpcs = wireList('Vpcs', 'Vpc', Vpc);
export type WireVpc = z.infer<typeof Vpc>;

const VSwitch = z.looseObject({
  VSwitchId: z.string(),
  VpcId: z.string(),
  ZoneId: z.string(),
  CidrBlock: z.string(),
  Ipv6CidrBlock: OptionalText,
  NetworkAclId: OptionalText,
  RouteTable: z.looseObject({ RouteTableId: z.string() }),
});
export const VSwitches = wireList('VSwitches', 'VSwitch', VSwitch);
export type WireVSwitch = z.infer<typeof VSwitch>;

const RouteTable = z.looseObject({
  RouteTableId: z.string(),
  VpcId: OptionalText,
  /** `System` or `Custom`. */
  RouteTableType: z.string(),
  /** `VSwitch`, or `Gateway` for the table of an IPv4 gateway. */
  AssociateType: OptionalText,
});
export const RouteTables = wireList('RouterTableList', 'RouterTableListType', RouteTable);
export type WireRouteTable = z.infer<typeof RouteTable>;

const RouteEntry = z.looseObject({
  RouteEntryId: OptionalText,
  DestinationCidrBlock: z.string(),
  Status: z.string(),
  /** System, Custom, BGP, CEN, ECR. */
  Type: OptionalText,
  NextHops: innerList(
    'NextHop',
    z.looseObject({
      NextHopType: z.string(),
      NextHopId: OptionalText,
      Enabled: WireInteger.nullish(),
      Weight: WireInteger.nullish(),
    }),
  ),
});
export const RouteEntries = wireList('RouteEntrys', 'RouteEntry', RouteEntry);
export type WireRouteEntry = z.infer<typeof RouteEntry>;

const AclEntry = {
  NetworkAclEntryId: OptionalText,
  /** `accept` or `drop`. */
  Policy: z.string(),
  Protocol: z.string(),
  /** `80/443`; `-1/-1` is every port. */
  Port: OptionalText,
};
const NetworkAcl = z.looseObject({
  NetworkAclId: z.string(),
  VpcId: OptionalText,
  IngressAclEntries: innerList('IngressAclEntry', z.looseObject({ ...AclEntry, SourceCidrIp: z.string() })),
  EgressAclEntries: innerList('EgressAclEntry', z.looseObject({ ...AclEntry, DestinationCidrIp: z.string() })),
  Resources: innerList('Resource', z.looseObject({ ResourceId: z.string(), Status: OptionalText })),
});
export const NetworkAcls = wireList('NetworkAcls', 'NetworkAcl', NetworkAcl);
export type WireNetworkAcl = z.infer<typeof NetworkAcl>;

const NatGateway = z.looseObject({
  NatGatewayId: z.string(),
  VpcId: z.string(),
  Status: z.string(),
  BusinessStatus: OptionalText,
  /** `internet` or `intranet`. */
  NetworkType: OptionalText,
  SnatTableIds: innerList('SnatTableId', z.string()),
  ForwardTableIds: innerList('ForwardTableId', z.string()),
  IpLists: innerList('IpList', z.looseObject({ IpAddress: OptionalText, AllocationId: OptionalText })),
  NatGatewayPrivateInfo: z.looseObject({ VswitchId: OptionalText, PrivateIpAddress: OptionalText }).optional(),
});
export const NatGateways = wireList('NatGateways', 'NatGateway', NatGateway);
export type WireNatGateway = z.infer<typeof NatGateway>;

const SnatEntry = z.looseObject({
  SnatEntryId: z.string(),
  SourceCIDR: OptionalText,
  SourceVSwitchId: OptionalText,
  NetworkInterfaceId: OptionalText,
  /** Several are separated by commas. */
  SnatIp: OptionalText,
  Status: OptionalText,
});
export const SnatEntries = wireList('SnatTableEntries', 'SnatTableEntry', SnatEntry);
export type WireSnatEntry = z.infer<typeof SnatEntry>;

const ForwardEntry = z.looseObject({
  ForwardEntryId: z.string(),
  ExternalIp: z.string(),
  /** A port, `a/b`, or `Any`. */
  ExternalPort: z.string(),
  InternalIp: z.string(),
  InternalPort: z.string(),
  IpProtocol: z.string(),
  Status: OptionalText,
});
export const ForwardEntries = wireList('ForwardTableEntries', 'ForwardTableEntry', ForwardEntry);
export type WireForwardEntry = z.infer<typeof ForwardEntry>;

const Eip = z.looseObject({
  AllocationId: z.string(),
  IpAddress: z.string(),
  Status: z.string(),
  BusinessStatus: OptionalText,
  InstanceId: OptionalText,
  /** EcsInstance, NetworkInterface, Nat, SlbInstance, HaVip, ... */
  InstanceType: OptionalText,
  PrivateIpAddress: OptionalText,
});
export const Eips = wireList('EipAddresses', 'EipAddress', Eip);
export type WireEip = z.infer<typeof Eip>;

const HaVip = z.looseObject({
  HaVipId: z.string(),
  VpcId: z.string(),
  VSwitchId: OptionalText,
  IpAddress: z.string(),
  Status: OptionalText,
  MasterInstanceId: OptionalText,
});
export const HaVips = wireList('HaVips', 'HaVip', HaVip);
export type WireHaVip = z.infer<typeof HaVip>;

const Ipv4Gateway = z.looseObject({
  Ipv4GatewayId: z.string(),
  VpcId: z.string(),
  Enabled: z.boolean().default(false),
  Ipv4GatewayRouteTableId: OptionalText,
});
export const Ipv4Gateways = z.pipe(
  z.looseObject({ Ipv4GatewayModels: z.array(Ipv4Gateway) }),
  z.transform((answer): readonly WireIpv4Gateway[] => answer.Ipv4GatewayModels),
);
export type WireIpv4Gateway = z.infer<typeof Ipv4Gateway>;
