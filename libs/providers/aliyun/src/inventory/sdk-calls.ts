/** Parameters of a call in the SDK's spelling (`vpcId`). */
export type CallParameters = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Makes one call once; answers the body in the words of the wire (`Vpcs.Vpc[].VpcId`), not yet looked at. */
export type SdkCall = (parameters: CallParameters, timeoutMs: number) => Promise<unknown>;

/** The products of calls for which npm has no typed package: load balancers. */
export const PRODUCT_OF = {
  DescribeLoadBalancers: 'slb',
  DescribeLoadBalancerAttribute: 'slb',
  DescribeLoadBalancerListeners: 'slb',
  DescribeVServerGroupAttribute: 'slb',
  DescribeMasterSlaveServerGroupAttribute: 'slb',
  DescribeHealthStatus: 'slb',
  DescribeAccessControlListAttribute: 'slb',
  ListLoadBalancers: 'nlb',
  ListListeners: 'nlb',
  ListServerGroups: 'nlb',
  ListServerGroupServers: 'nlb',
  GetListenerHealthStatus: 'nlb',
} as const;

export const VERSIONS = { slb: '2014-05-15', nlb: '2022-04-30' } as const;

export type SdkAction =
  | 'DescribeInstances'
  | 'DescribeNetworkInterfaces'
  | 'DescribeSecurityGroups'
  | 'DescribeSecurityGroupAttribute'
  | 'DescribePrefixListAttributes'
  | 'DescribePortRangeListEntries'
  | 'DescribeVpcs'
  | 'DescribeVSwitches'
  | 'DescribeRouteTableList'
  | 'DescribeRouteEntryList'
  | 'DescribeNetworkAcls'
  | 'DescribeNatGateways'
  | 'DescribeSnatTableEntries'
  | 'DescribeForwardTableEntries'
  | 'DescribeEipAddresses'
  | 'DescribeHaVips'
  | 'ListIpv4Gateways'
  | keyof typeof PRODUCT_OF;

export type Sdk = Readonly<Record<SdkAction, SdkCall>>;
