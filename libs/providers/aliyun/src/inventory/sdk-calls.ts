/** Parameters of a call in the SDK's spelling (`vpcId`). */
export type CallParameters = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Makes one call once; answers the body in the words of the wire (`Vpcs.Vpc[].VpcId`), not yet looked at. */
export type SdkCall = (parameters: CallParameters, timeoutMs: number) => Promise<unknown>;

/** Products with a typed package on npm. */
const TYPED = {
  DescribeInstances: 'ecs',
  DescribeNetworkInterfaces: 'ecs',
  DescribeSecurityGroups: 'ecs',
  DescribeSecurityGroupAttribute: 'ecs',
  DescribePrefixListAttributes: 'ecs',
  DescribePortRangeListEntries: 'ecs',
  DescribeVpcs: 'vpc',
  DescribeVSwitches: 'vpc',
  DescribeRouteTableList: 'vpc',
  DescribeRouteEntryList: 'vpc',
  DescribeNetworkAcls: 'vpc',
  DescribeNatGateways: 'vpc',
  DescribeSnatTableEntries: 'vpc',
  DescribeForwardTableEntries: 'vpc',
  DescribeEipAddresses: 'vpc',
  DescribeHaVips: 'vpc',
  ListIpv4Gateways: 'vpc',
} as const;

/** Load balancers: npm has no typed package for them, so the generic client calls them. */
export const GENERIC = {
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

/** Every call that is made, with its product: what an account has to allow. */
export const PRODUCT_OF = { ...TYPED, ...GENERIC };

export const VERSIONS = { slb: '2014-05-15', nlb: '2022-04-30' } as const;

export type SdkAction = keyof typeof PRODUCT_OF;

export type Sdk = Readonly<Record<SdkAction, SdkCall>>;
