/** An object of the cloud as its API shows it. */
export type WireObject = Readonly<Record<string, unknown>>;

/** What the fake serves: for each kind of object a list, in the API's own words, plus what calls know that the objects do not show. */
export interface WireWorld {
  readonly region: string;
  readonly instances: readonly WireObject[];
  readonly networkInterfaces: readonly WireObject[];
  readonly securityGroups: readonly {
    readonly group: WireObject;
    readonly innerAccessPolicy: string;
    readonly permissions: readonly WireObject[];
  }[];
  readonly prefixLists: Readonly<Record<string, readonly string[]>>;
  readonly portLists: Readonly<Record<string, readonly string[]>>;
  readonly vpcs: readonly WireObject[];
  readonly vSwitches: readonly WireObject[];
  readonly routeTables: readonly { readonly table: WireObject; readonly entries: readonly WireObject[] }[];
  readonly networkAcls: readonly WireObject[];
  readonly natGateways: readonly WireObject[];
  readonly snatEntries: readonly WireObject[];
  readonly forwardEntries: readonly WireObject[];
  readonly ipv4Gateways: readonly WireObject[];
  readonly eips: readonly WireObject[];
  readonly haVips: readonly WireObject[];
  readonly clbs: readonly WireObject[];
  readonly clbListeners: readonly WireObject[];
  /** Servers by group id. */
  readonly clbGroups: Readonly<Record<string, readonly WireObject[]>>;
  readonly clbPairs: Readonly<Record<string, readonly WireObject[]>>;
  /** Servers of a balancer itself, by its id. */
  readonly clbServers: Readonly<Record<string, readonly WireObject[]>>;
  readonly clbHealth: Readonly<Record<string, readonly WireObject[]>>;
  readonly clbAcls: Readonly<Record<string, readonly string[]>>;
  readonly nlbs: readonly WireObject[];
  readonly nlbListeners: readonly WireObject[];
  readonly nlbGroups: readonly WireObject[];
  readonly nlbServers: readonly WireObject[];
  /** By listener id. */
  readonly nlbHealth: Readonly<Record<string, readonly WireObject[]>>;
}

export function emptyWireWorld(region: string): WireWorld {
  return {
    region,
    instances: [],
    networkInterfaces: [],
    securityGroups: [],
    prefixLists: {},
    portLists: {},
    vpcs: [],
    vSwitches: [],
    routeTables: [],
    networkAcls: [],
    natGateways: [],
    snatEntries: [],
    forwardEntries: [],
    ipv4Gateways: [],
    eips: [],
    haVips: [],
    clbs: [],
    clbListeners: [],
    clbGroups: {},
    clbPairs: {},
    clbServers: {},
    clbHealth: {},
    clbAcls: {},
    nlbs: [],
    nlbListeners: [],
    nlbGroups: [],
    nlbServers: [],
    nlbHealth: {},
  };
}
