import type { Backend, CloudSnapshot, Listener, LoadBalancer } from '#libs/provider-kit';
import type { WireObject, WireWorld } from '../wire-world.js';

type ClbPart = Pick<WireWorld, 'clbs' | 'clbListeners' | 'clbGroups' | 'clbServers' | 'clbHealth' | 'clbAcls'>;
type NlbPart = Pick<WireWorld, 'nlbs' | 'nlbListeners' | 'nlbGroups' | 'nlbServers' | 'nlbHealth'>;

export function wireClbs(cloud: CloudSnapshot): ClbPart {
  const balancers = cloud.loadBalancers.filter(({ type }) => type === 'CLB');
  const groups = balancers.flatMap((item) => item.groups);
  const isOwn = ({ id }: { readonly id: string }): boolean => id.startsWith('default:');
  return {
    clbs: balancers.map(clb),
    clbListeners: balancers.flatMap((item) => item.listeners.map((listener) => clbListener(item, listener))),
    clbGroups: Object.fromEntries(
      groups.filter((group) => !isOwn(group)).map(({ id, backends }) => [id, backends.map(clbServer)]),
    ),
    clbServers: Object.fromEntries(
      balancers.map((item) => [
        item.id,
        (item.groups.find(isOwn)?.backends ?? []).map(({ port: _port, ...server }) => clbServer(server)),
      ]),
    ),
    clbHealth: Object.fromEntries(balancers.map((item) => [item.id, clbHealth(item)])),
    clbAcls: Object.fromEntries(
      balancers
        .flatMap((item) => item.listeners)
        .flatMap(({ access }) =>
          // Which list an entry stands in makes no difference; the first has them all.
          (access?.lists ?? []).map((id, nth) => [id, nth === 0 ? (access?.cidrs ?? []) : []] as const),
        ),
    ),
  };
}

function clb({ id, state, scheme, addresses, networkId }: LoadBalancer): WireObject {
  return {
    LoadBalancerId: id,
    LoadBalancerStatus: state,
    Address: addresses[0]?.ip ?? '',
    AddressType: scheme === 'internet' ? 'internet' : 'intranet',
    VpcId: networkId ?? '',
    VSwitchId: addresses[0]?.subnetId ?? '',
    MasterZoneId: addresses[0]?.zone ?? '',
  };
}

function clbListener(balancer: LoadBalancer, listener: Listener): WireObject {
  const { access, groupId = '' } = listener;
  const own = groupId.startsWith('default:');
  const config = listener.healthCheck === undefined ? {} : { HealthCheck: listener.healthCheck ? 'on' : 'off' };
  return {
    LoadBalancerId: balancer.id,
    ListenerPort: listener.ports.from,
    ListenerProtocol: listener.protocol,
    Status: listener.state,
    ...(own
      ? { BackendServerPort: balancer.groups.find(({ id }) => id === groupId)?.backends[0]?.port }
      : { VServerGroupId: groupId }),
    ...(access === undefined
      ? { AclStatus: 'off' }
      : { AclStatus: 'on', AclType: access.mode === 'allow' ? 'white' : 'black', AclIds: access.lists }),
    [`${listener.protocol.toUpperCase()}ListenerConfig`]: config,
  };
}

const CLB_TYPES: Readonly<Record<Backend['kind'], string>> = {
  instance: 'ecs',
  interface: 'eni',
  ip: 'eci',
  other: 'eci',
};

function clbServer({ id, kind, ip, port, weight }: Omit<Backend, 'port'> & { readonly port?: number }): WireObject {
  return {
    ServerId: id,
    Type: CLB_TYPES[kind],
    ServerIp: ip ?? '',
    Weight: weight,
    ...(port === undefined ? {} : { Port: port }),
  };
}

function clbHealth(balancer: LoadBalancer): readonly WireObject[] {
  return balancer.health.map(({ listenerId, backendId, ip, port, health }) => {
    const listener = balancer.listeners.find(({ id }) => id === listenerId);
    return {
      ServerId: backendId,
      ServerIp: ip ?? '',
      ListenerPort: listener?.ports.from,
      Protocol: listener?.protocol,
      ...(port === undefined ? {} : { Port: port }),
      ServerHealthStatus: health === 'unknown' ? 'unavailable' : health,
    };
  });
}

