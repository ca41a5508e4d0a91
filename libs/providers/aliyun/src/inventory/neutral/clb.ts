import type { Backend, BackendHealth, Listener, LoadBalancer } from '#libs/provider-kit';
import { pairGroupOf } from '../gather-clb.js';
import type { GatheredClb } from '../gathered.js';
import type { WireClbBackend, WireClbHealth, WireClbListener } from '../wire/clb.js';
import { asCidr } from './rules.js';

/** The group of a listener that uses the servers of the balancer itself, at a port that the listener says. */
const ownGroup = (listener: WireClbListener): string => `default:${listener.ListenerPort}/${listener.ListenerProtocol}`;

const groupIdOf = (listener: WireClbListener): string =>
  listener.VServerGroupId ?? pairGroupOf(listener) ?? ownGroup(listener);

const listenerId = (balancer: string, port: number, protocol: string): string => `${balancer}:${port}/${protocol}`;

/** Classic load balancers have one address, and listeners without ids of their own. */
export function classicLoadBalancer(gathered: GatheredClb): LoadBalancer {
  const { balancer, listeners, groups } = gathered;
  const id = balancer.LoadBalancerId;
  const active = balancer.LoadBalancerStatus === 'active';
  const internet = balancer.AddressType === 'internet';
  return {
    id,
    type: 'CLB',
    scheme: internet ? 'internet' : 'internal',
    usable: active,
    state: balancer.LoadBalancerStatus,
    ...(balancer.VpcId === undefined ? {} : { networkId: balancer.VpcId }),
    addresses: [
      {
        ip: balancer.Address,
        public: internet,
        ...(balancer.MasterZoneId === undefined ? {} : { zone: balancer.MasterZoneId }),
        ...(balancer.VSwitchId === undefined ? {} : { subnetId: balancer.VSwitchId }),
        usable: active,
        state: balancer.LoadBalancerStatus,
      },
    ],
    securityGroupIds: [],
    crossZone: true,
    listeners: listeners.map((listener) => classicListener(listener, gathered)),
    groups: [
      ...[...groups]
        .filter(([groupId]) => groupId !== '')
        .map(([groupId, servers]) => ({
          id: groupId,
          anyPort: false,
          backends: servers.map((server) => backend(server, undefined)),
        })),
      ...listeners
        .filter((listener) => groupIdOf(listener) === ownGroup(listener))
        .map((listener) => ({
          id: ownGroup(listener),
          anyPort: false,
          backends: (groups.get('') ?? []).map((server) => backend(server, listener.BackendServerPort ?? undefined)),
        })),
    ],
    health: listeners.flatMap((listener) => healthOf(listener, gathered.health)),
    healthListsOnlyTrouble: false,
  };
}

const PROTOCOLS: Readonly<Record<string, Listener['protocol']>> = {
  tcp: 'tcp',
  udp: 'udp',
  http: 'http',
  https: 'https',
};

function classicListener(listener: WireClbListener, { acls }: GatheredClb): Listener {
  const { ListenerPort: port, ListenerProtocol: name } = listener;
  const protocol = PROTOCOLS[name.toLowerCase()] ?? 'other';
  const layer4 = protocol === 'tcp' || protocol === 'udp';
  const access = accessOf(listener, acls);
  const healthCheck = healthCheckOf(listener);
  return {
    id: listenerId(listener.LoadBalancerId, port, name),
    protocol,
    ports: { from: port, to: port },
    usable: listener.Status === 'running',
    state: listener.Status,
    ...(access === undefined ? {} : { access }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
    // Packets are passed on as they came at layer 4; a backend that asks itself would answer itself. Source: slb FAQ.
    keepsClientIp: layer4,
    backendMayBeClient: !layer4,
    groupId: groupIdOf(listener),
  };
}

/** A list that is empty takes everybody, whichever colour it has. Source: doc-detail/85979. */
function accessOf(listener: WireClbListener, acls: GatheredClb['acls']): Listener['access'] {
  if (listener.AclStatus !== 'on') return undefined;
  const lists = [...new Set([listener.AclId, ...(listener.AclIds ?? [])].filter((id) => id !== undefined))];
  const cidrs = lists.flatMap((id) => acls.get(id) ?? []).map(asCidr);
  if (cidrs.length === 0) return undefined;
  return { mode: listener.AclType === 'black' ? 'deny' : 'allow', lists, cidrs };
}

function healthCheckOf(listener: WireClbListener): boolean | undefined {
  const { TCPListenerConfig, UDPListenerConfig, HTTPListenerConfig, HTTPSListenerConfig } = listener;
  const said = (TCPListenerConfig ?? UDPListenerConfig ?? HTTPListenerConfig ?? HTTPSListenerConfig)?.HealthCheck;
  return said === undefined ? undefined : said === 'on';
}

const KINDS: Readonly<Record<string, Backend['kind']>> = { ecs: 'instance', eni: 'interface', eci: 'other' };

function backend(server: WireClbBackend, ownPort: number | undefined): Backend {
  const port = server.Port ?? ownPort;
  return {
    id: server.ServerId,
    kind: KINDS[server.Type ?? 'ecs'] ?? 'other',
    ...(server.ServerIp === undefined ? {} : { ip: server.ServerIp }),
    ...(port === undefined ? {} : { port }),
    weight: server.Weight ?? 100,
    usable: true,
    state: 'registered',
  };
}

const HEALTH: Readonly<Record<string, BackendHealth['health']>> = { normal: 'normal', abnormal: 'abnormal' };

/** One list for the whole balancer says for each server at which listener it was looked at. */
function healthOf(listener: WireClbListener, all: readonly WireClbHealth[]): readonly BackendHealth[] {
  const { ListenerPort: port, ListenerProtocol: protocol } = listener;
  return all
    .filter((item) => item.ListenerPort === port && (item.Protocol ?? protocol) === protocol)
    .map((item) => ({
      listenerId: listenerId(listener.LoadBalancerId, port, protocol),
      backendId: item.ServerId,
      ...(item.ServerIp === undefined ? {} : { ip: item.ServerIp }),
      ...(item.Port === null || item.Port === undefined ? {} : { port: item.Port }),
      health: HEALTH[item.ServerHealthStatus] ?? 'unknown',
    }));
}
