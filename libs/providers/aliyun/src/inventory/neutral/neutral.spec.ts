import { emptyGathered, type Gathered } from '../gathered.js';
import { Instances, NetworkInterfaces, SecurityGroupPage } from '../wire/ecs.js';
import { ClbListeners } from '../wire/clb.js';
import { NlbListenerHealth, NlbListeners, NlbLoadBalancers, NlbServerGroups } from '../wire/nlb.js';
import { ForwardEntries, NatGateways, NetworkAcls, RouteEntries, SnatEntries } from '../wire/vpc.js';
import { classicLoadBalancer } from './clb.js';
import { instance, networkInterface } from './machines.js';
import { natGateway } from './nat.js';
import { networkAcl } from './network-acls.js';
import { routeTable } from './networks.js';
import { networkLoadBalancer } from './nlb.js';
import { securityGroups } from './rules.js';

// Answers as the API documents them, by hand: the fake cloud is made from the same model and would not notice a misreading of ours.

function group(
  type: string,
  innerAccessPolicy: string | undefined,
  rules: readonly object[],
  lists: Partial<Gathered> = {},
) {
  const page = SecurityGroupPage.parse({ InnerAccessPolicy: innerAccessPolicy, Permissions: { Permission: rules } });
  const wire = { SecurityGroupId: 'sg-1', SecurityGroupType: type, VpcId: 'vpc-1' };
  const [result] = securityGroups({
    ...emptyGathered('cn-test'),
    ...lists,
    securityGroups: [{ group: wire, ...page }],
  });
  if (result === undefined) throw new Error('no group came out');
  return result;
}

const base = { Direction: 'ingress', Policy: 'Accept', Priority: '1', IpProtocol: 'TCP', PortRange: '80/443' };
const rule = (fields: object, lists: Partial<Gathered> = {}) =>
  group('normal', 'Accept', [{ ...base, ...fields }], lists).rules[0];

describe('security groups', () => {
  it.each([
    ['normal', 'Accept', { defaults: { ingress: 'deny', egress: 'allow' }, insideGroup: 'allow' }],
    ['normal', 'Drop', { defaults: { ingress: 'deny', egress: 'allow' }, insideGroup: 'rules' }],
    ['enterprise', 'Drop', { defaults: { ingress: 'deny', egress: 'deny' }, insideGroup: 'rules' }],
    ['enterprise', 'Accept', { defaults: { ingress: 'deny', egress: 'deny' }, insideGroup: 'rules' }],
  ])('%s with inner policy %s', (type, inner, expected) => {
    expect(group(type, inner, [])).toMatchObject(expected);
  });

  it('turns every field of a rule into the model', () => {
    const quintuple = {
      SecurityGroupRuleId: 'sgr-1',
      Direction: 'egress',
      Policy: 'Drop',
      Priority: '100',
      IpProtocol: 'udp',
      SourcePortRange: '1024/65535',
      SourceCidrIp: '10.0.0.1',
      DestCidrIp: '192.0.2.0/24',
    };

    expect(rule(quintuple)).toEqual({
      id: 'sgr-1',
      direction: 'egress',
      action: 'deny',
      priority: 100,
      protocol: 'udp',
      sourcePorts: { kind: 'ranges', ranges: [{ from: 1024, to: 65535 }] },
      ports: { kind: 'ranges', ranges: [{ from: 80, to: 443 }] },
      source: { kind: 'networks', cidrs: ['10.0.0.1/32'] },
      destination: { kind: 'networks', cidrs: ['192.0.2.0/24'] },
    });
  });

  it.each([
    ['-1/-1', { kind: 'any' }],
    ['', { kind: 'any' }],
    ['22', { kind: 'ranges', ranges: [{ from: 22, to: 22 }] }],
    // Neither every port nor none: it has to be said that it is not known.
    ['eighty', { kind: 'unknown', list: 'eighty' }],
  ])('reads ports %j', (PortRange, ports) => {
    expect(rule({ PortRange })).toMatchObject({ ports });
  });

  it('takes lists apart, and says so when one could not be read', () => {
    const portLists = new Map([['prl-1', ['80/80', '443/443']]]);
    const prefixLists = new Map([['pl-1', ['10.0.0.0/8', '2001:db8::/32']]]);
    const listed = { PortRange: '', PortRangeListId: 'prl-1', SourcePrefixListId: 'pl-1' };

    expect(rule(listed, { portLists, prefixLists })).toMatchObject({
      ports: {
        kind: 'ranges',
        ranges: [
          { from: 80, to: 80 },
          { from: 443, to: 443 },
        ],
        list: 'prl-1',
      },
      source: { kind: 'networks', cidrs: ['10.0.0.0/8', '2001:db8::/32'], list: 'pl-1' },
    });
    expect(rule(listed)).toMatchObject({
      ports: { kind: 'unknown', list: 'prl-1' },
      source: { kind: 'unknown', list: 'pl-1' },
    });
  });

  it('lets a prefix count before a group, and a list only when there is neither', () => {
    const all = { SourceCidrIp: '10.0.0.0/8', SourceGroupId: 'sg-2', SourcePrefixListId: 'pl-1' };

    expect(rule(all)).toMatchObject({ source: { kind: 'networks', cidrs: ['10.0.0.0/8'] } });
    expect(rule({ ...all, SourceCidrIp: '' })).toMatchObject({ source: { kind: 'group', id: 'sg-2' } });
  });

  it.each([
    ['ALL', 'all'],
    ['ICMPv6', 'icmpv6'],
    ['50', 50],
  ])('reads protocol %s', (IpProtocol, protocol) => {
    expect(rule({ IpProtocol })).toMatchObject({ protocol });
  });
});

