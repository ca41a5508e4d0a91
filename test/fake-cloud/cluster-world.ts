import type { KubernetesObject } from '#libs/model';
import { emptyWireWorld, type WireObject, type WireWorld } from './wire-world.js';

/** A cluster of some size in a VPC, as the cloud shows it, and the Kubernetes objects that name its parts. */
export interface ClusterWorld {
  readonly world: WireWorld;
  readonly objects: readonly KubernetesObject[];
}

const REGION = 'cn-test';
const VPC = 'vpc-main';
const ZONES = ['a', 'b', 'c', 'd'];

/**
 * A healthy flannel cluster: nodes over four zones, a route of the VPC for each node's pods, one NAT gateway, services behind one
 * classic and one network load balancer each.
 */
export function clusterWorld(nodes: number, services = 2): ClusterWorld {
  const numbers = Array.from({ length: nodes }, (_, nth) => nth);
  const balancers = Array.from({ length: services }, (_, nth) => nth);
  return {
    world: {
      ...emptyWireWorld(REGION),
      ...vpcPart(numbers),
      instances: numbers.map(instance),
      networkInterfaces: numbers.flatMap((nth) => [
        networkInterface(nth, 'Primary'),
        networkInterface(nth, 'Secondary'),
      ]),
      securityGroups: [
        securityGroup('sg-nodes', 'normal', 'Accept', [
          { SecurityGroupRuleId: 'sgr-1', Direction: 'ingress', SourcePrefixListId: 'pl-office', PortRange: '22/22' },
          { SecurityGroupRuleId: 'sgr-2', Direction: 'ingress', SourceCidrIp: '0.0.0.0/0', PortRangeListId: 'prl-web' },
        ]),
        securityGroup('sg-pods', 'enterprise', 'Drop', []),
      ],
      prefixLists: { 'pl-office': ['198.51.100.0/24'] },
      portLists: { 'prl-web': ['80/80', '30000/32767'] },
      clbs: balancers.map((nth) => ({
        LoadBalancerId: `lb-${nth}`,
        LoadBalancerStatus: 'active',
        Address: `47.96.0.${nth + 1}`,
        AddressType: 'internet',
        VpcId: VPC,
      })),
      clbListeners: balancers.map((nth) => ({
        LoadBalancerId: `lb-${nth}`,
        ListenerPort: 80,
        ListenerProtocol: 'tcp',
        Status: 'running',
        VServerGroupId: `rsp-${nth}`,
        AclStatus: 'on',
        AclType: 'white',
        AclIds: ['acl-office'],
        TCPListenerConfig: { HealthCheck: 'on' },
      })),
      clbAcls: { 'acl-office': ['198.51.100.0/24'] },
      clbGroups: Object.fromEntries(balancers.map((nth) => [`rsp-${nth}`, numbers.map(clbServer)])),
      clbHealth: Object.fromEntries(balancers.map((nth) => [`lb-${nth}`, numbers.map(clbHealth)])),
      nlbs: [networkLoadBalancer()],
      nlbListeners: [
        {
          ListenerId: 'lsn-1',
          LoadBalancerId: 'nlb-main',
          ListenerProtocol: 'TCP',
          ListenerPort: 443,
          ListenerStatus: 'Running',
          ServerGroupId: 'sgp-1',
        },
      ],
      nlbGroups: [
        { ServerGroupId: 'sgp-1', ServerGroupType: 'Instance', PreserveClientIpEnabled: true, AnyPortEnabled: false },
      ],
      nlbServers: numbers.map((nth) => ({
        ServerId: `i-${nth}`,
        ServerType: 'Ecs',
        ServerIp: nodeIp(nth),
        Port: 30443,
        Weight: 100,
        ServerGroupId: 'sgp-1',
        Status: 'Available',
      })),
      nlbHealth: {
        'lsn-1': [
          {
            ListenerId: 'lsn-1',
            ServerGroupInfos: [{ ServerGroupId: 'sgp-1', HeathCheckEnabled: true, NonNormalServers: [] }],
          },
        ],
      },
    },
    objects: [
      ...numbers.map((nth) => object('Node', { name: `node-${nth}` }, { spec: { providerID: `${REGION}.i-${nth}` } })),
      ...balancers.map((nth) =>
        object(
          'Service',
          { name: `web-${nth}`, namespace: 'shop', labels: { 'service.k8s.alibaba/loadbalancer-id': `lb-${nth}` } },
          { spec: { type: 'LoadBalancer' } },
        ),
      ),
      object(
        'Service',
        { name: 'secure', namespace: 'shop', labels: { 'service.k8s.alibaba/loadbalancer-id': 'nlb-main' } },
        { spec: { type: 'LoadBalancer', loadBalancerClass: 'alibabacloud.com/nlb' } },
      ),
    ],
  };
}

const zoneOf = (nth: number): string => ZONES[nth % ZONES.length] ?? 'a';
const nodeIp = (nth: number): string => `10.0.${nth % ZONES.length}.${Math.floor(nth / ZONES.length) + 10}`;

function instance(nth: number): WireObject {
  return {
    InstanceId: `i-${nth}`,
    Status: 'Running',
    ZoneId: `${REGION}-${zoneOf(nth)}`,
    VpcAttributes: { VpcId: VPC, VSwitchId: `vsw-${zoneOf(nth)}`, PrivateIpAddress: { IpAddress: [nodeIp(nth)] } },
    SecurityGroupIds: { SecurityGroupId: ['sg-nodes'] },
    EipAddress: { IpAddress: '', AllocationId: '' },
    PublicIpAddress: { IpAddress: [] },
  };
}

