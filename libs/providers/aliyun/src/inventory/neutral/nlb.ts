import type {
  Backend,
  BackendGroup,
  BackendHealth,
  Listener,
  LoadBalancer,
  LoadBalancerAddress,
} from '#libs/provider-kit';
import type { GatheredNlb } from '../gathered.js';
import type { WireNlb, WireNlbListener, WireNlbServer, WireNlbServerGroup } from '../wire/nlb.js';
import { portRange } from './rules.js';

/** Network load balancers have an address in each of their zones, and name only the backends that are not well. */
export function networkLoadBalancer(gathered: GatheredNlb): LoadBalancer {
  const { balancer, listeners, groups, servers } = gathered;
  const business = balancer.LoadBalancerBusinessStatus ?? 'Normal';
  const locks = balancer.OperationLocks.map((lock) => lock.LockReason ?? lock.LockType ?? 'locked');
  const words = [balancer.LoadBalancerStatus, ...(business === 'Normal' ? [] : [business]), ...locks];
  return {
    id: balancer.LoadBalancerId,
    type: 'NLB',
    scheme: balancer.AddressType === 'Internet' ? 'internet' : 'internal',
    usable: balancer.LoadBalancerStatus === 'Active' && business === 'Normal',
    state: words.join(', '),
    ...(balancer.DNSName === undefined ? {} : { dnsName: balancer.DNSName }),
    ...(balancer.VpcId === undefined ? {} : { networkId: balancer.VpcId }),
    addresses: balancer.ZoneMappings.flatMap(addressesOf),
    securityGroupIds: balancer.SecurityGroupIds,
    crossZone: balancer.CrossZoneEnabled,
    listeners: listeners.map((listener) => networkListener(listener, gathered)),
    groups: groups.map((group) => backendGroup(group, servers.get(group.ServerGroupId) ?? [])),
    health: listeners.flatMap((listener) => troubleOf(listener, gathered)),
    healthListsOnlyTrouble: true,
  };
}

function addressesOf(zone: WireNlb['ZoneMappings'][number]): readonly LoadBalancerAddress[] {
  return zone.LoadBalancerAddresses.flatMap((address) => {
    const well = address.PrivateIPv4HcStatus !== 'Unhealthy';
    const active = zone.Status === undefined || zone.Status === 'Active';
    const common = {
      zone: zone.ZoneId,
      subnetId: zone.VSwitchId,
      ...(address.EniId === undefined ? {} : { interfaceId: address.EniId }),
      usable: active && well,
      state: [zone.Status ?? 'Active', ...(well ? [] : ['Unhealthy'])].join(', '),
    };
    return [
      ...(address.PrivateIPv4Address === undefined
        ? []
        : [{ ip: address.PrivateIPv4Address, public: false, ...common }]),
      ...(address.PublicIPv4Address === undefined ? [] : [{ ip: address.PublicIPv4Address, public: true, ...common }]),
    ];
  });
}

const PROTOCOLS: Readonly<Record<string, Listener['protocol']>> = { TCP: 'tcp', UDP: 'udp', TCPSSL: 'tls' };

function networkListener(listener: WireNlbListener, { groups, health }: GatheredNlb): Listener {
  const port = listener.ListenerPort ?? 0;
  // A listener for a range has port 0.
  const range =
    listener.StartPort === undefined
      ? undefined
      : portRange(`${listener.StartPort}/${listener.EndPort ?? listener.StartPort}`);
  const group = groups.find((item) => item.ServerGroupId === listener.ServerGroupId);
  const infos = (health.get(listener.ListenerId) ?? []).flatMap((item) => item.ServerGroupInfos);
  const checked = infos.map((info) => info.HeathCheckEnabled).find((said) => said !== undefined);
  const healthCheck = checked ?? group?.HealthCheck?.HealthCheckEnabled;
  const keepsClientIp = group?.PreserveClientIpEnabled ?? true;
  return {
    id: listener.ListenerId,
    protocol: PROTOCOLS[listener.ListenerProtocol] ?? 'other',
    ports: port === 0 && range !== undefined ? range : { from: port, to: port },
    usable: listener.ListenerStatus === 'Running',
    state: listener.ListenerStatus,
    ...(healthCheck === undefined ? {} : { healthCheck }),
    keepsClientIp,
    // With the client's address kept, a backend that asks itself would answer itself. Source: nlb-faq.
    backendMayBeClient: !keepsClientIp,
    ...(listener.ServerGroupId === undefined ? {} : { groupId: listener.ServerGroupId }),
  };
}

function backendGroup(group: WireNlbServerGroup, servers: readonly WireNlbServer[]): BackendGroup {
  return { id: group.ServerGroupId, anyPort: group.AnyPortEnabled, backends: servers.map(backend) };
}

const KINDS: Readonly<Record<string, Backend['kind']>> = { Ecs: 'instance', Eni: 'interface', Ip: 'ip' };

function backend(server: WireNlbServer): Backend {
  const state = server.Status ?? 'Available';
  return {
    id: server.ServerId,
    kind: KINDS[server.ServerType ?? 'Ecs'] ?? 'other',
    ...(server.ServerIp === undefined ? {} : { ip: server.ServerIp }),
    ...(server.Port === 0 ? {} : { port: server.Port }),
    weight: server.Weight ?? 100,
    ...(server.ZoneId === undefined ? {} : { zone: server.ZoneId }),
    usable: state === 'Available',
    state,
  };
}

function troubleOf(listener: WireNlbListener, { health }: GatheredNlb): readonly BackendHealth[] {
  const infos = (health.get(listener.ListenerId) ?? []).flatMap((item) => item.ServerGroupInfos);
  return infos
    .flatMap((info) => info.NonNormalServers)
    .map((server) => ({
      listenerId: listener.ListenerId,
      backendId: server.ServerId,
      ...(server.ServerIp === undefined ? {} : { ip: server.ServerIp }),
      ...(server.Port === null || server.Port === undefined ? {} : { port: server.Port }),
      health: server.Status === 'Unhealthy' || server.Status === 'Unavailable' ? 'abnormal' : 'unknown',
      ...(server.Reason?.ReasonCode === undefined ? {} : { reason: server.Reason.ReasonCode }),
    }));
}
