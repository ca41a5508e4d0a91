import type { RuntimeOptions } from '@darabonba/typescript';
import type { CredentialSettings } from './credential-settings.js';
import type { CredentialSource, KeyLoader } from './credential-source.js';
import { GENERIC, VERSIONS, type Sdk, type SdkCall } from './sdk-calls.js';

/** Where the products of one region answer. */
export interface Endpoints {
  readonly region: string;
  /** `https` but for tests. */
  readonly protocol: 'http' | 'https';
  /** Host, and port if need be, in place of what the SDK knows for the region. */
  readonly ecs?: string;
  readonly vpc?: string;
  readonly slb?: string;
  readonly nlb?: string;
}

/**
 * The only file that sees types and values of Alibaba Cloud's SDK. It is 55 MB and takes a second and a half to load, so it is imported
 * when the first call is made. Calls go out once: retries, limits and deadlines are ours, since the SDK has none that can be relied on.
 */
export async function connectSdk(endpoints: Endpoints, credentials: CredentialSource, userAgent: string): Promise<Sdk> {
  const [core, Ecs, Vpc, { RuntimeOptions: Options }] = await Promise.all([
    import('@alicloud/openapi-core'),
    import('@alicloud/ecs20140526'),
    import('@alicloud/vpc20160428'),
    import('@darabonba/typescript'),
  ]);
  const { $OpenApiUtil } = core;
  const credential = await sdkCredential(credentials);
  const config = (endpoint: string | undefined) =>
    new $OpenApiUtil.Config({
      credential,
      regionId: endpoints.region,
      protocol: endpoints.protocol,
      userAgent,
      ...(endpoint === undefined ? {} : { endpoint }),
    });
  // Both limits are one: the SDK's limit for connecting ends every wait of a socket.
  const runtime = (timeoutMs: number) => new Options({ readTimeout: timeoutMs, connectTimeout: timeoutMs });
  const ecs = new (classOf(Ecs.default))(config(endpoints.ecs));
  const vpc = new (classOf(Vpc.default))(config(endpoints.vpc));

  const generic = (action: keyof typeof GENERIC): SdkCall => {
    const product = GENERIC[action];
    const client = new (classOf(core.default))(config(endpoints[product] ?? regionalHost(product, endpoints.region)));
    const params = new $OpenApiUtil.Params({
      action,
      version: VERSIONS[product],
      protocol: endpoints.protocol.toUpperCase(),
      pathname: '/',
      method: 'POST',
      authType: 'AK',
      style: 'RPC',
      reqBodyType: 'formData',
      bodyType: 'json',
    });
    return async (parameters, timeoutMs) => {
      const query = core.OpenApiUtil.query(wireNames({ regionId: endpoints.region, ...parameters }));
      const request = new $OpenApiUtil.OpenApiRequest(product === 'nlb' ? { body: query } : { query });
      const answer: { body?: unknown } = await client.callApi(params, request, runtime(timeoutMs));
      return answer.body;
    };
  };
  /** Puts a call of a typed client into our words. The body goes back to the names of the wire, where zod looks at it. */
  const typed =
    <Q>(
      Request: new (map: Record<string, unknown>) => Q,
      send: (request: Q, options: RuntimeOptions) => Promise<{ body?: { toMap(): unknown } }>,
    ): SdkCall =>
    async (parameters, timeoutMs) =>
      (await send(new Request({ regionId: endpoints.region, ...parameters }), runtime(timeoutMs))).body?.toMap();

  return {
    DescribeInstances: typed(Ecs.DescribeInstancesRequest, (q, o) => ecs.describeInstancesWithOptions(q, o)),
    DescribeNetworkInterfaces: typed(Ecs.DescribeNetworkInterfacesRequest, (q, o) =>
      ecs.describeNetworkInterfacesWithOptions(q, o),
    ),
    DescribeSecurityGroups: typed(Ecs.DescribeSecurityGroupsRequest, (q, o) =>
      ecs.describeSecurityGroupsWithOptions(q, o),
    ),
    DescribeSecurityGroupAttribute: typed(Ecs.DescribeSecurityGroupAttributeRequest, (q, o) =>
      ecs.describeSecurityGroupAttributeWithOptions(q, o),
    ),
    DescribePrefixListAttributes: typed(Ecs.DescribePrefixListAttributesRequest, (q, o) =>
      ecs.describePrefixListAttributesWithOptions(q, o),
    ),
    DescribePortRangeListEntries: typed(Ecs.DescribePortRangeListEntriesRequest, (q, o) =>
      ecs.describePortRangeListEntriesWithOptions(q, o),
    ),
    DescribeVpcs: typed(Vpc.DescribeVpcsRequest, (q, o) => vpc.describeVpcsWithOptions(q, o)),
    DescribeVSwitches: typed(Vpc.DescribeVSwitchesRequest, (q, o) => vpc.describeVSwitchesWithOptions(q, o)),
    DescribeRouteTableList: typed(Vpc.DescribeRouteTableListRequest, (q, o) =>
      vpc.describeRouteTableListWithOptions(q, o),
    ),
    DescribeRouteEntryList: typed(Vpc.DescribeRouteEntryListRequest, (q, o) =>
      vpc.describeRouteEntryListWithOptions(q, o),
    ),
    DescribeNetworkAcls: typed(Vpc.DescribeNetworkAclsRequest, (q, o) => vpc.describeNetworkAclsWithOptions(q, o)),
    DescribeNatGateways: typed(Vpc.DescribeNatGatewaysRequest, (q, o) => vpc.describeNatGatewaysWithOptions(q, o)),
    DescribeSnatTableEntries: typed(Vpc.DescribeSnatTableEntriesRequest, (q, o) =>
      vpc.describeSnatTableEntriesWithOptions(q, o),
    ),
    DescribeForwardTableEntries: typed(Vpc.DescribeForwardTableEntriesRequest, (q, o) =>
      vpc.describeForwardTableEntriesWithOptions(q, o),
    ),
    DescribeEipAddresses: typed(Vpc.DescribeEipAddressesRequest, (q, o) => vpc.describeEipAddressesWithOptions(q, o)),
    DescribeHaVips: typed(Vpc.DescribeHaVipsRequest, (q, o) => vpc.describeHaVipsWithOptions(q, o)),
    ListIpv4Gateways: typed(Vpc.ListIpv4GatewaysRequest, (q, o) => vpc.listIpv4GatewaysWithOptions(q, o)),
    DescribeLoadBalancers: generic('DescribeLoadBalancers'),
    DescribeLoadBalancerListeners: generic('DescribeLoadBalancerListeners'),
    DescribeLoadBalancerAttribute: generic('DescribeLoadBalancerAttribute'),
    DescribeVServerGroupAttribute: generic('DescribeVServerGroupAttribute'),
    DescribeMasterSlaveServerGroupAttribute: generic('DescribeMasterSlaveServerGroupAttribute'),
    DescribeHealthStatus: generic('DescribeHealthStatus'),
    DescribeAccessControlListAttribute: generic('DescribeAccessControlListAttribute'),
    ListLoadBalancers: generic('ListLoadBalancers'),
    ListListeners: generic('ListListeners'),
    ListServerGroups: generic('ListServerGroups'),
    ListServerGroupServers: generic('ListServerGroupServers'),
    GetListenerHealthStatus: generic('GetListenerHealthStatus'),
  };
}