export function wireNlbs(cloud: CloudSnapshot): NlbPart {
  const balancers = cloud.loadBalancers.filter(({ type }) => type === 'NLB');
  const groups = [
    ...new Map(balancers.flatMap((item) => item.groups.map((group) => [group.id, { item, group }]))).values(),
  ];
  return {
    nlbs: balancers.map(nlb),
    nlbListeners: balancers.flatMap((item) => item.listeners.map((listener) => nlbListener(item.id, listener))),
    nlbGroups: groups.map(({ item, group }) => {
      const listener = item.listeners.find(({ groupId }) => groupId === group.id);
      return {
        ServerGroupId: group.id,
        ServerGroupType: 'Instance',
        PreserveClientIpEnabled: listener?.keepsClientIp ?? true,
        AnyPortEnabled: group.anyPort,
        ...(listener?.healthCheck === undefined ? {} : { HealthCheck: { HealthCheckEnabled: listener.healthCheck } }),
      };
    }),
    nlbServers: groups.flatMap(({ group }) => group.backends.map((backend) => nlbServer(group.id, backend))),
    nlbHealth: Object.fromEntries(
      balancers.flatMap((item) => item.listeners.map((listener) => [listener.id, nlbHealth(item, listener)])),
    ),
  };
}

function nlb(balancer: LoadBalancer): WireObject {
  const [LoadBalancerStatus, LoadBalancerBusinessStatus = 'Normal'] = balancer.state.split(', ');
  const names = [...new Set(balancer.addresses.map(({ zone = '' }) => zone))];
  return {
    LoadBalancerId: balancer.id,
    LoadBalancerType: 'Network',
    LoadBalancerStatus,
    LoadBalancerBusinessStatus,
    AddressType: balancer.scheme === 'internet' ? 'Internet' : 'Intranet',
    DNSName: balancer.dnsName ?? '',
    VpcId: balancer.networkId ?? '',
    CrossZoneEnabled: balancer.crossZone,
    SecurityGroupIds: balancer.securityGroupIds,
    ZoneMappings: names.map((ZoneId) => {
      const addresses = balancer.addresses.filter(({ zone = '' }) => zone === ZoneId);
      const [Status = 'Active', health] = addresses[0]?.state.split(', ') ?? [];
      return {
        ZoneId,
        VSwitchId: addresses[0]?.subnetId ?? '',
        Status,
        LoadBalancerAddresses: [
          {
            EniId: addresses[0]?.interfaceId ?? '',
            PrivateIPv4Address: addresses.find((address) => !address.public)?.ip ?? '',
            PublicIPv4Address: addresses.find((address) => address.public)?.ip ?? '',
            PrivateIPv4HcStatus: health ?? 'Healthy',
          },
        ],
      };
    }),
  };
}

const NLB_PROTOCOLS: Readonly<Record<string, string>> = { tcp: 'TCP', udp: 'UDP', tls: 'TCPSSL' };

function nlbListener(balancerId: string, { id, protocol, ports, state, groupId }: Listener): WireObject {
  const single = ports.from === ports.to;
  return {
    ListenerId: id,
    LoadBalancerId: balancerId,
    ListenerProtocol: NLB_PROTOCOLS[protocol] ?? protocol,
    ListenerPort: single ? ports.from : 0,
    ...(single ? {} : { StartPort: String(ports.from), EndPort: String(ports.to) }),
    ListenerStatus: state,
    ServerGroupId: groupId ?? '',
  };
}

const NLB_TYPES: Readonly<Record<Backend['kind'], string>> = {
  instance: 'Ecs',
  interface: 'Eni',
  ip: 'Ip',
  other: 'Eci',
};

function nlbServer(groupId: string, { id, kind, ip, port, weight, zone, state }: Backend): WireObject {
  return {
    ServerGroupId: groupId,
    ServerId: id,
    ServerType: NLB_TYPES[kind],
    ServerIp: ip ?? '',
    Port: port ?? 0,
    Weight: weight,
    ZoneId: zone ?? '',
    Status: state,
  };
}

function nlbHealth(balancer: LoadBalancer, listener: Listener): readonly WireObject[] {
  const trouble = balancer.health.filter(({ listenerId }) => listenerId === listener.id);
  return [
    {
      ListenerId: listener.id,
      ServerGroupInfos: [
        {
          ServerGroupId: listener.groupId ?? '',
          HeathCheckEnabled: listener.healthCheck ?? true,
          NonNormalServers: trouble.map(({ backendId, ip, port, health, reason }) => ({
            ServerId: backendId,
            ServerIp: ip ?? '',
            ...(port === undefined ? {} : { Port: port }),
            Status: health === 'abnormal' ? 'Unhealthy' : 'Initial',
            ...(reason === undefined ? {} : { Reason: { ReasonCode: reason } }),
          })),
        },
      ],
    },
  ];
}
