import type { CloudCallError } from './cloud-call-error.js';
import type { WireClb, WireClbBackend, WireClbHealth, WireClbListener } from './wire/clb.js';
import type { WireInstance, WireNetworkInterface, WirePermission, WireSecurityGroup } from './wire/ecs.js';
import type { WireNlb, WireNlbListener, WireNlbListenerHealth, WireNlbServer, WireNlbServerGroup } from './wire/nlb.js';
import type {
  WireEip,
  WireForwardEntry,
  WireHaVip,
  WireIpv4Gateway,
  WireNatGateway,
  WireNetworkAcl,
  WireRouteEntry,
  WireRouteTable,
  WireSnatEntry,
  WireVpc,
  WireVSwitch,
} from './wire/vpc.js';

/** The kinds of things that are looked up, each by calls of its own. */
export const LOOKED_UP = [
  'instances',
  'networkInterfaces',
  'securityGroups',
  'prefixLists',
  'portLists',
  'vpcs',
  'subnets',
  'routeTables',
  'networkAcls',
  'natGateways',
  'internetGateways',
  'publicIps',
  'virtualIps',
  'loadBalancers',
] as const;
export type LookedUp = (typeof LOOKED_UP)[number];

/** What could not be looked up: everything of a kind, or only what the id names. */
export interface LookUpFailure {
  readonly kind: LookedUp;
  readonly id?: string;
  readonly error: CloudCallError;
}

export interface GatheredSecurityGroup {
  readonly group: WireSecurityGroup;
  readonly innerAccessPolicy: string | undefined;
  readonly permissions: readonly WirePermission[];
}

export interface GatheredNatGateway {
  readonly gateway: WireNatGateway;
  readonly snat: readonly WireSnatEntry[];
  readonly forward: readonly WireForwardEntry[];
}

export interface GatheredClb {
  readonly balancer: WireClb;
  readonly listeners: readonly WireClbListener[];
  /** Servers by group id; those of the balancer itself under the empty text. */
  readonly groups: ReadonlyMap<string, readonly WireClbBackend[]>;
  readonly health: readonly WireClbHealth[];
  /** Entries by list id. */
  readonly acls: ReadonlyMap<string, readonly string[]>;
}

export interface GatheredNlb {
  readonly balancer: WireNlb;
  readonly listeners: readonly WireNlbListener[];
  readonly groups: readonly WireNlbServerGroup[];
  /** Servers by group id. */
  readonly servers: ReadonlyMap<string, readonly WireNlbServer[]>;
  /** By listener id. */
  readonly health: ReadonlyMap<string, readonly WireNlbListenerHealth[]>;
}

/** Everything that one look at a cluster's cloud found, still in the cloud's own words. */
export interface Gathered {
  readonly region: string;
  readonly instances: readonly WireInstance[];
  readonly networkInterfaces: readonly WireNetworkInterface[];
  readonly securityGroups: readonly GatheredSecurityGroup[];
  readonly prefixLists: ReadonlyMap<string, readonly string[]>;
  readonly portLists: ReadonlyMap<string, readonly string[]>;
  readonly vpcs: readonly WireVpc[];
  readonly vSwitches: readonly WireVSwitch[];
  readonly routeTables: readonly { readonly table: WireRouteTable; readonly entries: readonly WireRouteEntry[] }[];
  readonly networkAcls: readonly WireNetworkAcl[];
  readonly natGateways: readonly GatheredNatGateway[];
  readonly ipv4Gateways: readonly WireIpv4Gateway[];
  readonly eips: readonly WireEip[];
  readonly haVips: readonly WireHaVip[];
  readonly clbs: readonly GatheredClb[];
  readonly nlbs: readonly GatheredNlb[];
  readonly failures: readonly LookUpFailure[];
}

export function emptyGathered(region: string): Gathered {
  return {
    region,
    instances: [],
    networkInterfaces: [],
    securityGroups: [],
    prefixLists: new Map(),
    portLists: new Map(),
    vpcs: [],
    vSwitches: [],
    routeTables: [],
    networkAcls: [],
    natGateways: [],
    ipv4Gateways: [],
    eips: [],
    haVips: [],
    clbs: [],
    nlbs: [],
    failures: [],
  };
}
