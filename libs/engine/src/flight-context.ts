import type { Ip, PathLink, Skipped, Suspicion } from '#libs/model';
import {
  ConntrackTable,
  makeSkb,
  type Answer,
  type Chooser,
  type FdbEntry,
  type Link,
  type NamespaceRun,
  type NetNamespace,
  type Obstacle,
  type Outcome,
  type Skb,
} from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { TraceRecorder } from './trace-recorder.js';
import type { World } from './world.js';

/** What lasts for one exchange: every namespace's connections, and what the network outside translated. */
export class ExchangeState {
  /** `knowsPort`: the source port is given, so the dumped connections may hold it. */
  constructor(private readonly knowsPort: boolean) {}

  private readonly tables = new Map<NetNamespace, ConntrackTable>();
  /** Translated sources of the network outside: key of the answer, original address. */
  readonly underlayNat = new Map<string, Ip>();
  /** The forwarding entry by which the last VXLAN packet left, when it names a port or VNI of its own. */
  tunnelEntry: { readonly ns: NetNamespace; readonly link: Link; readonly entry: FdbEntry } | undefined;
  /** Where a packet left its last namespace: by which device, to which next hop. */
  leftBy: { readonly ns: NetNamespace; readonly dev: string; readonly nextHop: Ip } | undefined;
  /** Fixed neighbour entries that sent packets to another host than the one that was meant. */
  readonly misled: Finding[] = [];
  /** Of the devices that the packets left by, in bytes. */
  smallestMtu = Infinity;
  /** Answers that the network outside expects, because it has seen the packets that they answer. */
  readonly underlayFlows = new Set<string>();
  readonly skipped: Skipped[] = [];
  /** Findings of the network outside that do not stop the packet. */
  readonly notes: Suspicion[] = [];
  readonly assumptions = new Set<string>();
  /** Whether the network outside was asked about more than the way from one node to another. */
  asksOutside = false;

  /** Old connections that took part, with the place that still holds them. */
  revived(): { readonly ns: NetNamespace; readonly text: string }[] {
    return [...this.tables].flatMap(([ns, table]) => table.revived.map((text) => ({ ns, text })));
  }

  /** All namespaces that any packet of the exchange came to. */
  get touched(): Iterable<NetNamespace> {
    return this.tables.keys();
  }

  /** Whether any namespace translated an address or a port. */
  get translates(): boolean {
    for (const table of this.tables.values()) if (table.translates) return true;
    return this.underlayNat.size > 0;
  }

  conntrack(ns: NetNamespace): ConntrackTable {
    let table = this.tables.get(ns);
    if (table === undefined) this.tables.set(ns, (table = new ConntrackTable(ns.conntrackTable(this.knowsPort))));
    return table;
  }
}

/** One packet on its way through the world. */
export interface FlightContext {
  readonly world: World;
  readonly state: ExchangeState;
  readonly recorder: TraceRecorder;
  readonly chooser: Chooser;
}

export function runIn(context: FlightContext, ns: NetNamespace): NamespaceRun {
  const { state, chooser, recorder, world } = context;
  return {
    ns,
    conntrack: state.conntrack(ns),
    chooser,
    recorder,
    intendedRoute: (dst) => (ns.place.kind === 'node' ? world.cni.intendedRoute?.(ns, dst) : undefined),
  };
}

/** Where the packet goes next: into a namespace by an interface, or on within the same one. */
export type Next =
  | {
      readonly kind: 'arrive';
      readonly ns: NetNamespace;
      readonly iif: string;
      readonly skb: Skb;
      readonly prerouted: boolean;
      readonly link?: PathLinkDraft;
    }
  | { readonly kind: 'again'; readonly outcome: Outcome }
  | { readonly kind: 'loopback'; readonly skb: Skb }
  | { readonly kind: 'exits'; readonly skb: Skb }
  /** Stopped or lost, and an obstacle says why. */
  | { readonly kind: 'lost'; readonly skb: Skb };

type PathLinkDraft = Omit<PathLink, 'direction' | 'packet' | 'hypothetical'>;

export function obstacle(
  context: FlightContext,
  facts: Obstacle['facts'],
  disposition: Obstacle['disposition'],
  skb: Skb,
  answer: Answer = { kind: 'silence' },
): void {
  context.recorder.obstacle({ facts, disposition, answer, skb });
}

/** A packet leaves its namespace: the kernel forgets connection and mark (skb_scrub_packet()). */
export function leave(skb: Skb): Skb {
  const left = makeSkb(skb);
  left.ct = undefined;
  left.untracked = undefined;
  left.mark = 0;
  left.physIn = undefined;
  left.physOut = undefined;
  left.uid = undefined;
  return left;
}
