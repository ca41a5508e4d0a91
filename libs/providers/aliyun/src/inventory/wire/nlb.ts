import { z } from 'zod';
import { OptionalText, WireInteger } from './wire-list.js';

// NLB, 2022-04-30: lists are plain.

const list = <T>(name: string, item: z.ZodType<T>): z.ZodType<readonly T[]> =>
  z.pipe(
    z.looseObject({ [name]: z.array(item) }),
    z.transform((answer) => answer[name] ?? []),
  );

const LoadBalancer = z.looseObject({
  LoadBalancerId: z.string(),
  LoadBalancerStatus: z.string(),
  LoadBalancerBusinessStatus: OptionalText,
  /** Internet or Intranet. */
  AddressType: z.string(),
  DNSName: OptionalText,
  VpcId: OptionalText,
  CrossZoneEnabled: z.boolean().default(true),
  SecurityGroupIds: z.array(z.string()).default([]),
  OperationLocks: z.array(z.looseObject({ LockReason: OptionalText, LockType: OptionalText })).default([]),
  ZoneMappings: z
    .array(
      z.looseObject({
        ZoneId: z.string(),
        VSwitchId: z.string(),
        /** Active, Stopped, Shifted, ... */
        Status: OptionalText,
        LoadBalancerAddresses: z
          .array(
            z.looseObject({
              EniId: OptionalText,
              PrivateIPv4Address: OptionalText,
              PublicIPv4Address: OptionalText,
              /** Healthy or Unhealthy. */
              PrivateIPv4HcStatus: OptionalText,
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});
export const NlbLoadBalancers = list('LoadBalancers', LoadBalancer);
export type WireNlb = z.infer<typeof LoadBalancer>;

const Listener = z.looseObject({
  ListenerId: z.string(),
  LoadBalancerId: z.string(),
  /** TCP, UDP, TCPSSL. */
  ListenerProtocol: z.string(),
  /** 0 when the listener has a range. */
  ListenerPort: WireInteger.nullish(),
  StartPort: OptionalText,
  EndPort: OptionalText,
  ListenerStatus: z.string(),
  ServerGroupId: OptionalText,
});
export const NlbListeners = list('Listeners', Listener);
export type WireNlbListener = z.infer<typeof Listener>;

const ServerGroup = z.looseObject({
  ServerGroupId: z.string(),
  /** Instance or Ip. */
  ServerGroupType: OptionalText,
  PreserveClientIpEnabled: z.boolean().default(true),
  AnyPortEnabled: z.boolean().default(false),
  HealthCheck: z.looseObject({ HealthCheckEnabled: z.boolean().optional() }).optional(),
});
export const NlbServerGroups = list('ServerGroups', ServerGroup);
export type WireNlbServerGroup = z.infer<typeof ServerGroup>;

const Server = z.looseObject({
  ServerId: z.string(),
  /** Ecs, Eni, Eci, Ip. */
  ServerType: OptionalText,
  ServerIp: OptionalText,
  Port: WireInteger,
  Weight: WireInteger.nullish(),
  ServerGroupId: OptionalText,
  ZoneId: OptionalText,
  Status: OptionalText,
});
export const NlbServers = list('Servers', Server);
export type WireNlbServer = z.infer<typeof Server>;

/** Only servers that are not well are listed. `HeathCheckEnabled` is the API's own spelling. */
const ListenerHealth = z.looseObject({
  ListenerId: OptionalText,
  ServerGroupInfos: z
    .array(
      z.looseObject({
        ServerGroupId: OptionalText,
        HeathCheckEnabled: z.boolean().optional(),
        NonNormalServers: z
          .array(
            z.looseObject({
              ServerId: z.string(),
              ServerIp: OptionalText,
              Port: WireInteger.nullish(),
              Status: OptionalText,
              Reason: z.looseObject({ ReasonCode: OptionalText }).nullish(),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});
export const NlbListenerHealth = list('ListenerHealthStatus', ListenerHealth);
export type WireNlbListenerHealth = z.infer<typeof ListenerHealth>;
