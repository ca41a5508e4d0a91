import { z } from 'zod';
import { innerList, OptionalText, wireList } from './wire-list.js';

// ECS, 2014-05-26. Only what is read is named; the spelling is the API's.

const Instance = z.looseObject({
  InstanceId: z.string(),
  Status: z.string(),
  ZoneId: OptionalText,
  VpcAttributes: z
    .looseObject({
      VpcId: OptionalText,
      VSwitchId: OptionalText,
      PrivateIpAddress: innerList('IpAddress', z.string()),
    })
    .optional(),
  SecurityGroupIds: innerList('SecurityGroupId', z.string()),
  EipAddress: z.looseObject({ IpAddress: OptionalText, AllocationId: OptionalText }).optional(),
  PublicIpAddress: innerList('IpAddress', z.string()),
});
export const Instances = wireList('Instances', 'Instance', Instance);
export type WireInstance = z.infer<typeof Instance>;

const PublicIp = z.looseObject({ PublicIpAddress: OptionalText, AllocationId: OptionalText }).optional();
const NetworkInterface = z.looseObject({
  NetworkInterfaceId: z.string(),
  Type: z.string(),
  Status: z.string(),
  VpcId: z.string(),
  VSwitchId: z.string(),
  MacAddress: z.string(),
  PrivateIpAddress: OptionalText,
  InstanceId: OptionalText,
  Attachment: z.looseObject({ InstanceId: OptionalText, TrunkNetworkInterfaceId: OptionalText }).optional(),
  SecurityGroupIds: innerList('SecurityGroupId', z.string()),
  AssociatedPublicIp: PublicIp,
  PrivateIpSets: innerList(
    'PrivateIpSet',
    z.looseObject({ PrivateIpAddress: z.string(), Primary: z.boolean().optional(), AssociatedPublicIp: PublicIp }),
  ),
  Ipv4PrefixSets: innerList('Ipv4PrefixSet', z.looseObject({ Ipv4Prefix: z.string() })),
  Ipv6Sets: innerList('Ipv6Set', z.looseObject({ Ipv6Address: z.string() })),
  Ipv6PrefixSets: innerList('Ipv6PrefixSet', z.looseObject({ Ipv6Prefix: z.string() })),
  /** Absent is off: the documentation gives false as the default. */
  SourceDestCheck: z.boolean().default(false),
});
export const NetworkInterfaces = wireList('NetworkInterfaceSets', 'NetworkInterfaceSet', NetworkInterface);
export type WireNetworkInterface = z.infer<typeof NetworkInterface>;

const SecurityGroup = z.looseObject({
  SecurityGroupId: z.string(),
  /** `normal` (basic) or `enterprise` (advanced). */
  SecurityGroupType: z.string(),
  VpcId: OptionalText,
});
export const SecurityGroups = wireList('SecurityGroups', 'SecurityGroup', SecurityGroup);
export type WireSecurityGroup = z.infer<typeof SecurityGroup>;

const Permission = z.looseObject({
  SecurityGroupRuleId: OptionalText,
  Direction: z.enum(['ingress', 'egress']),
  /** `Accept` or `Drop`. */
  Policy: z.string(),
  Priority: z.coerce.number().int(),
  IpProtocol: z.string(),
  PortRange: OptionalText,
  PortRangeListId: OptionalText,
  SourcePortRange: OptionalText,
  SourceCidrIp: OptionalText,
  Ipv6SourceCidrIp: OptionalText,
  SourceGroupId: OptionalText,
  SourcePrefixListId: OptionalText,
  DestCidrIp: OptionalText,
  Ipv6DestCidrIp: OptionalText,
  DestGroupId: OptionalText,
  DestPrefixListId: OptionalText,
  NicType: OptionalText,
});
export type WirePermission = z.infer<typeof Permission>;

/** A page of a group's rules; the policy within the group stands beside them on each. */
export const SecurityGroupPage = z.pipe(
  z.looseObject({
    InnerAccessPolicy: OptionalText,
    Permissions: z.looseObject({ Permission: z.array(Permission) }),
  }),
  z.transform((answer) => ({
    innerAccessPolicy: answer.InnerAccessPolicy,
    permissions: answer.Permissions.Permission,
  })),
);

export const PrefixListEntries = wireList('Entries', 'Entry', z.looseObject({ Cidr: z.string() }));
export const PortRangeListEntries = z.looseObject({ Entries: z.array(z.looseObject({ PortRange: z.string() })) });