describe('machines', () => {
  const eni = {
    NetworkInterfaceId: 'eni-1',
    Type: 'Member',
    Status: 'InUse',
    VpcId: 'vpc-1',
    VSwitchId: 'vsw-1',
    MacAddress: '00:16:3E:AA:BB:CC',
    PrivateIpAddress: '10.0.0.5',
    Attachment: { InstanceId: 'i-1', TrunkNetworkInterfaceId: 'eni-t' },
    SecurityGroupIds: { SecurityGroupId: ['sg-1'] },
    AssociatedPublicIp: { PublicIpAddress: '47.0.0.1' },
    PrivateIpSets: {
      PrivateIpSet: [{ PrivateIpAddress: '10.0.0.5', Primary: true }, { PrivateIpAddress: '10.0.0.6' }],
    },
    Ipv4PrefixSets: { Ipv4PrefixSet: [{ Ipv4Prefix: '10.0.1.0/28' }] },
  };

  it('know their instance, trunk, prefixes and public address, and check nothing unless told to', () => {
    const [wire] = NetworkInterfaces.parse({ NetworkInterfaceSets: { NetworkInterfaceSet: [eni] } });

    expect(wire && networkInterface(wire)).toEqual({
      id: 'eni-1',
      instanceId: 'i-1',
      trunkId: 'eni-t',
      kind: 'member',
      usable: true,
      state: 'InUse',
      networkId: 'vpc-1',
      subnetId: 'vsw-1',
      mac: '00:16:3e:aa:bb:cc',
      addresses: [
        { ip: '10.0.0.5', primary: true, publicIp: '47.0.0.1' },
        { ip: '10.0.0.6', primary: false },
      ],
      prefixes: ['10.0.1.0/28'],
      securityGroupIds: ['sg-1'],
      sourceDestCheck: false,
    });
  });

  it('that are stopped are not usable', () => {
    const [wire] = Instances.parse({ Instances: { Instance: [{ InstanceId: 'i-1', Status: 'Stopped' }] } });

    expect(wire && instance(wire, 'cn-test')).toMatchObject({ usable: false, state: 'Stopped', addresses: [] });
  });
});

