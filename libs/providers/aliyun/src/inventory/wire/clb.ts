import { z } from 'zod';
import { innerList, OptionalText, WireInteger, wireList } from './wire-list.js';

// CLB ("slb"), 2014-05-15.

const LoadBalancer = z.looseObject({
  LoadBalancerId: z.string(),
  /** active, inactive, locked. */
  LoadBalancerStatus: z.string(),
  Address: z.string(),
  /** internet or intranet. */
  AddressType: z.string(),
  VpcId: OptionalText,
  VSwitchId: OptionalText,
  MasterZoneId: OptionalText,
});
export const ClbLoadBalancers = wireList('LoadBalancers', 'LoadBalancer', LoadBalancer);
export type WireClb = z.infer<typeof LoadBalancer>;

/** The part of a listener that is named after its protocol. */
const ProtocolConfig = z.looseObject({ HealthCheck: OptionalText, MasterSlaveServerGroupId: OptionalText }).optional();
const Listener = z.looseObject({
  LoadBalancerId: z.string(),
  ListenerPort: WireInteger,
  /** tcp, udp, http, https. */
  ListenerProtocol: z.string(),
  /** running, stopped, starting, ... */
  Status: z.string(),
  VServerGroupId: OptionalText,
  BackendServerPort: WireInteger.nullish(),
  /** on or off. */
  AclStatus: OptionalText,
  /** white or black. */
  AclType: OptionalText,
  AclId: OptionalText,
  AclIds: z.array(z.string()).nullish(),
  TCPListenerConfig: ProtocolConfig,
  UDPListenerConfig: ProtocolConfig,
  HTTPListenerConfig: ProtocolConfig,
  HTTPSListenerConfig: ProtocolConfig,
});
/** The list is left out for a load balancer without listeners. */
export const ClbListeners = z.pipe(
  z.looseObject({ Listeners: z.array(Listener).nullish() }),
  z.transform((answer): readonly WireClbListener[] => answer.Listeners ?? []),
);
export type WireClbListener = z.infer<typeof Listener>;

const Backend = z.looseObject({
  ServerId: z.string(),
  ServerIp: OptionalText,
  Port: WireInteger.nullish(),
  Weight: WireInteger.nullish(),
  /** ecs, eni, eci. */
  Type: OptionalText,
});
export type WireClbBackend = z.infer<typeof Backend>;
export const VServerGroup = wireList('BackendServers', 'BackendServer', Backend);
export const MasterSlaveServerGroup = wireList('MasterSlaveBackendServers', 'MasterSlaveBackendServer', Backend);

/** What a load balancer itself says: the servers that listeners without a group of their own use. */
export const ClbAttribute = z.looseObject({ BackendServers: innerList('BackendServer', Backend) });

const Health = z.looseObject({
  ServerId: z.string(),
  ServerIp: OptionalText,
  ListenerPort: WireInteger.nullish(),
  Port: WireInteger.nullish(),
  Protocol: OptionalText,
  /** normal, abnormal, unavailable. */
  ServerHealthStatus: z.string(),
});
export const ClbHealth = wireList('BackendServers', 'BackendServer', Health);
export type WireClbHealth = z.infer<typeof Health>;

export const ClbAclEntries = z.pipe(
  z.looseObject({ AclEntrys: innerList('AclEntry', z.looseObject({ AclEntryIP: z.string() })) }),
  z.transform((answer): readonly string[] => answer.AclEntrys.map((entry) => entry.AclEntryIP)),
);