/** How to come by keys in the given way, by the credentials package. `stsHost` is for tests and private regions. */
export async function loadKeys(settings: CredentialSettings, timeoutMs: number, stsHost?: string): Promise<KeyLoader> {
  const loaded = await import('@alicloud/credentials');
  const Credential = classOf(loaded.default);
  const config = sdkCredentialConfig(settings);
  const credential = new Credential(
    config === undefined
      ? null
      : new loaded.Config({
          ...config,
          timeout: timeoutMs,
          connectTimeout: timeoutMs,
          ...(stsHost === undefined ? {} : { stsEndpoint: stsHost }),
        }),
  );
  return async () => {
    const { accessKeyId, accessKeySecret, securityToken } = await credential.getCredential();
    if (accessKeyId === undefined || accessKeySecret === undefined) throw new Error('no keys were found');
    return {
      accessKeyId,
      accessKeySecret,
      ...(securityToken === undefined || securityToken === '' ? {} : { securityToken }),
    };
  };
}

/** The options of the credentials package; undefined is its default chain. */
function sdkCredentialConfig(settings: CredentialSettings): Record<string, string> | undefined {
  switch (settings.kind) {
    case 'keys':
      return { type: 'access_key', accessKeyId: settings.accessKeyId, accessKeySecret: settings.accessKeySecret };
    case 'sts': {
      const { accessKeyId, accessKeySecret, securityToken } = settings;
      return { type: 'sts', accessKeyId, accessKeySecret, securityToken };
    }
    case 'ecs-ram-role':
      return { type: 'ecs_ram_role', ...(settings.roleName === undefined ? {} : { roleName: settings.roleName }) };
    case 'oidc':
      return {
        type: 'oidc_role_arn',
        roleArn: settings.roleArn,
        oidcProviderArn: settings.oidcProviderArn,
        oidcTokenFilePath: settings.oidcTokenFile,
        roleSessionName: 'hopscope',
      };
    case 'default':
      return undefined;
  }
}

/** A credential of the SDK that asks our source, so that parallel calls look for keys once. */
async function sdkCredential(source: CredentialSource) {
  const { default: loaded } = await import('@alicloud/credentials');
  return new (classOf(loaded))(null, { getProviderName: () => 'hopscope', getCredentials: () => source.get() });
}

/** The class that a CommonJS module of the SDK exports by default: under Node's ESM `default` is the whole module, elsewhere the class. */
function classOf<C>(loaded: C | { readonly default: C }): C {
  return typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : loaded;
}

/** `loadBalancerIds` -> `LoadBalancerIds`. */
function wireNames(parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [`${name[0]?.toUpperCase()}${name.slice(1)}`, value]),
  );
}

/** Hangzhou came first: some of its names are without the region. */
function regionalHost(product: 'slb' | 'nlb', region: string): string {
  return product === 'slb' && region === 'cn-hangzhou' ? 'slb.aliyuncs.com' : `${product}.${region}.aliyuncs.com`;
}