describe('networks', () => {
  it.each([
    ['System', 'VSwitch', 'main'],
    ['Custom', 'VSwitch', 'custom'],
    ['Custom', 'Gateway', 'gateway'],
  ])('route tables that are %s and of a %s', (RouteTableType, AssociateType, kind) => {
    expect(
      routeTable({ table: { RouteTableId: 'vtb-1', VpcId: 'vpc-1', RouteTableType, AssociateType }, entries: [] }),
    ).toMatchObject({ kind });
  });

  it('routes keep all their ways, their state, and the word for a next hop that is new to us', () => {
    const entries = RouteEntries.parse({
      RouteEntrys: {
        RouteEntry: [
          {
            DestinationCidrBlock: '172.20.0.0/24',
            Status: 'Pending',
            Type: 'Custom',
            NextHops: {
              NextHop: [
                { NextHopType: 'RouterInterface', NextHopId: 'ri-1', Enabled: 1, Weight: 100 },
                { NextHopType: 'RouterInterface', NextHopId: 'ri-2', Enabled: 0, Weight: 100 },
                { NextHopType: 'Wormhole', NextHopId: 'wh-1' },
              ],
            },
          },
        ],
      },
    });

    expect(
      routeTable({ table: { RouteTableId: 'v', RouteTableType: 'System', VpcId: '', AssociateType: '' }, entries })
        .routes,
    ).toEqual([
      {
        destination: '172.20.0.0/24',
        usable: false,
        state: 'Pending',
        origin: 'custom',
        nextHops: [
          { kind: 'peering', type: 'RouterInterface', id: 'ri-1', weight: 100, enabled: true },
          { kind: 'peering', type: 'RouterInterface', id: 'ri-2', weight: 100, enabled: false },
          { kind: 'other', type: 'Wormhole', id: 'wh-1', enabled: true },
        ],
      },
    ]);
  });

  it('ACLs keep the order of their entries, and a list of prefixes as not known', () => {
    const entry = (Policy: string, SourceCidrIp: string) => ({ Policy, Protocol: 'all', Port: '-1/-1', SourceCidrIp });
    const [wire] = NetworkAcls.parse({
      NetworkAcls: {
        NetworkAcl: [
          {
            NetworkAclId: 'nacl-1',
            IngressAclEntries: { IngressAclEntry: [entry('drop', '10.0.0.0/8'), entry('accept', 'pl-9')] },
            Resources: { Resource: [{ ResourceId: 'vsw-1', Status: 'BINDING' }] },
          },
        ],
      },
    });

    expect(wire && networkAcl(wire)).toMatchObject({
      ingress: [
        { action: 'deny', peer: { kind: 'networks', cidrs: ['10.0.0.0/8'] } },
        { action: 'allow', peer: { kind: 'unknown', list: 'pl-9' } },
      ],
      egress: [],
      defaultAction: 'deny',
      subnets: [{ id: 'vsw-1', usable: false, state: 'BINDING' }],
    });
  });

  it('NAT entries are for an interface, a subnet or a prefix, whichever is narrowest, and ports may be any', () => {
    const [gateway] = NatGateways.parse({
      NatGateways: {
        NatGateway: [{ NatGatewayId: 'ngw-1', VpcId: 'vpc-1', Status: 'Available', BusinessStatus: 'FinancialLocked' }],
      },
    });
    const snat = SnatEntries.parse({
      SnatTableEntries: {
        SnatTableEntry: [
          { SnatEntryId: 'a', SourceVSwitchId: 'vsw-1', SourceCIDR: '10.0.0.0/24', SnatIp: '47.0.0.1,47.0.0.2' },
          { SnatEntryId: 'b', SourceCIDR: '10.0.0.9/32', SnatIp: '47.0.0.1', Status: 'Pending' },
        ],
      },
    });
    const forward = ForwardEntries.parse({
      ForwardTableEntries: {
        ForwardTableEntry: [
          {
            ForwardEntryId: 'f',
            ExternalIp: '47.0.0.3',
            ExternalPort: 'Any',
            InternalIp: '10.0.0.9',
            InternalPort: 'Any',
            IpProtocol: 'Any',
          },
          {
            ForwardEntryId: 'g',
            ExternalIp: '47.0.0.3',
            ExternalPort: '80',
            InternalIp: '10.0.0.9',
            InternalPort: '30080',
            IpProtocol: 'TCP',
          },
        ],
      },
    });

    expect(gateway && natGateway({ gateway, snat, forward })).toMatchObject({
      usable: false,
      state: 'Available, FinancialLocked',
      public: true,
      snat: [
        { usable: true, match: { kind: 'subnet', id: 'vsw-1' }, addresses: ['47.0.0.1', '47.0.0.2'] },
        { usable: false, match: { kind: 'network', cidr: '10.0.0.9/32' } },
      ],
      dnat: [
        { protocol: 'all', externalIp: '47.0.0.3', internalIp: '10.0.0.9' },
        { protocol: 'tcp', externalPorts: { from: 80, to: 80 }, internalPorts: { from: 30080, to: 30080 } },
      ],
    });
  });
});