function networkInterface(nth: number, type: 'Primary' | 'Secondary'): WireObject {
  const primary = type === 'Primary';
  const ip = primary ? nodeIp(nth) : nodeIp(nth).replace('10.0.', '10.1.');
  return {
    NetworkInterfaceId: `eni-${primary ? 'p' : 's'}${nth}`,
    Type: type,
    Status: 'InUse',
    VpcId: VPC,
    VSwitchId: `vsw-${zoneOf(nth)}`,
    MacAddress: `00:16:3e:0${primary ? 0 : 1}:${(nth >> 8).toString(16).padStart(2, '0')}:${(nth & 255).toString(16).padStart(2, '0')}`,
    PrivateIpAddress: ip,
    InstanceId: `i-${nth}`,
    Attachment: { InstanceId: `i-${nth}`, DeviceIndex: primary ? 0 : 1 },
    SecurityGroupIds: { SecurityGroupId: [primary ? 'sg-nodes' : 'sg-pods'] },
    PrivateIpSets: { PrivateIpSet: [{ PrivateIpAddress: ip, Primary: true }] },
    SourceDestCheck: false,
  };
}

function securityGroup(
  id: string,
  type: 'normal' | 'enterprise',
  innerAccessPolicy: string,
  rules: readonly WireObject[],
): WireWorld['securityGroups'][number] {
  const permissions = rules.map((rule) => ({
    Policy: 'Accept',
    Priority: '1',
    IpProtocol: 'TCP',
    NicType: 'intranet',
    ...rule,
  }));
  return { group: { SecurityGroupId: id, SecurityGroupType: type, VpcId: VPC }, innerAccessPolicy, permissions };
}

function vpcPart(numbers: readonly number[]) {
  const hop = (type: string, id: string) => ({
    NextHop: [{ NextHopType: type, NextHopId: id, Enabled: 1, Weight: 0 }],
  });
  const route = (id: string, DestinationCidrBlock: string, NextHops: object, Type: string) => ({
    RouteEntryId: id,
    DestinationCidrBlock,
    Status: 'Available',
    Type,
    NextHops,
  });
  return {
    vpcs: [
      {
        VpcId: VPC,
        CidrBlock: '10.0.0.0/8',
        SecondaryCidrBlocks: { SecondaryCidrBlock: [] },
        UserCidrs: { UserCidr: [] },
      },
    ],
    vSwitches: ZONES.map((zone, nth) => ({
      VSwitchId: `vsw-${zone}`,
      VpcId: VPC,
      ZoneId: `${REGION}-${zone}`,
      CidrBlock: `10.0.${nth}.0/24`,
      NetworkAclId: '',
      RouteTable: { RouteTableId: 'vtb-system', RouteTableType: 'System' },
    })),
    routeTables: [
      {
        table: { RouteTableId: 'vtb-system', VpcId: VPC, RouteTableType: 'System' },
        entries: [
          ...ZONES.map((zone, nth) => route(`rte-vsw-${zone}`, `10.0.${nth}.0/24`, hop('local', ''), 'System')),
          route('rte-cloud', '100.64.0.0/10', hop('service', ''), 'System'),
          route('rte-nat', '0.0.0.0/0', hop('NatGateway', 'ngw-1'), 'Custom'),
          ...numbers.map((nth) =>
            route(`rte-${nth}`, `172.20.${nth >> 8}.${nth & 255}/32`, hop('Instance', `i-${nth}`), 'Custom'),
          ),
        ],
      },
    ],
    natGateways: [
      {
        NatGatewayId: 'ngw-1',
        VpcId: VPC,
        Status: 'Available',
        BusinessStatus: 'Normal',
        NetworkType: 'internet',
        SnatTableIds: { SnatTableId: ['stb-1'] },
        ForwardTableIds: { ForwardTableId: ['ftb-1'] },
        IpLists: { IpList: [{ IpAddress: '47.97.0.1', AllocationId: 'eip-1' }] },
        NatGatewayPrivateInfo: { VswitchId: 'vsw-a' },
      },
    ],
    snatEntries: ZONES.map((zone) => ({
      SnatEntryId: `snat-${zone}`,
      SnatTableId: 'stb-1',
      SourceVSwitchId: `vsw-${zone}`,
      SnatIp: '47.97.0.1',
      Status: 'Available',
    })),
    eips: [
      {
        AllocationId: 'eip-1',
        IpAddress: '47.97.0.1',
        Status: 'InUse',
        BusinessStatus: 'Normal',
        InstanceId: 'ngw-1',
        InstanceType: 'Nat',
      },
    ],
  };
}

const clbServer = (nth: number): WireObject => ({ ServerId: `i-${nth}`, Port: 30080, Weight: 100, Type: 'ecs' });
const clbHealth = (nth: number): WireObject => ({
  ServerId: `i-${nth}`,
  ListenerPort: 80,
  Port: 30080,
  Protocol: 'tcp',
  ServerHealthStatus: 'normal',
});

function networkLoadBalancer(): WireObject {
  return {
    LoadBalancerId: 'nlb-main',
    LoadBalancerStatus: 'Active',
    LoadBalancerBusinessStatus: 'Normal',
    AddressType: 'Internet',
    DNSName: 'nlb-main.cn-test.nlb.aliyuncs.com',
    VpcId: VPC,
    CrossZoneEnabled: true,
    SecurityGroupIds: [],
    ZoneMappings: ['a', 'b'].map((zone, nth) => ({
      ZoneId: `${REGION}-${zone}`,
      VSwitchId: `vsw-${zone}`,
      Status: 'Active',
      LoadBalancerAddresses: [
        { EniId: `eni-nlb-${zone}`, PrivateIPv4Address: `10.0.${nth}.5`, PublicIPv4Address: `47.98.0.${nth + 1}` },
      ],
    })),
  };
}

function object(kind: string, metadata: KubernetesObject['metadata'], rest: object): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata, ...rest };
}