describe('load balancers', () => {
  const clb = {
    LoadBalancerId: 'lb-1',
    LoadBalancerStatus: 'active',
    Address: '47.0.0.1',
    AddressType: 'internet',
    VpcId: 'vpc-1',
    VSwitchId: undefined,
    MasterZoneId: undefined,
  };
  const classic = (listener: object, acls: Readonly<Record<string, readonly string[]>> = {}) =>
    classicLoadBalancer({
      balancer: clb,
      listeners: ClbListeners.parse({
        Listeners: [
          { LoadBalancerId: 'lb-1', ListenerPort: 80, ListenerProtocol: 'tcp', Status: 'running', ...listener },
        ],
      }),
      groups: new Map([['', [{ ServerId: 'i-1', ServerIp: undefined, Port: null, Weight: 0, Type: 'ecs' }]]]),
      health: [],
      acls: new Map(Object.entries(acls)),
    });

  it.each([
    ['off', ['acl-1'], undefined],
    ['on', ['acl-none'], undefined],
    ['on', ['acl-1', 'acl-2'], { mode: 'allow', lists: ['acl-1', 'acl-2'], cidrs: ['10.0.0.0/8', '192.0.2.1/32'] }],
  ])('of the classic kind with access control %s and lists %j', (AclStatus, AclIds, access) => {
    const acls = { 'acl-1': ['10.0.0.0/8'], 'acl-2': ['192.0.2.1'], 'acl-none': [] };

    expect(classic({ AclStatus, AclType: 'white', AclIds }, acls).listeners[0]?.access).toEqual(access);
  });

  it('of the classic kind without groups use their own servers, at the port of the listener', () => {
    const { listeners, groups } = classic({ BackendServerPort: 30080 });

    expect(listeners[0]).toMatchObject({ groupId: 'default:80/tcp', keepsClientIp: true, backendMayBeClient: false });
    expect(groups).toEqual([
      {
        id: 'default:80/tcp',
        anyPort: false,
        backends: [{ id: 'i-1', kind: 'instance', port: 30080, weight: 0, usable: true, state: 'registered' }],
      },
    ]);
  });

  it('of the network kind have ranges of ports, zones of their own, and name who is not well', () => {
    const [balancer] = NlbLoadBalancers.parse({
      LoadBalancers: [
        {
          LoadBalancerId: 'nlb-1',
          LoadBalancerStatus: 'Active',
          LoadBalancerBusinessStatus: 'FinancialLocked',
          AddressType: 'Internet',
          ZoneMappings: [
            {
              ZoneId: 'z-a',
              VSwitchId: 'vsw-a',
              Status: 'Active',
              LoadBalancerAddresses: [
                {
                  EniId: 'eni-a',
                  PrivateIPv4Address: '10.0.0.5',
                  PublicIPv4Address: '47.0.0.1',
                  PrivateIPv4HcStatus: 'Unhealthy',
                },
              ],
            },
          ],
        },
      ],
    });
    const listeners = NlbListeners.parse({
      Listeners: [
        {
          ListenerId: 'lsn-1',
          LoadBalancerId: 'nlb-1',
          ListenerProtocol: 'TCPSSL',
          ListenerPort: 0,
          StartPort: '8000',
          EndPort: '8010',
          ListenerStatus: 'Stopped',
          ServerGroupId: 'sgp-1',
        },
      ],
    });
    const groups = NlbServerGroups.parse({
      ServerGroups: [{ ServerGroupId: 'sgp-1', PreserveClientIpEnabled: false, AnyPortEnabled: true }],
    });
    const health = NlbListenerHealth.parse({
      ListenerHealthStatus: [
        {
          ServerGroupInfos: [
            {
              ServerGroupId: 'sgp-1',
              HeathCheckEnabled: true,
              NonNormalServers: [
                { ServerId: 'i-1', Port: 30080, Status: 'Unhealthy', Reason: { ReasonCode: 'CONNECT_TIMEOUT' } },
              ],
            },
          ],
        },
      ],
    });

    expect(
      balancer &&
        networkLoadBalancer({ balancer, listeners, groups, servers: new Map(), health: new Map([['lsn-1', health]]) }),
    ).toMatchObject({
      usable: false,
      state: 'Active, FinancialLocked',
      addresses: [
        { ip: '10.0.0.5', public: false, usable: false, state: 'Active, Unhealthy', interfaceId: 'eni-a' },
        { ip: '47.0.0.1', public: true, zone: 'z-a' },
      ],
      listeners: [
        {
          protocol: 'tls',
          ports: { from: 8000, to: 8010 },
          usable: false,
          keepsClientIp: false,
          backendMayBeClient: true,
          healthCheck: true,
        },
      ],
      groups: [{ id: 'sgp-1', anyPort: true, backends: [] }],
      health: [{ listenerId: 'lsn-1', backendId: 'i-1', port: 30080, health: 'abnormal', reason: 'CONNECT_TIMEOUT' }],
    });
  });
});
